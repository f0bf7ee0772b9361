import type { ReplicaStatus, WorkloadStatus } from '@ebb/documents';
import { h, setText } from './dom.ts';
import { formatSeconds, plural } from './format.ts';

interface Tile {
  element: HTMLElement;
  phase: HTMLElement;
  detail: HTMLElement;
}

const goneAnimationMs = 600;

/** One tile a replica: appears when it is asked for, fills when it is ready, lights up while it works, fades when it goes. */
export class ReplicaTiles {
  readonly element = h('div', { class: 'replicas', role: 'list', 'aria-label': 'replicas' });
  readonly #empty = h(
    'div',
    { class: 'zero' },
    h('strong', {}, 'Zero replicas'),
    h('span', {}, 'nothing runs, nothing is paid; the next request wakes it'),
  );
  readonly #tiles = new Map<string, Tile>();

  show(status: WorkloadStatus, now: number): void {
    const present = status.replicaList.filter((replica) => replica.phase !== 'gone');
    const ids = new Set(present.map((replica) => replica.id));
    for (const [id, tile] of this.#tiles) {
      if (ids.has(id)) continue;
      this.#tiles.delete(id);
      tile.element.classList.add('leaving');
      setTimeout(() => tile.element.remove(), goneAnimationMs);
    }
    for (const replica of present) this.#showTile(replica, now);
    if (present.length === 0 && !this.#empty.isConnected) this.element.append(this.#empty);
    if (present.length > 0) this.#empty.remove();
  }

  #showTile(replica: ReplicaStatus, now: number): void {
    let tile = this.#tiles.get(replica.id);
    if (!tile) {
      const phase = h('span', { class: 'phase' });
      const detail = h('span', { class: 'detail' });
      tile = {
        element: h('div', { class: 'replica', role: 'listitem' }, h('span', { class: 'glow' }), phase, detail),
        phase,
        detail,
      };
      this.#tiles.set(replica.id, tile);
      this.element.append(tile.element);
    }
    tile.element.dataset.phase = replica.phase;
    tile.element.dataset.busy = replica.inFlight > 0 ? 'yes' : 'no';
    tile.element.title = [replica.id, replica.pid ? `pid ${replica.pid}` : '', replica.message]
      .filter(Boolean)
      .join('\n');
    setText(tile.phase, replica.phase === 'ready' && replica.inFlight > 0 ? 'working' : replica.phase);
    setText(tile.detail, detailOf(replica, now));
  }
}

function detailOf(replica: ReplicaStatus, now: number): string {
  if (replica.phase === 'failed' || replica.phase === 'backoff') return replica.message;
  if (replica.inFlight > 0) return plural(replica.inFlight, 'request');
  const since = replica.phase === 'ready' && replica.readyAt !== null ? replica.readyAt : replica.createdAt;
  return formatSeconds(Math.max(0, (now - since) / 1000));
}
