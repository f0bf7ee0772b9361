import { keyText, type ScaledJobStatus, type SystemStatus, type WatchEvent, type WorkloadStatus } from '@ebb/documents';
import { Curve } from './curve.ts';
import { narrate, narrateJobs, type Story } from './narrate.ts';
import type { WorkloadCurves } from './workloadPanel.ts';

/** What is known of a running Ebb from its status and its watch stream: the state behind the live view and the lines. */
export class LiveState {
  #system: SystemStatus;
  readonly #workloads = new Map<string, WorkloadStatus>();
  readonly #jobs = new Map<string, ScaledJobStatus>();
  readonly #curves = new Map<string, { replicas: Curve; demand: Curve }>();

  constructor(system: SystemStatus) {
    this.#system = system;
    for (const workload of system.workloads) this.#take(workload, system.at);
    for (const jobs of system.scaledJobs ?? []) this.#takeJobs(jobs);
  }

  /** Takes in a whole status again, as after a lost stream. */
  replace(system: SystemStatus): Story[] {
    this.#system = system;
    const keys = new Set(system.workloads.map(keyText));
    for (const key of this.#workloads.keys()) if (!keys.has(key)) this.#workloads.delete(key);
    const jobs = system.scaledJobs ?? [];
    const jobKeys = new Set(jobs.map(keyText));
    for (const key of this.#jobs.keys()) if (!jobKeys.has(key)) this.#jobs.delete(key);
    return [
      ...system.workloads.flatMap((workload) => this.#take(workload, system.at)),
      ...jobs.flatMap((one) => this.#takeJobs(one)),
    ];
  }

  /** Takes in one event and gives what is to be told of it. */
  apply(event: WatchEvent): Story[] {
    if (event.type === 'status') return this.#take(event.status, event.at);
    if (event.type === 'jobs') return this.#takeJobs(event.status);
    if (event.type === 'document' && event.kind === 'ScaledJob' && event.action === 'deleted') {
      this.#jobs.delete(event.key);
    }
    if (event.type === 'deleted') {
      const gone = this.#workloads.get(event.workload);
      this.#workloads.delete(event.workload);
      this.#curves.delete(event.workload);
      return gone ? [{ workload: gone.name, text: 'is deleted', tone: 'quiet' }] : [];
    }
    return [];
  }

  status(): SystemStatus {
    const workloads = [...this.#workloads.values()];
    return { ...this.#system, workloads, scaledJobs: [...this.#jobs.values()] };
  }

  workload(key: string): WorkloadStatus | null {
    return this.#workloads.get(key) ?? null;
  }

  curves(nowMs: number): Map<string, WorkloadCurves> {
    return new Map(
      [...this.#curves].map(([key, { replicas, demand }]) => [
        key,
        { replicas: replicas.values(nowMs), demand: demand.values(nowMs) },
      ]),
    );
  }

  #takeJobs(jobs: ScaledJobStatus): Story[] {
    const key = keyText(jobs);
    const before = this.#jobs.get(key) ?? null;
    this.#jobs.set(key, jobs);
    return narrateJobs(before, jobs);
  }

  #take(workload: WorkloadStatus, atMs: number): Story[] {
    const key = keyText(workload);
    const before = this.#workloads.get(key) ?? null;
    this.#workloads.set(key, workload);
    const curves = this.#curves.get(key) ?? { replicas: new Curve(), demand: new Curve() };
    this.#curves.set(key, curves);
    curves.replicas.record(atMs, workload.replicas.ready + workload.replicas.draining);
    curves.demand.record(atMs, workload.inFlight + workload.held);
    return narrate(before, workload);
  }
}
