// @ts-check
import { element, seconds } from './dom.js';

/** @typedef {import('../server/gallery.ts').Picture} Picture */

const badges = { queued: 'queued', processing: 'processing', done: 'done', failed: 'failed' };
const steps = {
  starting: 'a process was started and loads the model',
  working: 'the model is running',
  storing: 'storing the result',
};

/**
 * Those that nobody has taken yet, the next one first.
 * @param {HTMLElement} list
 */
export function waitingStrip(list) {
  /** @type {Map<string, HTMLElement>} */
  const shown = new Map();
  return {
    /** @param {Picture[]} pictures */
    show(pictures) {
      const waiting = pictures.filter(({ state }) => state === 'queued').reverse();
      const ids = new Set(waiting.map(({ task }) => task.id));
      for (const [id, item] of shown) {
        if (ids.has(id)) continue;
        item.remove();
        shown.delete(id);
      }
      for (const { task, message } of waiting) {
        if (shown.has(task.id)) continue;
        const title = message === '' ? task.name : `${task.name}: given back (${message})`;
        const inside = task.input ? element('img', { src: `pictures/${task.id}/original`, alt: title }) : task.prompt;
        const item = element('li', { title }, [inside]);
        shown.set(task.id, item);
        list.append(item);
      }
      const section = list.parentElement;
      if (section) section.hidden = waiting.length === 0;
    },
  };
}

/**
 * Pictures that were taken, the latest first; a card is made once and changed in place.
 * @param {HTMLElement} list
 */
export function pictureCards(list) {
  /** @type {Map<string, Card>} */
  const cards = new Map();
  return {
    /** @param {Picture[]} pictures */
    show(pictures) {
      const ids = new Set(pictures.map(({ task }) => task.id));
      for (const [id, card] of cards) {
        if (ids.has(id)) continue;
        card.root.remove();
        cards.delete(id);
      }
      // From the oldest on, so that each new one goes to the front of those that are there.
      for (const picture of [...pictures].sort((left, right) => (left.takenAt ?? 0) - (right.takenAt ?? 0))) {
        let card = cards.get(picture.task.id);
        if (!card) {
          if (picture.state === 'queued') continue;
          card = new Card(picture);
          cards.set(picture.task.id, card);
          list.prepend(card.root);
        }
        card.update(picture);
      }
    },
  };
}

class Card {
  #badge = element('span', { class: 'badge' });
  #right = element('div', { class: 'side' });
  #times = element('p', { class: 'times' });
  #shown = '';

  /** @param {Picture} picture */
  constructor({ task, size }) {
    const small = task.input
      ? element('div', { class: 'side small' }, [
          element('img', { src: `pictures/${task.id}/original`, alt: `${task.name}, as it was sent` }),
          element('span', { class: 'tag' }, [size ? `${size.width} × ${size.height}` : 'original']),
        ])
      : element('div', { class: 'side' }, [element('div', { class: 'empty' }, [task.prompt])]);
    this.root = element('li', { class: 'picture' }, [
      element('header', {}, [element('h2', { title: task.name }, [task.name]), this.#badge]),
      element('div', { class: 'sides' }, [small, this.#right]),
      this.#times,
    ]);
  }

  /** @param {Picture} picture */
  update(picture) {
    const text = JSON.stringify(picture);
    if (text === this.#shown) return;
    this.#shown = text;
    const { state, step, result, message, job, delivery } = picture;
    this.root.dataset.state = state;
    this.#badge.textContent = badges[state];
    this.#times.textContent = timesOf(picture);
    this.#times.classList.toggle('wrong', state === 'failed');
    if (state === 'done' && result) return this.#showResult(picture, result);
    const tried = delivery > 1 ? `, delivery ${delivery}` : '';
    const words = step
      ? `${steps[step]}${job ? ` (${job.split('-').at(-1)}${tried})` : ''}`
      : state === 'failed'
        ? 'no result'
        : message || 'waits in the queue';
    this.#right.replaceChildren(element('div', { class: 'empty' }, [words]), element('span', { class: 'glow' }));
  }

  /** @param {Picture} picture @param {{ width: number, height: number }} size */
  #showResult({ task }, { width, height }) {
    const source = `pictures/${task.id}/result`;
    const right = element('a', { class: 'side', href: source, target: '_blank', title: 'Open the large picture' }, [
      element('img', { src: source, alt: `${task.name}, enlarged` }),
      element('span', { class: 'tag' }, [`${width} × ${height}`]),
    ]);
    this.#right.replaceWith(right);
  }
}

/** Where its time went. @param {Picture} picture */
function timesOf({ task, state, processStartedAt, takenAt, doneAt, result, message, delivery, job }) {
  if (state === 'failed') return message;
  if (state !== 'done' || !doneAt || !takenAt || !processStartedAt || !result) return job ? `Job ${job}` : '\u00a0';
  const started =
    processStartedAt < task.submittedAt ? [] : [`process after ${seconds(processStartedAt - task.submittedAt)}`];
  const again = delivery > 1 ? [`delivery ${delivery}`] : [];
  return [
    `${seconds(doneAt - task.submittedAt)} in all`,
    ...started,
    `model ${seconds(result.workMs)}`,
    ...again,
    job ?? '',
  ].join(' · ');
}
