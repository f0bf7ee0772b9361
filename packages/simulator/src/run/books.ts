import type { JournalRecord } from '@ebb/core';
import type { RunResult } from '../contract/result.ts';
import { Digest } from '../kernel/digest.ts';
import { WaitSketch } from '../kernel/waitSketch.ts';
import type { FleetListener, SimulatedReplica } from '../world/fleet.ts';
import type { RequestListener } from '../world/gateway.ts';
import { StepCurve } from './stepCurve.ts';
import { WaitCurve } from './waitCurve.ts';

const microsecondsPerHour = 3_600_000_000n;

/** Micro-units of the currency for an hour of one replica of a class; null: no price is known. */
export type Price = (workload: string, className: string) => number | null;

/**
 * Everything that is counted of a run, in memory that does not grow with it: sums, sketches, curves by bucket and the
 * digest. Requests are told from the gateway, replicas from the fleet, decisions from the journal on its way out.
 */
export class Books implements RequestListener, FleetListener {
  readonly #onTimeUs: number;
  readonly #bucketUs: number;
  readonly #price: Price;
  readonly #demand: StepCurve;
  readonly #ready: StepCurve;
  readonly #billed: StepCurve;
  readonly #waits = new WaitSketch();
  readonly #waitCurve: WaitCurve;
  readonly #arrivals: number[] = [];
  /** Requests and decisions each have their own, so that it does not matter when the journal is written. */
  readonly #requestDigest = new Digest();
  readonly #decisionDigest = new Digest();
  #requests = 0;
  #served = 0;
  #onTime = 0;
  #coldStarts = 0;
  #replicaUs = 0;
  #slotUs = 0;
  #microUs: bigint | null = 0n;

  constructor(onTimeMs: number, bucketMs: number, price: Price) {
    this.#onTimeUs = onTimeMs * 1000;
    this.#bucketUs = bucketMs * 1000;
    this.#price = price;
    this.#demand = new StepCurve(this.#bucketUs);
    this.#ready = new StepCurve(this.#bucketUs);
    this.#billed = new StepCurve(this.#bucketUs);
    this.#waitCurve = new WaitCurve(this.#bucketUs);
  }

  /** A client's request came in for the first time. */
  arrived(nowUs: number): void {
    this.#requests++;
    const bucket = Math.floor(nowUs / this.#bucketUs);
    this.#arrivals[bucket] = (this.#arrivals[bucket] ?? 0) + 1;
  }

  entered(nowUs: number): void {
    this.#demand.change(nowUs, 1);
  }

  left(nowUs: number): void {
    this.#demand.change(nowUs, -1);
  }

  served(workload: number, originUs: number, beganUs: number, endUs: number): void {
    const waitUs = beganUs - originUs;
    this.#served++;
    if (waitUs <= this.#onTimeUs) this.#onTime++;
    this.#slotUs += endUs - beganUs;
    this.#waits.add(waitUs);
    this.#waitCurve.add(originUs, waitUs);
    this.#note(workload, originUs, beganUs, endUs);
  }

  lost(workload: number, originUs: number, nowUs: number): void {
    this.#note(workload, originUs, nowUs, 0);
  }

  asked({ askedUs }: SimulatedReplica, isCold: boolean): void {
    if (isCold) this.#coldStarts++;
    this.#billed.change(askedUs, 1);
  }

  ready({ seen }: SimulatedReplica): void {
    this.#ready.change(seen.readyAtUs ?? 0, 1);
  }

  ended({ askedUs, endedUs, workload, class: className }: SimulatedReplica, wasReady: boolean): void {
    const nowUs = endedUs ?? askedUs;
    this.#billed.change(nowUs, -1);
    if (wasReady) this.#ready.change(nowUs, -1);
    this.#replicaUs += nowUs - askedUs;
    const price = this.#price(workload, className);
    if (this.#microUs === null || price === null) this.#microUs = null;
    else this.#microUs += BigInt(price) * BigInt(nowUs - askedUs);
  }

  recorded(records: readonly JournalRecord[]): void {
    for (const { kind, workload, atMs, body } of records) {
      if (kind !== 'decision' && kind !== 'grant' && kind !== 'action') continue;
      this.#decisionDigest.number(atMs);
      this.#decisionDigest.text(`${kind} ${workload ?? ''} ${JSON.stringify(body)}`);
    }
  }

  result(nowUs: number): Omit<RunResult, 'trace' | 'policy' | 'seed' | 'currency'> {
    const buckets = Math.max(1, Math.ceil(nowUs / this.#bucketUs));
    const seconds = (index: number) => Math.min(this.#bucketUs, nowUs - index * this.#bucketUs) / 1e6;
    return {
      requests: this.#requests,
      served: this.#served,
      onTime: this.#onTime,
      waitMs: {
        p50: this.#waits.quantileMs(0.5),
        p95: this.#waits.quantileMs(0.95),
        p99: this.#waits.quantileMs(0.99),
        max: this.#waits.mostMs(),
        mean: this.#waits.meanMs(),
      },
      coldStarts: this.#coldStarts,
      replicaSeconds: this.#replicaUs / 1e6,
      mostReplicas: this.#billed.most,
      servedSlotSeconds: this.#slotUs / 1e6,
      costMicro:
        this.#microUs === null ? null : String((this.#microUs + microsecondsPerHour / 2n) / microsecondsPerHour),
      spanMs: Math.round(nowUs / 1000),
      curves: {
        bucketMs: this.#bucketUs / 1000,
        arrivals: Float64Array.from({ length: buckets }, (_, index) => (this.#arrivals[index] ?? 0) / seconds(index)),
        demand: this.#demand.means(nowUs, buckets),
        ready: this.#ready.means(nowUs, buckets),
        billed: this.#billed.means(nowUs, buckets),
        waitP99Ms: this.#waitCurve.quantilesMs(0.99, buckets),
      },
      digest: this.#digest(nowUs),
    };
  }

  #note(workload: number, originUs: number, beganUs: number, endUs: number): void {
    this.#requestDigest.number(workload);
    this.#requestDigest.number(originUs);
    this.#requestDigest.number(beganUs);
    this.#requestDigest.number(endUs);
  }

  #digest(nowUs: number): string {
    const whole = new Digest();
    whole.text(this.#requestDigest.toString());
    whole.text(this.#decisionDigest.toString());
    whole.number(nowUs);
    whole.number(this.#replicaUs);
    return whole.toString();
  }
}
