import { assert } from './assert.ts';
import type { Acceptance } from './classes.ts';
import type { ClassPool, Endpoint } from './classPool.ts';
import { LinkedList } from './linkedList.ts';
import { ordinarySinceUs, type Ticket } from './ticket.ts';

/** Held requests that the same endpoints can serve, oldest first: if the head cannot go, none of them can. */
export interface Lane {
  readonly key: string;
  readonly acceptance: Acceptance;
  readonly excluded: readonly Endpoint[];
  readonly tickets: LinkedList<Ticket>;
}

/**
 * The held requests of one workload, first come first served, retried ones before all others. They are kept in one
 * lane for each set of classes that accepts them, so that finding who goes next never walks past those that cannot.
 */
export class HoldQueue {
  readonly #lanes = new Map<string, Lane>();
  #lastRank = 0;
  #firstRank = 0;
  size = 0;
  /** Of those, the ones that were deferrable before: they take no places from others. */
  turned = 0;
  /** Buffered bytes of all that is held. */
  bytes = 0;

  /** Lanes with at least one request in them. */
  lanes(): IterableIterator<Lane> {
    return this.#lanes.values();
  }

  pushBack(ticket: Ticket): void {
    ticket.rank = ++this.#lastRank;
    this.#enter(ticket).tickets.pushBack(ticket);
  }

  /** For retried requests, which have an endpoint excluded. */
  pushFront(ticket: Ticket): void {
    assert(ticket.excluded.length > 0, `request ${ticket.request.id} is put in front of others without a reason`);
    ticket.rank = --this.#firstRank;
    this.#enter(ticket).tickets.pushFront(ticket);
  }

  remove(ticket: Ticket): void {
    const { lane } = ticket;
    if (!lane) return;
    lane.tickets.remove(ticket);
    if (lane.tickets.size === 0) this.#lanes.delete(lane.key);
    ticket.lane = null;
    this.size--;
    if (isTurned(ticket)) this.turned--;
    this.bytes -= ticket.request.bufferedBytes;
  }

  /** All that is held, the one that goes next first. */
  inOrder(): Ticket[] {
    return [...this.#tickets()].sort((left, right) => left.rank - right.rank);
  }

  /** Empties the queue and gives what was in it, in order. */
  takeAll(): Ticket[] {
    const taken = this.inOrder();
    for (const ticket of taken) this.remove(ticket);
    return taken;
  }

  /** Puts back what `takeAll` took, in the same order. The queue must be empty before the first one. */
  restore(ticket: Ticket): void {
    this.#enter(ticket).tickets.pushBack(ticket);
  }

  /** Lets retried requests go to the endpoints again that could not take them. */
  forgetExclusions(): void {
    const retried: Ticket[] = [];
    for (const lane of this.#lanes.values()) {
      if (lane.excluded.length === 0) continue;
      for (let ticket = lane.tickets.head; ticket; ticket = ticket.next) retried.push(ticket);
    }
    // What is retried is excluded from where it was, so these were retried after everything that stands in lanes
    // without exclusions. Their ranks are lower: put in front one by one, the last first, all lanes stay sorted.
    retried.sort((left, right) => right.rank - left.rank);
    for (const ticket of retried) {
      this.remove(ticket);
      ticket.excluded = [];
      this.#enter(ticket).tickets.pushFront(ticket);
    }
  }

  /** Since when the oldest one is in this queue's kind of waiting; null: none is. */
  oldestUs(): number | null {
    let oldestUs: number | null = null;
    for (const sinceUs of this.oldestByPool().values()) oldestUs = Math.min(oldestUs ?? sinceUs, sinceUs);
    return oldestUs;
  }

  /** The same by the class that they are counted in, those without left out. Walks over retried requests only. */
  oldestByPool(): ReadonlyMap<ClassPool, number> {
    if (this.size === 0) return nothingHeld;
    const oldest = new Map<ClassPool, number>();
    for (const { acceptance, tickets } of this.#lanes.values()) {
      const [pool] = acceptance.pools;
      for (let ticket = tickets.head; ticket; ticket = ticket.next) {
        const sinceUs = ordinarySinceUs(ticket);
        if (sinceUs < (oldest.get(pool) ?? Infinity)) oldest.set(pool, sinceUs);
        if (ticket.rank > 0) break;
      }
    }
    return oldest;
  }

  *#tickets(): Generator<Ticket> {
    for (const { tickets } of this.#lanes.values()) {
      for (let ticket = tickets.head; ticket; ticket = ticket.next) yield ticket;
    }
  }

  #enter(ticket: Ticket): Lane {
    const key = laneKey(ticket);
    let lane = this.#lanes.get(key);
    if (!lane) {
      lane = { key, acceptance: ticket.acceptance, excluded: ticket.excluded, tickets: new LinkedList() };
      this.#lanes.set(key, lane);
    }
    ticket.lane = lane;
    this.size++;
    if (isTurned(ticket)) this.turned++;
    this.bytes += ticket.request.bufferedBytes;
    return lane;
  }
}

const nothingHeld: ReadonlyMap<ClassPool, number> = new Map();

function isTurned({ deferral, arrivedUs }: Ticket): boolean {
  return deferral !== null && (deferral.turnedUs ?? 0) > arrivedUs;
}

function laneKey({ acceptance, excluded }: Ticket): string {
  if (excluded.length === 0) return acceptance.key;
  return JSON.stringify([acceptance.key, ...excluded.map((endpoint) => endpoint.replica).sort()]);
}
