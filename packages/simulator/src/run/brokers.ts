import type { Driver, TriggerRequest } from '@ebb/core';
import { keyText } from '@ebb/documents';
import type { WorldModel } from '../contract/model.ts';
import type { Draws } from '../kernel/draws.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimulatedClock } from '../kernel/simulatedClock.ts';
import type { QueueCount } from '../world/brokerCount.ts';
import { BrokerQueues } from '../world/brokerQueue.ts';
import { ReplicaConsumers } from '../world/consumers.ts';
import { withRuns } from '../world/driver.ts';
import type { Fleet } from '../world/fleet.ts';
import type { RequestListener } from '../world/gateway.ts';
import { JobRuns, type RunListener } from '../world/runs.ts';
import type { ServiceTime } from '../world/serviceTime.ts';
import type { Scenario } from './scenario.ts';

export interface BrokersOptions {
  kernel: Kernel;
  clock: SimulatedClock;
  model: WorldModel;
  draws: Draws;
  scenario: Scenario;
  /** Lengths of service of the classes that have their own; null: no class has. */
  services: ReadonlyMap<string, ServiceTime> | null;
  books: RequestListener & RunListener;
  onChange: (workload: number) => void;
}

/** What of a rehearsal does not pass the gateway: the queues of brokers, the replicas that consume them, and Jobs. */
export class Brokers {
  readonly replicas: ReplicaConsumers;
  readonly #scenario: Scenario;
  readonly #queues: BrokerQueues;
  /** Null: there is no ScaledJob. */
  readonly #runs: JobRuns | null;
  readonly #jobs = new Map<string, number>();

  constructor({ kernel, clock, model, draws, scenario, services, books, onChange }: BrokersOptions) {
    const { workloads, documents } = scenario;
    this.#scenario = scenario;
    this.#queues = new BrokerQueues(kernel, workloads.length, books, onChange);
    const consuming = new Map(
      workloads.flatMap((one, number) =>
        one.source === 'queue' ? [[keyText(one.key), { number, classes: one.workload.classes }] as const] : [],
      ),
    );
    this.replicas = new ReplicaConsumers(this.#queues, model.concurrency, consuming, services);
    for (const [number, { source, key }] of workloads.entries()) {
      if (source === 'jobs') this.#jobs.set(keyText(key), number);
    }
    const workloadOf = (owner: string) => this.#jobs.get(owner) ?? null;
    // Where there are replicas, it is their machines that are taken away.
    const isPreempted = workloads.every(({ source }) => source === 'jobs');
    this.#runs = documents.some(({ kind }) => kind === 'ScaledJob')
      ? new JobRuns({ kernel, clock, model, draws, queues: this.#queues, listener: books, workloadOf, isPreempted })
      : null;
  }

  /** Messages that are not acknowledged. */
  get open(): number {
    return this.#queues.open;
  }

  /** A request of the trace comes in; false: it is for the gateway. */
  publish(workload: number, serviceUs: number, outputTokens: number): boolean {
    if (this.#scenario.workloads[workload]?.source === 'gateway') return false;
    this.#queues.publish(workload, serviceUs, outputTokens);
    return true;
  }

  /** Null: the gateway has what waits for this workload. */
  queueOf(workload: number): QueueCount | null {
    const source = this.#scenario.workloads[workload]?.source;
    if (source === undefined || source === 'gateway') return null;
    return { waiting: this.#queues.waiting(workload), unacknowledged: this.#queues.unacknowledged(workload) };
  }

  /** Number of the workload that a document scales. */
  workloadOf({ kind, key }: Pick<TriggerRequest, 'kind' | 'key'>): number | null {
    const numbers = kind === 'ScaledJob' ? this.#jobs : this.#scenario.scaledBy;
    return numbers.get(keyText(key)) ?? null;
  }

  driver(fleet: Fleet): Driver {
    return this.#runs ? withRuns(fleet, this.#runs) : fleet;
  }

  /** The rehearsal is over. */
  finish(): void {
    this.#runs?.close();
  }
}
