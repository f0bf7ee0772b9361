import { EventQueue } from './eventQueue.ts';

/**
 * Promise callbacks that one event can set off in a row: an alarm → a round → a question to the sources → their answer →
 * the round that rests on it → the driver's answer. Longer chains (saving memories) decide nothing; they go on at the next
 * event. The number is part of the run: another one is another order of events.
 */
const settleTurns = 8;
const settled = Promise.resolve();

export type EventHandler = (subject: number, life: number) => void;

/** Requests that come in from outside, in order of time. */
export interface Arrivals {
  /** Of the next one; infinity: there is none. */
  nextUs: number;
  /** Lets the next one come in; true: call `refill` before anything else. */
  arrive(): boolean;
  refill(): Promise<void>;
}

/**
 * Virtual time in whole microseconds: the queue of events, the stream of arrivals, and the promises of the engine in
 * between. What happens at one moment happens in the order in which it was asked for, events before arrivals.
 */
export class Kernel {
  readonly #queue = new EventQueue();
  readonly #handlers: EventHandler[] = [];
  readonly #letters: (() => void)[] = [];
  #touched = false;
  readonly #settlesAll: boolean;
  nowUs = 0;
  /** Events and arrivals so far. */
  steps = 0;

  /** `settlesAll`: chains of promises of any length end before time moves on; that takes longer. */
  constructor({ settlesAll = false }: { settlesAll?: boolean } = {}) {
    this.#settlesAll = settlesAll;
  }

  /** A new kind of event; its number is for `put`. */
  kind(handler: EventHandler): number {
    return this.#handlers.push(handler) - 1;
  }

  put(atUs: number, kind: number, subject = 0, life = 0): void {
    this.#queue.put(atUs > this.nowUs ? atUs : this.nowUs, kind, subject, life);
  }

  /** Has something told to the engine after the present event, in the order of the calls and before time moves. */
  tell(letter: () => void): void {
    this.#letters.push(letter);
  }

  /** The engine was called: its promises are due before time moves. */
  touch(): void {
    this.#touched = true;
  }

  /** Lets everything that was told and promised happen. */
  async settle(): Promise<void> {
    while (this.#touched || this.#letters.length > 0) {
      this.#touched = false;
      if (this.#letters.length > 0) {
        const letters = this.#letters.splice(0);
        for (const letter of letters) letter();
      }
      // The event loop goes on only when no promise is left to be kept.
      if (this.#settlesAll) await new Promise(setImmediate);
      else for (let turn = 0; turn < settleTurns; turn++) await settled;
    }
  }

  /** Runs until `isOver` says so, which is asked before time moves on to the moment it is told. */
  async run(arrivals: Arrivals, isOver: (nextUs: number) => boolean): Promise<void> {
    const queue = this.#queue;
    for (;;) {
      const eventUs = queue.nextUs();
      const arrivalUs = arrivals.nextUs;
      if (eventUs <= arrivalUs) {
        if (eventUs === Number.POSITIVE_INFINITY || isOver(eventUs)) return;
        this.nowUs = eventUs;
        queue.take();
        (this.#handlers[queue.kind] as EventHandler)(queue.subject, queue.life);
      } else {
        this.nowUs = arrivalUs;
        if (arrivals.arrive()) await arrivals.refill();
      }
      this.steps++;
      if (this.#touched || this.#letters.length > 0) await this.settle();
    }
  }
}
