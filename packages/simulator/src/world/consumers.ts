import type { WorkloadSpec } from '@ebb/documents';
import type { BrokerQueues, Consumer } from './brokerQueue.ts';
import type { SimulatedReplica } from './fleet.ts';
import type { ServiceTime } from './serviceTime.ts';

export interface QueueWorkload {
  /** Its number in the rehearsal. */
  number: number;
  classes: WorkloadSpec['classes'];
}

/**
 * Replicas as consumers of a broker's queue: each takes messages from the moment it is ready, as many at once as its class
 * has slots, and takes no more once it is told to end. What it has by then it finishes within its termination grace.
 */
export class ReplicaConsumers {
  readonly #queues: BrokerQueues;
  readonly #slots: number;
  readonly #workloads: ReadonlyMap<string, QueueWorkload>;
  readonly #services: ReadonlyMap<string, ServiceTime> | null;
  readonly #consumers = new Map<string, Consumer>();

  /**
   * `slots`: of a replica of the model; `workloads`: those that consume a queue, by key; `services`: lengths of classes that
   * have their own.
   */
  constructor(
    queues: BrokerQueues,
    slots: number,
    workloads: ReadonlyMap<string, QueueWorkload>,
    services: ReadonlyMap<string, ServiceTime> | null,
  ) {
    this.#queues = queues;
    this.#slots = slots;
    this.#workloads = workloads;
    this.#services = services;
  }

  ready({ id, workload, class: className, factor }: SimulatedReplica): void {
    const known = this.#workloads.get(workload);
    if (!known) return;
    const promised = known.classes.find(({ name }) => name === className)?.concurrency ?? 0;
    const prefetch = promised === 0 ? this.#slots : Math.min(promised, this.#slots);
    const service = this.#services?.get(className) ?? null;
    this.#consumers.set(id, this.#queues.join({ workload: known.number, prefetch, factor, service }));
  }

  /** It does nothing any more, and nobody knows. */
  hung({ id }: SimulatedReplica): void {
    const consumer = this.#consumers.get(id);
    if (consumer) this.#queues.hang(consumer);
  }

  /** SIGTERM: microseconds until it has done what it has. */
  stopping({ id }: SimulatedReplica): number {
    const consumer = this.#consumers.get(id);
    return consumer ? this.#queues.leave(consumer) : 0;
  }

  ended({ id }: SimulatedReplica): void {
    const consumer = this.#consumers.get(id);
    if (!consumer) return;
    this.#consumers.delete(id);
    this.#queues.end(consumer);
  }
}
