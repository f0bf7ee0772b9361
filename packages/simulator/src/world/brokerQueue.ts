import type { Kernel } from '../kernel/kernel.ts';
import type { RequestListener } from './gateway.ts';
import { RequestTable } from './requestTable.ts';
import type { ServiceTime } from './serviceTime.ts';

/** Whoever takes messages from a queue: a replica, or the run of a Job. */
export interface Consumer {
  readonly workload: number;
  /** Unacknowledged messages that it may have at once. */
  readonly prefetch: number;
  /** How many times longer its services take. */
  readonly factor: number;
  /** Lengths of its services, where its class has its own. */
  readonly service: ServiceTime | null;
  /** Messages that it has taken and not acknowledged. */
  readonly rows: Set<number>;
  /** It takes no more than so many from now on. */
  mayTake: number;
}

export interface ConsumerTerms {
  workload: number;
  prefetch: number;
  factor: number;
  service?: ServiceTime | null;
  /** Messages that it takes in its life. Left out: as many as come. */
  mayTake?: number;
  /** It has acknowledged one. */
  onAcknowledged?: () => void;
}

interface Queue {
  /** Never taken, oldest first, from `first` on. */
  fresh: number[];
  first: number;
  /** Given back, oldest first: these go before the others. */
  returned: number[];
  unacknowledged: number;
  consumers: (Consumer & { onAcknowledged: () => void })[];
  /** Who is asked first when the next message comes. */
  turn: number;
  /** Of all consumers together: messages that may be taken at once. */
  room: number;
}

/** Fewer than this are not worth a tidy-up. */
const leastTaken = 1024;

/**
 * The queues of a broker, one for each workload that consumes one. Messages are given out in the order they came, to the
 * consumers in turn, each up to its prefetch; a service takes its time, and its end acknowledges the message. What a consumer
 * has when it ends goes back to the head of the queue, in the order it came, and the work on it is lost. So a message is
 * acknowledged exactly once, and worked on at least once.
 */
export class BrokerQueues {
  readonly #kernel: Kernel;
  readonly #listener: RequestListener;
  readonly #onChange: (workload: number) => void;
  readonly #queues: Queue[];
  readonly #table = new RequestTable();
  /** By row: who has it. */
  readonly #holders: (Queue['consumers'][number] | null)[] = [];
  readonly #doneKind: number;
  #messages = 0;

  constructor(
    kernel: Kernel,
    workloads: number,
    listener: RequestListener,
    onChange: (workload: number) => void = () => {},
  ) {
    this.#kernel = kernel;
    this.#listener = listener;
    this.#onChange = onChange;
    this.#queues = Array.from({ length: workloads }, () => ({
      fresh: [],
      first: 0,
      returned: [],
      unacknowledged: 0,
      consumers: [],
      turn: 0,
      room: 0,
    }));
    this.#doneKind = kernel.kind((row, life) => this.#done(row, life));
  }

  /** Messages that are not acknowledged. */
  get open(): number {
    return this.#table.open;
  }

  /** Messages of a workload that nobody has taken. */
  waiting(workload: number): number {
    const { fresh, first, returned } = this.#queue(workload);
    return fresh.length - first + returned.length;
  }

  /** Messages of a workload that somebody has taken and not acknowledged. */
  unacknowledged(workload: number): number {
    return this.#queue(workload).unacknowledged;
  }

  /** A message comes in. `serviceUs`: how long the work on it takes; `outputTokens`: −1 where that is not known. */
  publish(workload: number, serviceUs: number, outputTokens = -1): void {
    const table = this.#table;
    const row = table.take();
    table.originUs[row] = this.#kernel.nowUs;
    table.serviceUs[row] = serviceUs;
    table.workload[row] = workload;
    table.number[row] = this.#messages++;
    table.tokens[row] = outputTokens;
    this.#holders[row] = null;
    this.#queue(workload).fresh.push(row);
    this.#listener.entered(this.#kernel.nowUs);
    this.#deliver(workload);
    this.#onChange(workload);
  }

  /** A consumer begins to take messages, at once where some wait. */
  join(terms: ConsumerTerms): Consumer {
    const { workload, prefetch, factor, service = null, mayTake = Infinity, onAcknowledged = () => {} } = terms;
    const queue = this.#queue(workload);
    const consumer = { workload, prefetch, factor, service, mayTake, onAcknowledged, rows: new Set<number>() };
    queue.consumers.push(consumer);
    queue.room += roomOf(consumer);
    this.#deliver(workload);
    this.#onChange(workload);
    return consumer;
  }

  /** It takes no more. Microseconds until it has acknowledged what it has; 0: it has nothing. */
  leave(consumer: Consumer): number {
    const queue = this.#queue(consumer.workload);
    queue.room -= roomOf(consumer);
    consumer.mayTake = 0;
    let lastUs = this.#kernel.nowUs;
    for (const row of consumer.rows) lastUs = Math.max(lastUs, this.#endUs(row, consumer));
    return lastUs - this.#kernel.nowUs;
  }

  /** It takes and acknowledges nothing any more, and keeps what it has. */
  hang(consumer: Consumer): void {
    this.leave(consumer);
    const { life } = this.#table;
    for (const row of consumer.rows) life[row] = (life[row] as number) + 1;
  }

  /** It is gone: what it has not acknowledged goes back. */
  end(consumer: Consumer): void {
    const { workload, rows } = consumer;
    const queue = this.#queue(workload);
    queue.room -= roomOf(consumer);
    consumer.mayTake = 0;
    const index = queue.consumers.findIndex((one) => one === consumer);
    if (index < 0) return;
    queue.consumers.splice(index, 1);
    if (index < queue.turn) queue.turn--;
    if (rows.size === 0) return;
    const { originUs, life } = this.#table;
    for (const row of rows) {
      life[row] = (life[row] as number) + 1;
      this.#holders[row] = null;
      queue.returned.push(row);
    }
    queue.unacknowledged -= rows.size;
    rows.clear();
    queue.returned.sort((left, right) => (originUs[left] as number) - (originUs[right] as number));
    this.#deliver(workload);
    this.#onChange(workload);
  }

  #deliver(workload: number): void {
    const queue = this.#queue(workload);
    while (queue.room > 0) {
      const row = takeFirst(queue);
      if (row === null) return;
      const consumer = nextConsumer(queue);
      queue.room -= roomOf(consumer);
      consumer.mayTake--;
      consumer.rows.add(row);
      queue.room += roomOf(consumer);
      queue.unacknowledged++;
      this.#holders[row] = consumer;
      this.#table.beganUs[row] = this.#kernel.nowUs;
      this.#kernel.put(this.#endUs(row, consumer), this.#doneKind, row, this.#table.life[row] as number);
    }
  }

  #endUs(row: number, { factor, service }: Consumer): number {
    const { beganUs, serviceUs, number, tokens } = this.#table;
    const output = tokens[row] as number;
    const lengthUs = service ? service(number[row] as number, output < 0 ? null : output) : (serviceUs[row] as number);
    return (beganUs[row] as number) + Math.round(lengthUs * factor);
  }

  #done(row: number, life: number): void {
    const table = this.#table;
    const consumer = this.#holders[row];
    if (table.life[row] !== life || !consumer) return;
    const { workload, rows } = consumer;
    const queue = this.#queue(workload);
    const { nowUs } = this.#kernel;
    queue.room -= roomOf(consumer);
    rows.delete(row);
    queue.room += roomOf(consumer);
    queue.unacknowledged--;
    this.#holders[row] = null;
    this.#listener.served(workload, table.originUs[row] as number, table.beganUs[row] as number, nowUs);
    this.#listener.left(nowUs);
    table.release(row);
    consumer.onAcknowledged();
    this.#deliver(workload);
    this.#onChange(workload);
  }

  #queue(workload: number): Queue {
    const queue = this.#queues[workload];
    if (!queue) throw new RangeError(`there is no queue ${workload}; there are ${this.#queues.length}`);
    return queue;
  }
}

function roomOf({ mayTake, prefetch, rows }: Consumer): number {
  return Math.max(0, Math.min(mayTake, prefetch - rows.size));
}

/** The next in turn that may take one; there is one. */
function nextConsumer(queue: Queue): Queue['consumers'][number] {
  const { consumers } = queue;
  for (let step = 0; step < consumers.length; step++) {
    const index = (queue.turn + step) % consumers.length;
    const consumer = consumers[index];
    if (!consumer || roomOf(consumer) === 0) continue;
    queue.turn = index + 1;
    return consumer;
  }
  throw new Error('no consumer has room for a message');
}

function takeFirst(queue: Queue): number | null {
  const back = queue.returned.shift();
  if (back !== undefined) return back;
  const row = queue.fresh[queue.first];
  if (row === undefined) return null;
  queue.first++;
  if (queue.first >= leastTaken && 2 * queue.first >= queue.fresh.length) {
    queue.fresh = queue.fresh.slice(queue.first);
    queue.first = 0;
  }
  return row;
}
