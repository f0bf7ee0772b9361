import { IndexedHeap } from './indexedHeap.ts';
import type { Ticket } from './ticket.ts';

/** What waits, of all workloads, by the time at which it is refused or turned. Each operation is O(log n). */
export class Deadlines {
  readonly #heap = new IndexedHeap<Ticket>(
    (left, right) =>
      left.deadlineUs < right.deadlineUs ||
      (left.deadlineUs === right.deadlineUs && left.request.id < right.request.id),
  );

  add(ticket: Ticket): void {
    this.#heap.add(ticket);
  }

  remove(ticket: Ticket): void {
    this.#heap.remove(ticket);
  }

  /** When the next one is due; null: never. */
  nextUs(): number | null {
    return this.#heap.first()?.deadlineUs ?? null;
  }

  /** The first one that is due by now; null: none is. */
  firstDue(nowUs: number): Ticket | null {
    const first = this.#heap.first();
    return first && first.deadlineUs <= nowUs ? first : null;
  }
}
