// @ts-check
import { element } from './dom.js';

/** @typedef {import('../server/board.ts').BoardState} BoardState */

const words = { starting: 'loading the model', working: 'enlarging', storing: 'storing the result' };

/**
 * A tile for each Job that is not over, or that there is none. A tile is made once and changed in place, so that its
 * animation goes on.
 * @param {HTMLElement} list
 */
export function jobTiles(list) {
  /** @type {Map<string, ReturnType<typeof jobTile>>} */
  const tiles = new Map();
  const zeroWords = document.createTextNode('');
  const zero = element('div', { class: 'zero' }, [element('strong', {}, ['Zero Jobs']), zeroWords]);
  return {
    /** @param {BoardState} state */
    show({ jobs, pictures }) {
      const ids = new Set(jobs.list.map(({ id }) => id));
      for (const [id, tile] of tiles) {
        if (ids.has(id)) continue;
        tile.root.remove();
        tiles.delete(id);
      }
      for (const { id } of jobs.list) {
        let tile = tiles.get(id);
        if (!tile) {
          tile = jobTile(id);
          tiles.set(id, tile);
          list.append(tile.root);
        }
        tile.update(pictures.find(({ job, state }) => job === id && state === 'processing'));
      }
      const text =
        pictures.length > 0 ? 'The queue is empty. The next message starts one.' : 'The first message starts one.';
      if (zeroWords.data !== text) zeroWords.data = text;
      if (tiles.size === 0) list.append(zero);
      else zero.remove();
    },
  };
}

/** @param {string} id */
function jobTile(id) {
  const image = element('img', { alt: '' });
  const name = element('span', { class: 'phase' }, ['a new Job']);
  const detail = element('span', { class: 'detail' }, ['starting']);
  const root = element('div', { class: 'replica job', 'data-phase': 'starting', 'data-busy': 'yes', title: id }, [
    element('span', { class: 'glow' }),
    image,
    element('span', { class: 'words' }, [name, detail]),
  ]);
  let shown = '';
  return {
    root,
    /** @param {import('../server/gallery.ts').Picture | undefined} picture what it works on, once it has taken its message */
    update(picture) {
      if (!picture?.step || shown === picture.step) return;
      shown = picture.step;
      const { task, step } = picture;
      if (task.input && !image.getAttribute('src')) image.src = `pictures/${task.id}/original`;
      root.dataset.phase = step === 'starting' ? 'starting' : 'ready';
      name.textContent = task.name;
      detail.textContent = words[step];
    },
  };
}
