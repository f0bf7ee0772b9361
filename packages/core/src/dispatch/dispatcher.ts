import { assert } from './assert.ts';
import { Deadlines } from './deadlines.ts';
import { Prng } from './prng.ts';
import { refusals } from './refusals.ts';
import type {
  CompletionOutcome,
  DispatchCounts,
  DispatchEndpoint,
  Dispatcher,
  DispatchEvent,
  DispatchRequest,
  DispatchWorkload,
} from './types.ts';
import { type Shared, WorkloadDispatch } from './workload.ts';

/**
 * The state machine behind the gateway: for each request the replica that gets it, whether it waits, or why it is
 * turned away. The same seed and calls give the same events.
 *
 * Every call that changes something first ends what is past its hold time or deadline and turns what is due, so that the outcome does not
 * depend on how punctual the caller's timer is. A time before the latest one counts as the latest one. Calls about
 * ids or workloads that are not known (any more) do nothing. An id may be used again only after its end. Throws
 * `DispatchInvariantError` on what only a bug can cause, before anything was changed where the caller is at fault.
 */
export function createDispatcher(seed: number): Dispatcher {
  return new WorkloadsDispatcher(seed);
}

class WorkloadsDispatcher implements Dispatcher {
  readonly #workloads = new Map<string, WorkloadDispatch>();
  readonly #shared: Shared;
  #nowUs = 0;

  constructor(seed: number) {
    this.#shared = { random: new Prng(seed), deadlines: new Deadlines(), tickets: new Map() };
  }

  configure(nowUs: number, workload: DispatchWorkload): DispatchEvent[] {
    const events = this.tick(nowUs);
    const known = this.#workloads.get(workload.key);
    if (known) known.configure(this.#nowUs, workload, events);
    else this.#workloads.set(workload.key, new WorkloadDispatch(workload, this.#shared));
    return events;
  }

  remove(nowUs: number, key: string): DispatchEvent[] {
    const events = this.tick(nowUs);
    const workload = this.#workloads.get(key);
    workload?.remove(this.#nowUs, events);
    if (workload) this.#forgetIfOver(key, workload);
    return events;
  }

  setEndpoints(nowUs: number, key: string, endpoints: DispatchEndpoint[]): DispatchEvent[] {
    const events = this.tick(nowUs);
    const workload = this.#workloads.get(key);
    if (workload && !workload.isRemoved) workload.setEndpoints(this.#nowUs, endpoints, events);
    return events;
  }

  arrive(nowUs: number, request: DispatchRequest): DispatchEvent[] {
    assert(!this.#shared.tickets.has(request.id), `request ${request.id} arrived a second time`);
    const events = this.tick(nowUs);
    const workload = this.#workloads.get(request.workload);
    if (workload && !workload.isRemoved) workload.arrive(this.#nowUs, request, events);
    else events.push({ type: 'refused', id: request.id, refusal: refusals.unknownWorkload(request.workload) });
    return events;
  }

  complete(nowUs: number, id: number, outcome: CompletionOutcome): DispatchEvent[] {
    const events = this.tick(nowUs);
    const ticket = this.#shared.tickets.get(id);
    if (!ticket) return events;
    const workload = this.#workloadOf(ticket.request);
    workload.complete(this.#nowUs, ticket, outcome, events);
    this.#forgetIfOver(ticket.request.workload, workload);
    return events;
  }

  retry(nowUs: number, id: number): DispatchEvent[] {
    const events = this.tick(nowUs);
    const ticket = this.#shared.tickets.get(id);
    if (!ticket) return events;
    const workload = this.#workloadOf(ticket.request);
    workload.retry(this.#nowUs, ticket, events);
    this.#forgetIfOver(ticket.request.workload, workload);
    return events;
  }

  cancel(nowUs: number, id: number): DispatchEvent[] {
    return this.complete(nowUs, id, 'cancelled');
  }

  tick(nowUs: number): DispatchEvent[] {
    this.#advance(nowUs);
    const events: DispatchEvent[] = [];
    const { deadlines } = this.#shared;
    for (let ticket = deadlines.firstDue(this.#nowUs); ticket; ticket = deadlines.firstDue(this.#nowUs)) {
      this.#workloadOf(ticket.request).due(this.#nowUs, ticket, events);
    }
    return events;
  }

  nextDeadlineUs(): number | null {
    return this.#shared.deadlines.nextUs();
  }

  counts(nowUs: number, key: string): DispatchCounts | null {
    this.#advance(nowUs);
    return this.#workloads.get(key)?.counts(this.#nowUs) ?? null;
  }

  takePeaks(key: string): void {
    this.#workloads.get(key)?.takePeaks();
  }

  #advance(nowUs: number): void {
    assert(Number.isSafeInteger(nowUs), `times are whole microseconds, found ${nowUs}`);
    if (nowUs > this.#nowUs) this.#nowUs = nowUs;
  }

  #workloadOf({ id, workload }: DispatchRequest): WorkloadDispatch {
    const found = this.#workloads.get(workload);
    assert(found !== undefined, `request ${id} outlived its workload ${workload}`);
    return found;
  }

  /** A removed workload stays until nothing of it is in flight; its counts begin anew if it comes back later. */
  #forgetIfOver(key: string, workload: WorkloadDispatch): void {
    if (workload.isRemoved && workload.isIdle) this.#workloads.delete(key);
  }
}
