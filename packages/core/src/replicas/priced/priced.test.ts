import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Memory } from '../types.ts';
import { decideByPriced } from './priced.ts';
import { drive, epochMs, type Load, pricedObservation, pricedSpec } from './priced.fixture.ts';
import { pricedTuning } from './tuning.ts';

/** `count` requests at the same second, each so long. */
const burst = (at: number, count: number, service = 2): Load =>
  Array.from({ length: count }, () => [at, service] as const);
const every = (period: number, from: number, to: number, service = 2): Load => {
  const load: [number, number][] = [];
  for (let at = from; at < to; at += period) load.push([at, service]);
  return load;
};
const codes = (memory: Memory | null, ...observation: Parameters<typeof pricedObservation>) => {
  const { decision } = decideByPriced(pricedSpec(), memory, pricedObservation(...observation));
  return { replicas: decision.replicas, codes: decision.reasons.map(({ code }) => code) };
};

describe('what is needed now', () => {
  it('is one replica for the first request, in the same decision', () => {
    const first = decideByPriced(pricedSpec(), null, pricedObservation(epochMs));
    expect(first.decision.replicas).toBe(0);
    expect(codes(first.memory, epochMs + 1000, { held: 1 }, { arrivals: 1, peak: 1 }).replicas).toBe(1);
  });

  it('is what would be in service, not what a cold start has built up', () => {
    // Two requests a second of 2 s each are four slots of eight, though 120 of them wait after a minute.
    const load = [...every(1, 10, 200), ...every(0.5, 90_000, 90_300)];
    const { changes } = drive(pricedSpec({}, { tuning: { ...pricedTuning, backlog: 0 } }), load, 90_300);
    expect(changes.filter(([at]) => at > 80_000).map(([, replicas]) => replicas)).toEqual([1]);
  });

  it('adds replicas for a queue only where they pay for their start', () => {
    const busy = every(0.13, 10, 900);
    const with_ = drive(pricedSpec(), busy, 900);
    const without = drive(pricedSpec({}, { tuning: { ...pricedTuning, backlog: 0 } }), busy, 900);
    expect(with_.late).toBeLessThan(without.late);
    expect(with_.replicaSeconds + 120 * with_.late).toBeLessThan(without.replicaSeconds + 120 * without.late);
  });

  it('is learned from services that still run while few have ended', () => {
    // One short answer is back, ten long ones are not: 1.2 arrivals a second of 60 s need nine replicas.
    const long = every(0.83, 10, 250, 60).map(([at, service], index) => [at, index === 0 ? 0.2 : service] as const);
    const { changes } = drive(pricedSpec(), long, 250);
    expect(Math.max(...changes.filter(([at]) => at < 75).map(([, replicas]) => replicas))).toBeGreaterThanOrEqual(6);
  });
});

describe('what is kept', () => {
  it('costs less than the miss: a dear one is kept longer', () => {
    const lastOff = (count: number) => drive(pricedSpec(), burst(10, count), 40_000).changes.at(-1) ?? [0, -1];
    const [cheapAt, none] = lastOff(1);
    const [dearAt] = drive(pricedSpec(), [...every(0.5, 10, 130)], 40_000).changes.at(-1) ?? [0];
    expect(none).toBe(0);
    expect(dearAt - 130).toBeGreaterThan(2 * (cheapAt - 80));
  });

  it('follows the gaps: kept through those that come, given up when they have been outlasted', () => {
    const regular = drive(pricedSpec(), every(100, 10, 20_000), 30_000);
    // After the first few gaps of 100 s nothing goes off between two requests.
    const offs = regular.changes.filter(([at, replicas]) => replicas === 0 && at > 2_000 && at < 20_000);
    expect(offs).toEqual([]);
    const [end, last] = regular.changes.at(-1) ?? [0, -1];
    expect(last).toBe(0);
    expect(end).toBeLessThan(20_000 + 1_800);
  });

  it('is started ahead of a return that keeps to its time', () => {
    // Twenty requests each hour: after a few hours the replica is there before them, and gone in between.
    const hourly: Load = Array.from({ length: 40 }, (_, hour) => burst(600 + 3600 * hour, 20)).flat();
    const learned = drive(pricedSpec(), hourly, 40 * 3600);
    const off = drive(pricedSpec({}, { tuning: { ...pricedTuning, leastLongGaps: 0 } }), hourly, 40 * 3600);
    expect(learned.late).toBeLessThan(off.late / 2);
    const always = 40 * 3600;
    expect(learned.replicaSeconds).toBeLessThan(0.5 * always);
    const reasonsAhead = learned.changes.filter(([at, replicas]) => replicas > 0 && at % 3600 < 600);
    expect(reasonsAhead.length).toBeGreaterThan(10);
  });

  it('is what the document says where it names a time', () => {
    const { changes } = drive(pricedSpec({ keepAliveMs: 7_200_000, keepAliveGiven: true }), burst(10, 1), 20_000);
    const [off] = changes.filter(([, replicas]) => replicas === 0);
    expect(off?.[0]).toBeGreaterThanOrEqual(7_200);
    expect(off?.[0]).toBeLessThan(7_400);
  });
});

describe('what a late request costs', () => {
  it('is two cold starts, or what the document says by the price of the class', () => {
    const priced = (costOfLatenessMicro: number | null) => {
      const classes = [{ name: 'default', concurrency: 8, pricePerHourMicro: 3_600_000 }];
      return drive(pricedSpec({}, { classes, costOfLatenessMicro }), every(400, 10, 20_000), 20_000);
    };
    // 3.60 an hour: a thousandth a second. 0.12 is worth the two cold starts of the default.
    expect(priced(120_000).changes).toEqual(priced(null).changes);
    expect(priced(1_000_000).late).toBeLessThan(priced(10).late);
    expect(priced(1_000_000).replicaSeconds).toBeGreaterThan(priced(10).replicaSeconds);
  });

  it('is that of a slow start while nobody has seen one', () => {
    const kept = (coldStartMs: number | null) => {
      let memory: Memory | null = null;
      for (const at of [0, 1, 2, 3]) {
        const [held, arrivals] = at === 1 ? [5, 5] : [0, 0];
        const seen = pricedObservation(epochMs + 1000 * at, { held }, { arrivals, coldStartMs });
        memory = decideByPriced(pricedSpec(), memory, seen).memory;
      }
      const later = pricedObservation(epochMs + 600_000, { ready: 1 }, { coldStartMs });
      return decideByPriced(pricedSpec(), memory, later).decision.replicas;
    };
    expect(kept(null)).toBe(kept(120_000));
    expect(kept(null)).toBe(1);
    expect(kept(5_000)).toBe(0);
  });

  it('rises where a promised share is missed, and falls where it is kept', () => {
    let memory = decideByPriced(pricedSpec({}, { onTimeShare: 0.99 }), null, pricedObservation(epochMs)).memory;
    const look = (late: number, arrivals: number, at: number) => {
      const observation = pricedObservation(epochMs + at, { ready: 1, inFlight: 1 }, { arrivals, late });
      memory = decideByPriced(pricedSpec({}, { onTimeShare: 0.99 }), memory, observation).memory;
      return Number(memory['lateScale']);
    };
    expect(look(0, 100, 1000)).toBeCloseTo(0.9);
    expect(look(5, 100, 2000)).toBeCloseTo(0.9 * 1.4);
    expect(look(1, 100, 3000)).toBeCloseTo(0.9 * 1.4);
  });
});

describe('what holds whatever happens', () => {
  it('nothing goes while counts are missing, or while anybody waits', () => {
    const grown = drive(pricedSpec(), every(0.2, 10, 400), 400);
    const now = epochMs + 90_000_000;
    const blind = decideByPriced(pricedSpec(), grown.memory, { ...pricedObservation(now), countsKnown: false });
    expect(blind.decision.replicas).toBe(Number(grown.memory['replicas']));
    expect(blind.decision.reasons.map(({ code }) => code)).toContain('counts-missing');
    expect(codes(grown.memory, now, { ready: 1, held: 1 }).replicas).toBe(Number(grown.memory['replicas']));
  });

  it('begins with what runs or the minimum, whichever is more, and with no more than that while counts are missing', () => {
    const first = (ready: number, initialReplicas: number, countsKnown: boolean) =>
      decideByPriced(pricedSpec({ minReplicas: initialReplicas, initialReplicas }), null, {
        ...pricedObservation(epochMs, { ready }),
        countsKnown,
      }).decision.replicas;
    expect([first(1, 3, false), first(3, 3, false), first(5, 3, false), first(0, 3, false)]).toEqual([3, 3, 5, 3]);
    // With counts, some more than runs until the demand is known; the minimum is no reason for it.
    expect([first(1, 3, true), first(2, 3, true), first(3, 3, true), first(5, 3, true)]).toEqual([3, 3, 4, 7]);
  });

  it('holds as much more once the counts are there, and once only', () => {
    const blind = { ...pricedObservation(epochMs, { ready: 5 }), countsKnown: false };
    let memory = decideByPriced(pricedSpec(), null, blind).memory;
    const later = (at: number, countsKnown: boolean) => {
      const seen = { ...pricedObservation(epochMs + at, { ready: 5 }), countsKnown };
      const answer = decideByPriced(pricedSpec(), JSON.parse(JSON.stringify(memory)) as Memory, seen);
      memory = answer.memory;
      return answer.decision.replicas;
    };
    expect([later(1_000, false), later(2_000, true), later(3_000, true)]).toEqual([5, 7, 7]);
    expect(memory).not.toHaveProperty('foundBlind');
    expect(later(40_000_000, true)).toBe(0);
  });

  it('holds no more for what was asked for meanwhile', () => {
    const blind = decideByPriced(pricedSpec({ minReplicas: 1 }), null, {
      ...pricedObservation(epochMs, {}),
      countsKnown: false,
    });
    expect(blind.decision.replicas).toBe(1);
    const seen = pricedObservation(epochMs + 1_000, { starting: 1 });
    expect(decideByPriced(pricedSpec({ minReplicas: 1 }), blind.memory, seen).decision.replicas).toBe(1);
  });

  it('pause, bounds and schedules are obeyed', () => {
    const of = (scaling: Parameters<typeof pricedSpec>[0]) =>
      decideByPriced(pricedSpec(scaling), null, pricedObservation(epochMs, { held: 500 }, { arrivals: 500 })).decision;
    expect(of({ maxReplicas: 3 }).replicas).toBe(3);
    expect(of({ minReplicas: 4, maxReplicas: 4 }).replicas).toBe(4);
    expect(of({ paused: { replicas: 2 } }).replicas).toBe(2);
  });

  it('a dated event begins a cold start early', () => {
    const events = [{ name: 'launch', factor: 1, minReplicas: 6 }] as unknown as never[];
    const spec = pricedSpec({ events });
    const startMs = epochMs + 3_600_000;
    const reading = { trigger: 'event:launch', class: null, value: 0, peak: null, spanMs: 0, state: 'ok' as const };
    const first = decideByPriced(spec, null, {
      ...pricedObservation(epochMs),
      readings: [{ ...reading, atMs: epochMs, nextChangeMs: startMs }],
    });
    expect(first.decision.replicas).toBe(0);
    expect(first.decision.revisitAtMs).toBe(startMs - 60_000);
    const early = decideByPriced(spec, first.memory, pricedObservation(startMs - 60_000));
    expect(early.decision.replicas).toBe(6);
  });

  it('decisions are whole, within bounds, and the same from stored memory; memory stays small', {
    timeout: 60_000,
  }, () => {
    const step = fc.record({
      afterMs: fc.constantFrom(1, 50, 1000, 1000, 1000, 7_000, 65_000, 400_000, 9_000_000),
      arrivals: fc.constantFrom(0, 0, 1, 5, 40, 400, 3000),
      held: fc.constantFrom(0, 0, 3, 100, 20_000),
      busy: fc.double({ min: 0, max: 1, noNaN: true }),
      answered: fc.constantFrom(0, 1, 30, 400),
      service: fc.constantFrom(1, 200, 2000, 60_000, 900_000),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (steps) => {
        let memory: Memory | null = null;
        let replicas = 0;
        let nowMs = epochMs;
        for (const { afterMs, arrivals, held, busy, answered, service } of steps) {
          nowMs += afterMs;
          const inFlight = Math.floor(busy * replicas * 8);
          const observation = pricedObservation(
            nowMs,
            { ready: replicas, inFlight, held },
            { arrivals, answered, serviceMs: answered * service, peak: inFlight + held, oldestHeldMs: held * 10 },
          );
          const before = JSON.stringify(memory);
          const { decision, memory: next } = decideByPriced(pricedSpec(), memory, observation);
          expect(JSON.stringify(memory)).toBe(before);
          const again = decideByPriced(pricedSpec(), before === 'null' ? null : JSON.parse(before), observation);
          expect(again.decision).toEqual(decision);
          expect(JSON.parse(JSON.stringify(next))).toEqual(next);
          expect(Number.isInteger(decision.replicas)).toBe(true);
          expect(decision.replicas).toBeGreaterThanOrEqual(0);
          expect(decision.replicas).toBeLessThanOrEqual(1000);
          expect(decision.revisitAtMs ?? Number.POSITIVE_INFINITY).toBeGreaterThan(nowMs);
          if (inFlight + held > 0) expect(decision.replicas).toBeGreaterThan(0);
          expect(JSON.stringify(next).length).toBeLessThanOrEqual(16_384);
          memory = next;
          replicas = decision.replicas;
        }
      }),
      { numRuns: 60 },
    );
  });
});
