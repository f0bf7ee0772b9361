import type { CostStatus, SystemStatus, WatchEvent, WorkloadStatus } from '@ebb/documents';
import { type ColdStartStages, coldStartStages } from '../live/coldStartText.ts';
import type { View } from '../live/view.ts';

/** Keeps what a demo wants to know of one workload while it is passed on to a view, and waits for moments. */
export class Observer implements Pick<View, 'begin' | 'event'> {
  readonly #name: string;
  readonly #view: Pick<View, 'begin' | 'event'>;
  readonly #waiting = new Set<() => void>();
  readonly #pids = new Set<number>();
  /** What earlier runs on the same data folder have left in the counters. */
  #baseline: WorkloadStatus | null = null;
  #latest: WorkloadStatus | null = null;
  #firstStart: ColdStartStages | null = null;
  #replicaPeak = 0;
  #peakRatePerHourMicro = 0;

  constructor(name: string, view: Pick<View, 'begin' | 'event'>) {
    this.#name = name;
    this.#view = view;
  }

  get latest(): WorkloadStatus | null {
    return this.#latest;
  }

  /** Most replicas that were ready at once. */
  get replicaPeak(): number {
    return this.#replicaPeak;
  }

  get peakRatePerHourMicro(): number {
    return this.#peakRatePerHourMicro;
  }

  /** What it has cost since the observer began. */
  get cost(): CostStatus | null {
    if (!this.#latest || !this.#baseline) return null;
    const [now, then] = [this.#latest.cost, this.#baseline.cost];
    return {
      ...now,
      soFarMicro: String(BigInt(now.soFarMicro) - BigInt(then.soFarMicro)),
      alwaysOnMicro: String(BigInt(now.alwaysOnMicro) - BigInt(then.alwaysOnMicro)),
      replicaSeconds: toMilliseconds(now.replicaSeconds - then.replicaSeconds),
      alwaysOnReplicaSeconds: toMilliseconds(now.alwaysOnReplicaSeconds - then.alwaysOnReplicaSeconds),
    };
  }

  /** Cold starts since the observer began. */
  get starts(): number {
    return (this.#latest?.coldStarts.count ?? 0) - (this.#baseline?.coldStarts.count ?? 0);
  }

  get firstStart(): ColdStartStages | null {
    return this.#firstStart;
  }

  /** Of every replica seen. */
  get pids(): number[] {
    return [...this.#pids];
  }

  begin(status: SystemStatus): void {
    const found = status.workloads.find((workload) => workload.name === this.#name);
    if (found) this.#take(found);
    this.#view.begin(status);
  }

  event(event: WatchEvent): void {
    if (event.type === 'status' && event.status.name === this.#name) this.#take(event.status);
    this.#view.event(event);
  }

  /** Waits until the condition holds; false when it did not within the time or the signal came first. */
  async until(
    condition: (status: WorkloadStatus) => boolean,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const holds = () => this.#latest !== null && condition(this.#latest);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    return new Promise((resolve) => {
      const finish = (result: boolean) => {
        this.#waiting.delete(check);
        limit.removeEventListener('abort', giveUp);
        resolve(result);
      };
      const check = () => {
        if (holds()) finish(true);
      };
      const giveUp = () => finish(false);
      this.#waiting.add(check);
      limit.addEventListener('abort', giveUp);
      if (limit.aborted) giveUp();
      else check();
    });
  }

  #take(status: WorkloadStatus): void {
    this.#baseline ??= status;
    this.#latest = status;
    this.#replicaPeak = Math.max(this.#replicaPeak, status.replicas.ready);
    this.#peakRatePerHourMicro = Math.max(this.#peakRatePerHourMicro, status.cost.ratePerHourMicro);
    for (const { pid } of status.replicaList) if (pid !== null) this.#pids.add(pid);
    const { last } = status.coldStarts;
    if (this.#firstStart === null && last !== null && this.starts > 0) {
      const stages = coldStartStages(last);
      if (stages.totalUs !== null) this.#firstStart = stages;
    }
    for (const check of this.#waiting) check();
  }
}

/** Seconds without the dust that a difference of binary fractions leaves. */
function toMilliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** Nothing of it runs any more, not even what is just ending. */
export function isAtZero(status: WorkloadStatus): boolean {
  const { wanted, starting, ready, draining } = status.replicas;
  return wanted + starting + ready + draining === 0 && status.replicaList.every(({ phase }) => phase === 'gone');
}
