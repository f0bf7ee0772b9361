import type { DispatchCounts } from '@ebb/core';
import { nowUs } from './clock.ts';
import type { Send } from './events.ts';
import { limits } from './limits.ts';

export interface CountsSource {
  counts(workload: string, atUs: number): DispatchCounts | null;
  takePeaks(workload: string): void;
  workloads(): Iterable<string>;
}

/**
 * Tells the control plane the absolute counts of each workload: soon after a change (at once when the last report is
 * old enough), each second while something is in flight or held, and in turn for the idle ones, so that a lost
 * report heals and silence means that the gateway is gone.
 */
export class CountsReport {
  readonly #gateway: string;
  readonly #send: Send;
  readonly #source: CountsSource;
  readonly #changed = new Set<string>();
  /** In flight or held when last reported: time alone changes their integrals. */
  readonly #active = new Set<string>();
  #idle: string[] = [];
  #lastUs = 0;
  #timer: NodeJS.Timeout | null = null;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(gateway: string, source: CountsSource, send: Send) {
    this.#gateway = gateway;
    this.#source = source;
    this.#send = send;
    this.#heartbeat = setInterval(() => this.#beat(), limits.heartbeatMs);
    this.#heartbeat.unref();
  }

  /** Something about the workload changed: its counts leave within `limits.countsMs`. */
  changed(workload: string): void {
    this.#changed.add(workload);
    if (this.#timer) return;
    const ageMs = (nowUs() - this.#lastUs) / 1000;
    const delayMs = Math.max(0, limits.countsMs - ageMs);
    // Never inside the caller: what it is in the middle of belongs into the same report.
    this.#timer = setTimeout(() => this.flush(), delayMs);
  }

  /** What changed goes out now. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#report(changed);
  }

  /** Everything goes out now: for a control plane that has just come. */
  all(): void {
    this.#changed.clear();
    this.#report([...this.#source.workloads()]);
  }

  forget(workload: string): void {
    this.#changed.delete(workload);
    this.#active.delete(workload);
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
  }

  #beat(): void {
    if (this.#idle.length === 0) this.#idle = [...this.#source.workloads()];
    const idle = this.#idle.splice(0, limits.idleCounts);
    this.#report([...new Set([...this.#active, ...this.#changed, ...idle])]);
    this.#changed.clear();
  }

  #report(workloads: string[]): void {
    const counts: DispatchCounts[] = [];
    const atUs = nowUs();
    for (const workload of workloads) {
      const one = this.#source.counts(workload, atUs);
      if (!one) continue;
      counts.push(one);
      if (Object.values(one.classes).some((numbers) => numbers.inFlight + numbers.held > 0)) this.#active.add(workload);
      else this.#active.delete(workload);
    }
    this.#lastUs = atUs;
    if (!this.#send({ type: 'counts', gateway: this.#gateway, atUs, counts })) return;
    for (const { workload } of counts) this.#source.takePeaks(workload);
  }
}
