import type { Kernel } from '../kernel/kernel.ts';

/** The cadence of the live gateway (its `limits.countsMs` and `limits.heartbeatMs`). */
const countsUs = 50_000;
const heartbeatUs = 1_000_000;
/** A report that may leave at once leaves after this: what happens in the same turn belongs into it. */
const leastDelayUs = 1000;

/**
 * When the counts of which workloads leave: soon after a change, each second while something is held or in service, and
 * empty ones otherwise, so that silence means that the gateway is gone. Nothing gets lost on a simulated link, so idle
 * workloads are not repeated.
 */
export class CountsReport {
  readonly #kernel: Kernel;
  readonly #send: (workloads: number[]) => void;
  readonly #isBusy: (workload: number) => boolean;
  readonly #flushKind: number;
  readonly #isChanged: Uint8Array;
  #changed: number[] = [];
  #active: number[] = [];
  #isDue = false;
  #lastUs = -countsUs;

  constructor(
    kernel: Kernel,
    workloads: number,
    isBusy: (workload: number) => boolean,
    send: (workloads: number[]) => void,
    onBeat: () => void,
  ) {
    this.#kernel = kernel;
    this.#send = send;
    this.#isBusy = isBusy;
    this.#isChanged = new Uint8Array(workloads);
    this.#flushKind = kernel.kind(() => {
      this.#isDue = false;
      this.#report(this.#takeChanged());
    });
    const beat = kernel.kind(() => {
      kernel.put(kernel.nowUs + heartbeatUs, beat);
      this.#beat();
      onBeat();
    });
    kernel.put(heartbeatUs, beat);
  }

  changed(workload: number): void {
    if (this.#isChanged[workload] === 0) {
      this.#isChanged[workload] = 1;
      this.#changed.push(workload);
    }
    if (this.#isDue) return;
    this.#isDue = true;
    this.#kernel.put(Math.max(this.#kernel.nowUs + leastDelayUs, this.#lastUs + countsUs), this.#flushKind);
  }

  #beat(): void {
    const workloads = this.#active.filter((workload) => this.#isChanged[workload] === 0);
    workloads.push(...this.#takeChanged());
    this.#report(workloads);
  }

  #takeChanged(): number[] {
    const changed = this.#changed;
    for (const workload of changed) this.#isChanged[workload] = 0;
    this.#changed = [];
    return changed;
  }

  #report(workloads: number[]): void {
    if (workloads.length > 0) {
      const named = new Set(workloads);
      this.#active = this.#active.filter((workload) => !named.has(workload));
      for (const workload of workloads) if (this.#isBusy(workload)) this.#active.push(workload);
    }
    this.#lastUs = this.#kernel.nowUs;
    this.#send(workloads);
  }
}
