import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base, minute, Run, reading, second } from './algorithms.fixture.ts';
import { decideBySlo, type SloDecisionSpec } from './slo.ts';
import { defaultSloSettings } from './sloSettings.ts';
import { defaultSloDecrease, defaultSloIncrease, type SloTrigger } from './sloTriggers.ts';

const steps = { windowMs: 30 * second, increase: defaultSloIncrease, decrease: defaultSloDecrease };
const latency: SloTrigger = { type: 'responseTime', name: 'p95', aboveMs: 500, belowMs: 250, ...steps };

const spec = (more: Partial<SloDecisionSpec> = {}): SloDecisionSpec => ({
  policy: 'slo',
  ...base,
  ...defaultSloSettings,
  triggers: [latency],
  maxReplicas: 50,
  startTimeMs: 20 * second,
  ...more,
});

const start = 1_000_000;

/** A service whose response time grows as its replicas fill up, and whose replicas take a while to start. */
class Service extends Run<SloDecisionSpec> {
  seconds = 0;
  ready: number;
  readonly counts: number[] = [];
  readonly #starting: { atMs: number; to: number }[] = [];
  readonly #startMs: number;

  constructor(one: SloDecisionSpec, startMs: number, ready = 1) {
    super(decideBySlo, one);
    this.#startMs = startMs;
    this.ready = ready;
  }

  go(seconds: number, demand: number): void {
    for (let i = 0; i < seconds; i++) {
      const nowMs = start + this.seconds * second;
      for (const one of this.#starting.filter(({ atMs }) => atMs <= nowMs)) this.ready = Math.max(this.ready, one.to);
      const busy = Math.min(0.98, demand / (10 * Math.max(1, this.ready)));
      const slower = 1 / (1 - busy);
      const readings = [
        reading('p95', nowMs, demand > 0 ? 100 * slower : 0),
        // By Little's law more are in flight when each takes longer; the rate is what callers ask.
        reading('concurrency', nowMs, demand * slower),
        reading('requestRate', nowMs, demand),
        reading('rate', nowMs, demand),
      ];
      const before = this.last?.replicas ?? this.ready;
      const wanted = this.at(nowMs, { ready: this.ready, inFlight: Math.round(demand), readings });
      if (wanted > before) this.#starting.push({ atMs: nowMs + this.#startMs, to: wanted });
      if (wanted < before) {
        for (const one of this.#starting) one.to = Math.min(one.to, wanted);
        this.ready = Math.min(this.ready, wanted);
      }
      this.counts.push(wanted);
      this.seconds++;
    }
  }

  changes(): number {
    return this.counts.filter((count, i) => i > 0 && count !== this.counts[i - 1]).length;
  }
}

describe('with dead time', () => {
  it('does not ask again for what is still starting', () => {
    const service = new Service(spec(), 60 * second);
    service.go(5 * 60, 18);
    // One replica is over; two are 90 % busy and over; four are enough. Each step waits for the one before.
    const changedAt = service.counts.flatMap((count, i) => (i > 0 && count !== service.counts[i - 1] ? [i] : []));
    expect(changedAt.length).toBeGreaterThan(0);
    for (const [i, at] of changedAt.entries()) {
      const before = changedAt[i - 1];
      if (before !== undefined) expect(at - before).toBeGreaterThanOrEqual(60 + 30);
    }
  });

  it('learns how long a start takes', () => {
    const service = new Service(spec({ startTimeMs: second }), 45 * second);
    service.go(4 * 60, 18);
    const state = service.memory?.state as { learnedStartMs: number };
    expect(state.learnedStartMs).toBeGreaterThanOrEqual(45 * second);
  });

  it('ends in a constant count under constant demand', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 40 }), (demand, startSeconds) => {
        const service = new Service(spec(), startSeconds * second);
        service.go(90 * 60, demand);
        const settled = service.counts.slice(-30 * 60);
        expect(new Set(settled).size).toBe(1);
        const busy = demand / (10 * (settled[0] ?? 0));
        expect(100 / (1 - busy)).toBeLessThanOrEqual(500 + 1e-6);
        expect(busy).toBeLessThan(1);
      }),
      { numRuns: 15 },
    );
  });
});

describe('throughput', () => {
  const throughput: SloTrigger = {
    type: 'throughput',
    name: 'rate',
    abovePerReplica: 10,
    belowPerReplica: 6,
    ...steps,
  };

  it('sizes for the rate, up and down', () => {
    const service = new Service(spec({ triggers: [throughput] }), second);
    service.go(10 * 60, 75);
    expect(service.counts.at(-1)).toBe(8);
    service.go(20 * 60, 20);
    expect(service.counts.at(-1)).toBe(3);
  });

  it('adds up the classes', () => {
    const run = new Run(decideBySlo, spec({ classes: ['a', 'b'], triggers: [throughput] }));
    const seen = { ready: 1, starting: 0, draining: 0, failed: 0, inFlight: 1, held: 0 };
    for (let s = 0; s < 3; s++) {
      const atMs = start + s * second;
      const readings = [reading('rate', atMs, 15, { class: 'a' }), reading('rate', atMs, 15, { class: 'b' })];
      run.at(atMs, { readings, more: { classes: { a: seen, b: seen } } });
    }
    expect(run.last?.reasons.find((one) => one.code.startsWith('slo-'))?.data.value).toBe(15);
  });
});

describe('several triggers', () => {
  it('give the largest of what they ask', () => {
    const wait: SloTrigger = { type: 'queueWait', name: 'wait', aboveMs: 100, belowMs: 10, ...steps };
    const run = new Run(decideBySlo, spec({ triggers: [latency, wait] }));
    const seen = { ready: 4, inFlight: 4, readings: [reading('p95', start, 100), reading('wait', start, 1000)] };
    expect(run.at(start, seen)).toBe(8);
  });

  it('take the worst class of a time', () => {
    const run = new Run(decideBySlo, spec({ classes: ['a', 'b'] }));
    const seen = { ready: 2, starting: 0, draining: 0, failed: 0, inFlight: 1, held: 0 };
    const readings = [reading('p95', start, 100, { class: 'a' }), reading('p95', start, 750, { class: 'b' })];
    expect(run.at(start, { readings, more: { classes: { a: seen, b: seen } } })).toBe(6);
  });
});

describe('at rest', () => {
  it('keeps the last replica for its keep-alive, and then none', () => {
    const service = new Service(spec({ minReplicas: 0, keepAliveMs: 2 * minute }), second);
    service.go(60, 3);
    service.go(119, 0);
    expect(service.counts.at(-1)).toBe(1);
    service.go(5, 0);
    expect(service.counts.at(-1)).toBe(0);
    expect(service.last?.revisitAtMs).toBeNull();
  });

  it('is woken at once', () => {
    const run = new Run(decideBySlo, spec({ minReplicas: 0 }));
    expect(run.at(start, {})).toBe(0);
    expect(run.at(start + 3, { held: 1 })).toBe(1);
  });

  it('shrinks though nobody calls, for then nothing is slow', () => {
    const run = new Run(decideBySlo, spec());
    run.at(start, { ready: 5, inFlight: 1, readings: [reading('p95', start, 300)] });
    for (let s = 1; s < 1000; s++) run.at(start + s * second, { ready: run.last?.replicas ?? 0 });
    expect(run.last?.replicas).toBe(1);
  });

  it('holds while the gateway is silent', () => {
    const run = new Run(decideBySlo, spec());
    run.at(start, { ready: 5, inFlight: 1, readings: [reading('p95', start, 300)] });
    for (let s = 1; s < 1000; s++) run.at(start + s * second, { ready: 5, more: { countsKnown: false } });
    expect(run.last?.replicas).toBe(5);
  });
});
