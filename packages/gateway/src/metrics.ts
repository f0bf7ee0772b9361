import type { DispatchCounts } from '@ebb/core';

const holdBuckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const deferredBuckets = [1, 10, 60, 300, 900, 3600, 14_400, 43_200, 86_400];
const addedBuckets = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25];

class Histogram {
  readonly #bounds: number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(bounds: number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.#sum += value;
    this.#count += 1;
    const index = this.#bounds.findIndex((bound) => value <= bound);
    if (index >= 0) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  lines(name: string, labels: string): string[] {
    let below = 0;
    const buckets = this.#bounds.map((bound, index) => {
      below += this.#counts[index] ?? 0;
      return `${name}_bucket{${labels},le="${bound}"} ${below}`;
    });
    return [
      ...buckets,
      `${name}_bucket{${labels},le="+Inf"} ${this.#count}`,
      `${name}_sum{${labels}} ${this.#sum}`,
      `${name}_count{${labels}} ${this.#count}`,
    ];
  }
}

interface WorkloadMetrics {
  hold: Histogram;
  /** Null until a request was deferred. */
  deferred: Histogram | null;
  added: Histogram;
  refusals: Map<string, number>;
}

/** What the gateway counts beside the dispatcher, and the text of `/-/metrics`. Labels: only workloads that exist. */
export class GatewayMetrics {
  readonly #workloads = new Map<string, WorkloadMetrics>();

  held(workload: string, waitedUs: number): void {
    this.#of(workload).hold.observe(waitedUs / 1e6);
  }

  deferred(workload: string, deferredUs: number): void {
    const metrics = this.#of(workload);
    metrics.deferred ??= new Histogram(deferredBuckets);
    metrics.deferred.observe(deferredUs / 1e6);
  }

  forwarded(workload: string, addedUs: number): void {
    this.#of(workload).added.observe(addedUs / 1e6);
  }

  /** `workload` is empty where none was found. */
  refused(workload: string, code: string): void {
    const { refusals } = this.#of(workload);
    refusals.set(code, (refusals.get(code) ?? 0) + 1);
  }

  forget(workload: string): void {
    this.#workloads.delete(workload);
  }

  /** Prometheus text format. */
  text(counts: DispatchCounts[]): string {
    const lines: string[] = [];
    const metric = (name: string, type: string, help: string, samples: string[]): void => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples);
    };
    metric(
      'ebb_gateway_requests_total',
      'counter',
      'Requests that are over, by outcome.',
      counts.flatMap(({ workload, requests }) =>
        (['succeeded', 'failed', 'refused', 'cancelled'] as const).map(
          (outcome) => `ebb_gateway_requests_total{${label(workload)},outcome="${outcome}"} ${requests[outcome]}`,
        ),
      ),
    );
    for (const [name, help, field] of [
      ['ebb_gateway_in_flight', 'Requests that a replica works on now.', 'inFlight'],
      ['ebb_gateway_held', 'Requests that wait for a replica now.', 'held'],
    ] as const) {
      const samples = counts.flatMap(({ workload, classes }) =>
        Object.entries(classes).map(
          ([className, numbers]) => `${name}{${label(workload)},class="${escape(className)}"} ${numbers[field]}`,
        ),
      );
      metric(name, 'gauge', help, samples);
    }
    for (const [name, help, field] of [
      ['ebb_gateway_deferred_in_flight', 'Deferrable requests that a replica works on now.', 'inFlight'],
      ['ebb_gateway_deferred', 'Deferrable requests that wait for free slots now.', 'waiting'],
    ] as const) {
      const samples = counts.flatMap(({ workload, deferred }) =>
        deferred ? [`${name}{${label(workload)}} ${deferred[field]}`] : [],
      );
      metric(name, 'gauge', help, samples);
    }
    const entries = [...this.#workloads];
    metric(
      'ebb_gateway_refusals_total',
      'counter',
      'Requests the gateway answered itself, by the code of the problem.',
      entries.flatMap(([workload, { refusals }]) =>
        [...refusals].map(
          ([code, count]) => `ebb_gateway_refusals_total{${label(workload)},code="${escape(code)}"} ${count}`,
        ),
      ),
    );
    metric(
      'ebb_gateway_hold_seconds',
      'histogram',
      'How long held requests waited for a replica.',
      entries.flatMap(([workload, { hold }]) => hold.lines('ebb_gateway_hold_seconds', label(workload))),
    );
    metric(
      'ebb_gateway_deferred_seconds',
      'histogram',
      'How long deferrable requests waited for free slots.',
      entries.flatMap(
        ([workload, { deferred }]) => deferred?.lines('ebb_gateway_deferred_seconds', label(workload)) ?? [],
      ),
    );
    metric(
      'ebb_gateway_added_seconds',
      'histogram',
      'Time in the gateway before a request was handed to its replica, without the wait for one.',
      entries.flatMap(([workload, { added }]) => added.lines('ebb_gateway_added_seconds', label(workload))),
    );
    return `${lines.join('\n')}\n`;
  }

  #of(workload: string): WorkloadMetrics {
    let metrics = this.#workloads.get(workload);
    if (!metrics) {
      metrics = {
        hold: new Histogram(holdBuckets),
        deferred: null,
        added: new Histogram(addedBuckets),
        refusals: new Map(),
      };
      this.#workloads.set(workload, metrics);
    }
    return metrics;
  }
}

function label(workload: string): string {
  return `workload="${escape(workload)}"`;
}

function escape(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
