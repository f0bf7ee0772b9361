import type { MetricsAddress, Reading } from '@ebb/core';
import { llmSignals, type SloLlmTrigger, type SloPolicySpec, type WorkloadSpec } from '@ebb/documents';
import { messageOf } from '../replicaActions.ts';
import type { EnginePorts } from '../types.ts';
import { FleetReadings, type FleetScrape } from './fleetReadings.ts';

/** A replica that can be asked. */
export interface MetricsTarget {
  replica: string;
  class: string;
  host: string;
  port: number;
}

export interface MetricsFollowerOptions {
  ports: Pick<EnginePorts, 'clock' | 'metrics'>;
  policy: SloPolicySpec;
  metrics: NonNullable<SloPolicySpec['metrics']>;
  /** Ready replicas now. */
  targets(): MetricsTarget[];
  /** New readings are there. */
  onNews(): void;
}

/** An answer must come within this share of the interval, so that rounds do not pile up. */
const timeoutShare = 0.9;
const longestTimeoutMs = 2000;
/** As long as the requests of the gateway are averaged over, with which they are compared. */
const shortestWindowMs = 1000;

/** The policy whose replicas' metrics are read for a workload; null: none is. */
export function metricsPolicyOf({ scaling }: WorkloadSpec): Pick<MetricsFollowerOptions, 'policy' | 'metrics'> | null {
  const { policy, paused } = scaling;
  return policy?.type === 'slo' && policy.metrics && !paused ? { policy, metrics: policy.metrics } : null;
}

/**
 * Reads the metrics of a workload's ready replicas in rounds: all at once, each within its time, and the next round an
 * interval after the last one began. Without a ready replica nothing happens until `follow` is called again.
 */
export class MetricsFollower {
  readonly #options: MetricsFollowerOptions;
  readonly #fleet: FleetReadings;
  #readings: Reading[] = [];
  #cancel: (() => void) | null = null;
  #isReading = false;
  #closed = false;

  constructor(options: MetricsFollowerOptions) {
    this.#options = options;
    const { policy, metrics } = options;
    const windows = policy.triggers.map(({ windowMs }) => windowMs);
    this.#fleet = new FleetReadings({
      server: metrics.server,
      triggers: policy.triggers.filter(isLlm),
      countsTimes: policy.objective !== undefined,
      windowMs: Math.max(shortestWindowMs, ...windows),
    });
  }

  /** Begins rounds where there is something to read and none are under way. */
  follow(): void {
    if (this.#closed || this.#isReading || this.#cancel || this.#options.targets().length === 0) return;
    // After the turn: whoever observes is in the middle of one.
    this.#next(this.#options.ports.clock.nowMs());
  }

  /** What is new since this was last called. */
  takeReadings(): Reading[] {
    return this.#readings.splice(0);
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#cancel = null;
    this.#readings = [];
  }

  #next(atMs: number): void {
    this.#cancel = this.#options.ports.clock.at(atMs, () => {
      this.#cancel = null;
      void this.#round();
    });
  }

  async #round(): Promise<void> {
    const { ports, metrics, targets, onNews } = this.#options;
    const begunMs = ports.clock.nowMs();
    const asked = targets();
    if (this.#closed || asked.length === 0) return;
    this.#isReading = true;
    const scrapes = await Promise.all(asked.map((target) => this.#scrape(target)));
    this.#isReading = false;
    if (this.#closed) return;
    const nowMs = ports.clock.nowMs();
    // One that has ended meanwhile is not missing.
    const still = new Set(targets().map(({ replica }) => replica));
    const present = scrapes.filter(({ replica }) => still.has(replica));
    this.#readings.push(...this.#fleet.take(present, nowMs));
    this.#next(Math.max(nowMs + 1, begunMs + metrics.intervalMs));
    onNews();
  }

  async #scrape({ replica, class: className, host, port }: MetricsTarget): Promise<FleetScrape> {
    const { ports, metrics } = this.#options;
    const address: MetricsAddress = { host, port: metrics.port ?? port, path: metrics.path };
    const timeoutMs = Math.min(longestTimeoutMs, Math.round(metrics.intervalMs * timeoutShare));
    try {
      if (!ports.metrics) throw new Error('metrics of replicas cannot be read here');
      const text = await ports.metrics.scrape(address, timeoutMs);
      return { replica, class: className, page: { text } };
    } catch (error) {
      return { replica, class: className, page: { error: messageOf(error) } };
    }
  }
}

function isLlm(trigger: SloPolicySpec['triggers'][number]): trigger is SloLlmTrigger {
  return llmSignals.some((signal) => signal === trigger.type);
}
