import fc from 'fast-check';
import { expect, test } from 'vitest';
import { choose, priced } from './choose.ts';
import { runSpot, specOf } from './spot.fixture.ts';
import { spotStep } from './spotStep.ts';
import type { SpotMemory, SpotObservation } from './types.ts';

const ids = ['a', 'b', 'c', 'd'];
const markets = ids.map((id, index) => ({ id, zone: id, pricePerHourMicro: 300_000 + 20_000 * index }));

const observations = fc.array(
  fc.record({
    stepMs: fc.integer({ min: 0, max: 8 * 3_600_000 }),
    wanted: fc.integer({ min: 0, max: 40 }),
    counts: fc.array(fc.record({ ready: fc.nat(12), starting: fc.nat(4) }), { minLength: 4, maxLength: 4 }),
    onDemand: fc.record({ ready: fc.nat(12), starting: fc.nat(4) }),
    events: fc.array(fc.record({ type: fc.constantFrom('lost' as const, 'refused' as const), at: fc.nat(4) }), {
      maxLength: 4,
    }),
  }),
  { minLength: 1, maxLength: 25 },
);
const settings = fc.record({
  onDemandFloor: fc.oneof(
    fc.record({ count: fc.nat(6) }),
    fc.record({ share: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100) }),
  ),
  fallback: fc.boolean(),
  spread: fc.constantFrom('zone' as const, 'none' as const),
  overProvision: fc.oneof(fc.constant('auto' as const), fc.nat(5)),
  startMs: fc.constantFrom(0, 60_000, 600_000),
});

test('whatever happens: whole numbers, the floor, no more in a paused market, enough with the fallback, the same each time', () => {
  fc.assert(
    fc.property(settings, observations, (change, steps) => {
      const spec = { ...specOf(change), markets };
      let memory: SpotMemory | null = null;
      let nowMs = 1_764_000_000_000;
      for (const { stepMs, wanted, counts, onDemand, events } of steps) {
        nowMs += stepMs;
        const observation: SpotObservation = {
          ...{ nowMs, wanted, onDemand },
          spot: counts.map((count, index) => ({ market: ids[index] ?? '', ...count })),
          events: events.map(({ type, at }) => ({ type, market: ids[at] ?? 'unknown', atMs: nowMs })),
        };
        const kept: SpotMemory | null = memory === null ? null : JSON.parse(JSON.stringify(memory));
        const decision = spotStep(spec, memory, observation);
        expect(spotStep(spec, kept, observation)).toEqual(decision);
        const floor =
          'count' in spec.onDemandFloor
            ? Math.min(wanted, spec.onDemandFloor.count)
            : Math.ceil(spec.onDemandFloor.share * wanted - 1e-9);
        expect(decision.onDemand).toBeGreaterThanOrEqual(floor);
        expect(Number.isInteger(decision.onDemand)).toBe(true);
        expect(decision.revisitAtMs).toBeGreaterThan(nowMs);
        expect(decision.risk).toBeGreaterThanOrEqual(0);
        expect(decision.risk).toBeLessThanOrEqual(1);
        const spot = decision.spot.reduce((sum, { count }) => sum + count, 0);
        if (spec.fallback) expect(spot + decision.onDemand).toBeGreaterThanOrEqual(wanted);
        for (const { market, count } of decision.spot) {
          const { ready = 0, starting = 0 } = counts[ids.indexOf(market)] ?? {};
          const isPaused = decision.memory.markets.some(
            ({ id, pausedUntilMs }) => id === market && pausedUntilMs > nowMs,
          );
          if (isPaused) expect(count).toBeLessThanOrEqual(ready + starting);
          expect(Number.isInteger(count) && count >= 0).toBe(true);
        }
        memory = decision.memory;
      }
    }),
    { numRuns: 150 },
  );
});

test('the choice costs no more than all on demand, nor than any other that is drawn', () => {
  const market = fc.record({
    have: fc.nat(4),
    most: fc.nat(9),
    price: fc.integer({ min: 1, max: 900 }),
    losses: fc.double({ min: 0, max: 3, noNaN: true }),
  });
  fc.assert(
    fc.property(
      fc.array(market, { minLength: 1, maxLength: 4 }),
      fc.nat(12),
      fc.integer({ min: 0, max: 100_000 }),
      (drawn, wanted, shortPriceMicro) => {
        const question = {
          wanted,
          markets: drawn.map(({ have, most, price, losses }, index) => ({
            ...{ id: ids[index] ?? '', have, most, pricePerHourMicro: price, lossesPerHour: losses },
          })),
          onDemand: { price: 1000, have: 0, least: 0, most: wanted },
          ...{ extra: null, isSpread: false, startMs: 300_000, shortPriceMicro },
        };
        const best = choose(question);
        expect(best.costMicro).toBeLessThanOrEqual(priced(question, new Map(), wanted).costMicro);
        for (const { id, most } of question.markets) {
          expect(best.spot.get(id) ?? 0).toBeLessThanOrEqual(most);
          if (most < wanted) continue;
          const alone = priced(question, new Map([[id, wanted]]), 0);
          expect(best.costMicro).toBeLessThanOrEqual(alone.costMicro + 1e-6);
        }
      },
    ),
  );
});

test('each outage of one zone costs one start at most, and all of it less than all on demand', () => {
  const outages = fc.array(fc.record({ zone: fc.nat(2), hours: fc.double({ min: 0.2, max: 6, noNaN: true }) }), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(outages, fc.integer({ min: 2, max: 12 }), (drawn, wanted) => {
      const zones: Record<string, [number, number][]> = { a: [], b: [], c: [] };
      for (const [index, { zone, hours }] of drawn.entries()) {
        // Far enough apart for what replaces a zone to be ready and to have held.
        zones[ids[zone] ?? 'a']?.push([12 + 12 * index, 12 + 12 * index + hours]);
      }
      const { total } = runSpot(specOf(), zones, { wanted, hours: 62 });
      expect(total.shortMs).toBeLessThanOrEqual(drawn.length * 300_000);
      expect(total.cost).toBeLessThan(1);
    }),
    { numRuns: 6 },
  );
});
