import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base, minute, reading, Run, second } from './algorithms.fixture.ts';
import { decideBySlo, type SloDecisionSpec } from './slo.ts';
import { lateName, timedName } from './sloBudget.ts';
import { capacityFromJson } from './sloCapacity.ts';
import { answersReading, missingReading, tokensReading, waitingReading } from './sloMore.ts';
import { defaultSloSettings } from './sloSettings.ts';
import { defaultSloDecrease, defaultSloIncrease, type SloTrigger } from './sloTriggers.ts';
import { objectOf } from './storedJson.ts';

const steps = { windowMs: 30 * second, increase: defaultSloIncrease, decrease: defaultSloDecrease };
const firstToken: SloTrigger = {
  type: 'timeToFirstToken',
  name: 'timeToFirstToken',
  quantile: 0.95,
  aboveMs: 1000,
  belowMs: 400,
  ...steps,
};
const perToken: SloTrigger = {
  type: 'interTokenLatency',
  name: 'interTokenLatency',
  quantile: null,
  aboveMs: 50,
  belowMs: null,
  ...steps,
};
const cache: SloTrigger = { type: 'kvCacheUse', name: 'kvCacheUse', above: 0.9, below: 0.45, ...steps };
const waiting: SloTrigger = { type: 'waitingRequests', name: 'waitingRequests', above: 4, below: 2, ...steps };

const spec = (more: Partial<SloDecisionSpec> = {}): SloDecisionSpec => ({
  policy: 'slo',
  ...base,
  ...defaultSloSettings,
  triggers: [firstToken, cache, waiting],
  metricsIntervalMs: second,
  maxReplicas: 60,
  startTimeMs: 20 * second,
  ...more,
});

const start = 1_000_000;
const slots = 8;
/** Requests a second and replica. */
const capacity = 4;
const tokensEach = 50;

/** Replicas with eight slots each; what they cannot take waits in their queues. One step is a second. */
class Fleet extends Run<SloDecisionSpec> {
  seconds = 0;
  ready: number;
  queue = 0;
  missing = 0;
  readonly counts: number[] = [];
  readonly firstTokenMs: number[] = [];
  readonly #starting: { atMs: number; to: number }[] = [];
  readonly #startMs: number;
  readonly #past: Record<string, number>[] = [];

  constructor(one: SloDecisionSpec, startMs = 20 * second, ready = 1) {
    super(decideBySlo, one);
    this.#startMs = startMs;
    this.ready = ready;
  }

  get nowMs(): number {
    return start + this.seconds * second;
  }

  go(seconds: number, perSecond: number): void {
    for (let i = 0; i < seconds; i++) this.#second(perSecond);
  }

  changes(from = 0): number {
    return this.counts.slice(from).filter((count, i, all) => i > 0 && count !== all[i - 1]).length;
  }

  sentences(code: string): Record<string, unknown> | undefined {
    return this.last?.reasons.find((reason) => reason.code === code)?.data;
  }

  #second(perSecond: number): void {
    const { nowMs } = this;
    for (const one of this.#starting.filter(({ atMs }) => atMs <= nowMs)) this.ready = Math.max(this.ready, one.to);
    const able = capacity * this.ready;
    const done = Math.min(this.queue + perSecond, able);
    this.queue = Math.max(0, this.queue + perSecond - able);
    const running = Math.min(slots * this.ready, (done / capacity) * slots);
    const tookMs = 100 + (this.queue / Math.max(1, able)) * 1000;
    this.firstTokenMs.push(tookMs);
    this.#past.push({
      timeToFirstToken: tookMs,
      interTokenLatency: 30 + running / Math.max(1, this.ready),
      kvCacheUse: running / (slots * this.ready),
      waitingRequests: this.queue / Math.max(1, this.ready),
      [tokensReading]: done * tokensEach,
      [answersReading]: done,
    });
    if (this.#past.length > 30) this.#past.shift();
    const means = Object.keys(this.#past[0] ?? {}).map((name): [string, number] => {
      return [name, this.#past.reduce((sum, one) => sum + (one[name] ?? 0), 0) / this.#past.length];
    });
    means.push([waitingReading, this.queue]);
    const read = this.missing < this.ready ? means : [];
    const times = done > 0 ? [reading(timedName('timeToFirstToken'), nowMs, done)] : [];
    const late = tookMs > 1000 ? [reading(lateName('timeToFirstToken'), nowMs, done)] : [];
    const readings = [
      reading('requestRate', nowMs, perSecond),
      reading('concurrency', nowMs, running + this.queue),
      reading(missingReading, nowMs, this.missing, { message: 'w-1: nobody listens' }),
      ...read.map(([name, value]) => reading(name, nowMs, value, { spanMs: 0 })),
      ...times,
      ...late,
    ];
    const before = this.last?.replicas ?? this.ready;
    const inFlight = Math.round(running + this.queue);
    const wanted = this.at(nowMs, {
      ready: this.ready,
      starting: Math.max(0, before - this.ready),
      inFlight,
      readings,
    });
    if (wanted > before) this.#starting.push({ atMs: nowMs + this.#startMs, to: wanted });
    if (wanted < before) {
      for (const one of this.#starting) one.to = Math.min(one.to, wanted);
      this.ready = Math.min(this.ready, wanted);
    }
    this.counts.push(wanted);
    this.seconds++;
  }
}

describe('constant load', () => {
  it('ends in a constant count that keeps the marks', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 60 }), (demand, startSeconds) => {
        const fleet = new Fleet(spec(), startSeconds * second);
        fleet.go(50 * 60, demand);
        expect(new Set(fleet.counts.slice(-15 * 60)).size).toBe(1);
        expect(Math.max(...fleet.firstTokenMs.slice(-15 * 60))).toBeLessThanOrEqual(1000);
        // Not more than what keeps the cache under its mark, with one to spare.
        expect(fleet.counts.at(-1)).toBeLessThanOrEqual(Math.ceil(demand / (capacity * 0.45)) + 1);
      }),
      { numRuns: 10 },
    );
  });

  it('that came in a step is within the marks after a few cold starts, whatever one takes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 60 }), fc.integer({ min: 5, max: 60 }), (demand, startSeconds) => {
        const fleet = new Fleet(spec(), startSeconds * second);
        fleet.go(5 * 60, 2);
        const before = fleet.firstTokenMs.length;
        fleet.go(30 * 60, demand);
        // Doubling from one: a start and a window each, and as long again for the queue that grew.
        const doublings = Math.ceil(Math.log2(demand / capacity)) + 1;
        const mended = before + 2 * doublings * (startSeconds + 31);
        expect(Math.max(...fleet.firstTokenMs.slice(mended))).toBeLessThanOrEqual(1000);
      }),
      { numRuns: 10 },
    );
  });
});

describe('the slow loop', () => {
  it('knows after the first time what a load needs, and is there in one step', () => {
    const fleet = new Fleet(spec());
    fleet.go(10 * 60, 24);
    fleet.go(30 * 60, 2);
    expect(fleet.counts.at(-1)).toBeLessThanOrEqual(2);
    const from = fleet.counts.length;
    fleet.go(60, 24);
    const jump = fleet.counts.slice(from);
    expect(Math.max(...jump)).toBeGreaterThanOrEqual(6);
    // The mean of the window is what it goes by, so it is known when the window is full; steps of the triggers alone take longer.
    expect(jump.findIndex((count) => count >= 6)).toBeLessThanOrEqual(30);
    const first = fleet.counts.findIndex((count) => count >= 6);
    expect(first).toBeGreaterThan(45);
  });

  it('says what it went by', () => {
    const fleet = new Fleet(spec());
    fleet.go(10 * 60, 24);
    fleet.go(30 * 60, 2);
    let seen: Record<string, unknown> | undefined;
    for (let i = 0; i < 60 && !seen; i++) {
      fleet.go(1, 24);
      seen = fleet.sentences('slo-floor');
    }
    expect(seen).toMatchObject({ unit: 'tokens' });
    expect(Number(seen?.capacity)).toBeGreaterThan(100);
    expect(Number(seen?.capacity)).toBeLessThanOrEqual(capacity * tokensEach * 1.01);
  });

  it('does not take late answers to callers who have gone for a limit', () => {
    const fleet = new Fleet(spec({ maxReplicas: 3 }));
    // Far more than three can do, until its callers go.
    fleet.go(5 * 60, 40);
    fleet.go(20 * 60, 0);
    expect(fleet.memory?.state).toMatchObject({ more: { capacity: { failed: expect.any(Number) } } });
    const { failed } = capacityFromJson(objectOf(objectOf(objectOf(fleet.memory?.state).more).capacity), 0);
    expect(failed).toBeGreaterThan(capacity * tokensEach * 0.6);
    expect(fleet.counts.at(-1)).toBe(1);
  });

  it('asks for nothing before a limit was met', () => {
    const fleet = new Fleet(spec(), second, 3);
    fleet.go(10 * 60, 3);
    expect(fleet.last?.reasons.map(({ code }) => code)).not.toContain('slo-floor');
    expect(fleet.counts.at(-1)).toBe(1);
  });
});

describe('triggers on what servers publish', () => {
  it('grow for a full cache before a first token is late', () => {
    const fleet = new Fleet(spec());
    fleet.go(20, 2);
    fleet.go(10 * 60, 3.9);
    expect(fleet.counts.at(-1)).toBeGreaterThan(1);
    expect(Math.max(...fleet.firstTokenMs)).toBeLessThan(1000);
  });

  it('have no say in shrinking where they name no lower mark', () => {
    const withTokens = new Fleet(spec({ triggers: [perToken, cache] }), second, 6);
    withTokens.go(20 * 60, 2);
    expect(withTokens.counts.at(-1)).toBeLessThan(6);
    const alone = new Fleet(spec({ triggers: [perToken] }), second, 6);
    alone.go(20 * 60, 2);
    expect(alone.counts.at(-1)).toBe(6);
  });

  it('do not mind that nothing was timed when the replicas can be read, and do when they cannot', () => {
    for (const [missing, wanted] of [[0, 5] as const, [1, 6] as const]) {
      const run = new Run(decideBySlo, spec({ triggers: [firstToken, cache] }));
      const readings = (atMs: number) => [
        reading('kvCacheUse', atMs, 0.1, { spanMs: 0 }),
        reading(missingReading, atMs, missing),
      ];
      for (let i = 0; i < 40; i++)
        run.at(start + i * second, { ready: 6, inFlight: 1, readings: readings(start + i * second) });
      expect([missing, run.last && Math.min(run.last.replicas, wanted)]).toEqual([missing, wanted]);
      expect(run.codes().includes('slo-metrics-missing')).toBe(missing > 0);
    }
  });
});

describe('metrics that cannot be read', () => {
  it.each([1, 4])('hold the count while they are (%d of 4), and let it go afterwards', (missing) => {
    const fleet = new Fleet(spec({ minReplicas: 2 }), second, 4);
    fleet.go(10, 2);
    const held = fleet.counts.at(-1);
    fleet.missing = missing;
    fleet.go(20 * 60, 2);
    expect(fleet.counts.at(-1)).toBe(held);
    expect(fleet.sentences('slo-metrics-missing')).toMatchObject({ missing, why: 'w-1: nobody listens' });
    fleet.missing = 0;
    fleet.go(20 * 60, 2);
    expect(fleet.counts.at(-1)).toBe(2);
  });

  it('that were never read hold it too, and do not keep an idle workload from zero', () => {
    const run = new Run(decideBySlo, spec({ minReplicas: 0, keepAliveMs: minute }));
    for (let i = 0; i < 30; i++) run.at(start + i * second, { ready: 3, inFlight: 1 });
    expect(run.last?.replicas).toBe(3);
    expect(run.codes()).toContain('slo-metrics-missing');
    for (let i = 30; i < 150; i++) run.at(start + i * second, { ready: 3 });
    expect(run.last?.replicas).toBe(0);
  });
});

describe('an objective', () => {
  const objective = { share: 0.99, windowMs: 60 * minute };

  it('stops shrinking while its budget is spent, and lets it be when the window is over', () => {
    const free = new Fleet(spec());
    const bound = new Fleet(spec({ objective }));
    for (const fleet of [free, bound]) {
      fleet.go(5 * 60, 2);
      fleet.go(6 * 60, 30);
      fleet.go(20 * 60, 2);
    }
    expect(free.counts.at(-1)).toBeLessThanOrEqual(2);
    expect(bound.counts.at(-1)).toBeGreaterThan(4);
    expect(bound.sentences('slo-budget-holds')).toMatchObject({ verdict: 'spent' });
    expect(bound.sentences('slo-budget')).toMatchObject({ trigger: 'timeToFirstToken', leftPercent: 0 });
    bound.go(70 * 60, 2);
    expect(bound.counts.at(-1)).toBeLessThanOrEqual(2);
    expect(bound.sentences('slo-budget')).toMatchObject({ leftPercent: 100, verdict: 'plenty' });
  });

  it('takes larger steps down while plenty is left', () => {
    const settle = (more: Partial<SloDecisionSpec>) => {
      const fleet = new Fleet(spec(more), second, 10);
      fleet.go(60, 38);
      const from = fleet.counts.length;
      fleet.go(30 * 60, 4);
      return fleet.counts.slice(from).findIndex((count) => count <= 3);
    };
    const slow = settle({});
    const quick = settle({ objective });
    expect(slow).toBeGreaterThan(0);
    expect(quick).toBeGreaterThan(0);
    expect(quick).toBeLessThan(slow * 0.75);
  });
});

it('keeps its memory under sixteen kilobytes with the longest windows and every trigger', () => {
  const long = { windowMs: 60 * minute };
  const triggers: SloTrigger[] = [firstToken, perToken, cache, waiting].map((one) => ({ ...one, ...long }));
  triggers.push({ type: 'responseTime', name: 'responseTime', aboveMs: 2000, belowMs: null, ...steps, ...long });
  const fleet = new Fleet(spec({ triggers, objective: { share: 0.999, windowMs: 30 * 24 * 60 * minute } }));
  for (let i = 0; i < 1500; i++) fleet.go(1, 5 + Math.sin(i) * Math.PI);
  const bytes = JSON.stringify(fleet.memory).length;
  expect(bytes).toBeGreaterThan(3000);
  expect(bytes).toBeLessThanOrEqual(16_384);
});
