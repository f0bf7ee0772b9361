import type { JournalRecord } from '@ebb/core';
import type { RunResult } from '../contract/result.ts';
import { Digest } from '../kernel/digest.ts';
import { WaitSketch } from '../kernel/waitSketch.ts';
import type { FleetListener, SimulatedReplica } from '../world/fleet.ts';
import type { BilledRun } from '../world/runs.ts';
import type { RequestListener } from '../world/gateway.ts';
import { StepCurve } from './stepCurve.ts';
import { WaitCurve } from './waitCurve.ts';

const microsecondsPerHour = 3_600_000_000n;

/** Micro-units of the currency for an hour of one replica of a class; null: no price is known. */
export type Price = (workload: string, className: string) => number | null;

/** What is known of a run while it goes on. No figure of it becomes less until the end. */
export interface RunSoFar {
  nowMs: number;
  /** Requests that began too late or were given up; those still waiting are not in it. */
  late: number;
  /** Billed until now, of replicas that run as well. */
  replicaSeconds: number;
  /** Whole micro-units of the currency; null: no price is known. */
  costMicro: string | null;
}

/**
 * Everything that is counted of a run, in memory that does not grow with it: sums, sketches, curves by bucket and the
 * digest. Requests are told from the gateway, replicas from the fleet, decisions from the journal on its way out.
 */
export class Books implements RequestListener, Omit<FleetListener, 'hung'> {
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
  readonly #deferrable = { requests: 0, served: 0, onTime: 0, waits: new WaitSketch() };
  #requests = 0;
  #served = 0;
  #onTime = 0;
  #lost = 0;
  #coldStarts = 0;
  #replicaUs = 0;
  #slotUs = 0;
  #microUs: bigint | null = 0n;
  /** Of the replicas that run now: how many, the sum of the moments at which they were asked for, and both by price. */
  readonly #running = { count: 0, askedUs: 0, price: 0n, priceAskedUs: 0n };

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

  /** One of those that arrived may be deferred. */
  arrivedDeferrable(): void {
    this.#deferrable.requests++;
  }

  entered(nowUs: number): void {
    this.#demand.change(nowUs, 1);
  }

  left(nowUs: number): void {
    this.#demand.change(nowUs, -1);
  }

  served(workload: number, originUs: number, beganUs: number, endUs: number, deferUntilUs: number | null = null): void {
    const waitUs = beganUs - originUs;
    const isOnTime = deferUntilUs === null ? waitUs <= this.#onTimeUs : beganUs <= deferUntilUs;
    this.#served++;
    if (isOnTime) this.#onTime++;
    this.#slotUs += endUs - beganUs;
    if (deferUntilUs === null) {
      this.#waits.add(waitUs);
      this.#waitCurve.add(originUs, waitUs);
    } else {
      const deferrable = this.#deferrable;
      deferrable.served++;
      if (isOnTime) deferrable.onTime++;
      deferrable.waits.add(waitUs);
    }
    this.#note(workload, originUs, beganUs, endUs);
  }

  lost(workload: number, originUs: number, nowUs: number): void {
    this.#lost++;
    this.#note(workload, originUs, nowUs, 0);
  }

  asked(replica: SimulatedReplica | BilledRun, isCold: boolean): void {
    const { askedUs } = replica;
    if (isCold) this.#coldStarts++;
    this.#runs(replica, 1);
    this.#billed.change(askedUs, 1);
  }

  ready({ seen }: SimulatedReplica | BilledRun): void {
    this.#ready.change(seen.readyAtUs ?? 0, 1);
  }

  ended(replica: SimulatedReplica | BilledRun, wasReady: boolean): void {
    const { askedUs, endedUs, workload, class: className } = replica;
    this.#runs(replica, -1);
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

  soFar(nowUs: number): RunSoFar {
    const { count, askedUs, price, priceAskedUs } = this.#running;
    const microUs = this.#microUs === null ? null : this.#microUs + price * BigInt(nowUs) - priceAskedUs;
    return {
      nowMs: nowUs / 1000,
      late: this.#served - this.#onTime + this.#lost,
      replicaSeconds: (this.#replicaUs + count * nowUs - askedUs) / 1e6,
      costMicro: microUs === null ? null : wholeMicro(microUs),
    };
  }

  result(nowUs: number): Omit<RunResult, 'trace' | 'policy' | 'seed' | 'currency'> {
    const buckets = Math.max(1, Math.ceil(nowUs / this.#bucketUs));
    const seconds = (index: number) => Math.min(this.#bucketUs, nowUs - index * this.#bucketUs) / 1e6;
    return {
      requests: this.#requests,
      served: this.#served,
      onTime: this.#onTime,
      waitMs: summaryOf(this.#waits),
      ...this.#deferrableResult(),
      coldStarts: this.#coldStarts,
      replicaSeconds: this.#replicaUs / 1e6,
      mostReplicas: this.#billed.most,
      servedSlotSeconds: this.#slotUs / 1e6,
      costMicro: this.#microUs === null ? null : wholeMicro(this.#microUs),
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

  #runs({ askedUs, workload, class: className }: SimulatedReplica | BilledRun, change: 1 | -1): void {
    const running = this.#running;
    running.count += change;
    running.askedUs += change * askedUs;
    const price = this.#price(workload, className);
    if (price === null) {
      this.#microUs = null;
      return;
    }
    running.price += BigInt(change * price);
    running.priceAskedUs += BigInt(change * price) * BigInt(askedUs);
  }

  #deferrableResult(): Pick<RunResult, 'deferrable'> {
    const { waits, ...counts } = this.#deferrable;
    return counts.requests === 0 ? {} : { deferrable: { ...counts, waitMs: summaryOf(waits) } };
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

function wholeMicro(microUs: bigint): string {
  return String((microUs + microsecondsPerHour / 2n) / microsecondsPerHour);
}

function summaryOf(waits: WaitSketch): RunResult['waitMs'] {
  return {
    p50: waits.quantileMs(0.5),
    p95: waits.quantileMs(0.95),
    p99: waits.quantileMs(0.99),
    max: waits.mostMs(),
    mean: waits.meanMs(),
  };
}
