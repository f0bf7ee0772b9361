import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reason } from '../../explain/reasons.ts';
import type { Reading } from '../types.ts';
import { reading, testObservation } from './algorithms.fixture.ts';
import { type DemandLine, emptyLine, lineFromJson, lineToJson, takeDemand, takeReadings } from './demand.ts';
import { addSegment, dilutedMeanOver, emptyHistory, leastOver, meanOver, peakOver } from './demandHistory.ts';
import { shareByDemand } from './shareByDemand.ts';

const classes = ['a', 'b'];
const of = (name: string, atMs: number, value: number | null, more: Partial<Reading> = {}) =>
  reading('concurrency', atMs, value, { class: name, ...more });

function take(line: DemandLine, nowMs: number, readings: Reading[], held = 0, now = false) {
  const reasons: Reason[] = [];
  const observation = testObservation(nowMs, {}, { readings });
  observation.classes = { a: { ready: 1, starting: 0, draining: 0, failed: 0, inFlight: 0, held } };
  const segments = takeDemand(line, 'concurrency', classes, observation, now, reasons);
  return { segments, codes: reasons.map((reason) => reason.code) };
}

describe('the line of demand', () => {
  it('adds up classes that are read together', () => {
    const { segments } = take(emptyLine(0), 5000, [of('a', 5000, 3, { peak: 9 }), of('b', 5000, 4)]);
    expect(segments).toEqual([{ fromMs: 4000, atMs: 5000, value: 7, peak: 13 }]);
  });

  it('carries a class that was read before', () => {
    const line = emptyLine(0);
    take(line, 5000, [of('a', 5000, 3), of('b', 5000, 4)]);
    expect(take(line, 6000, [of('b', 6000, 1)]).segments).toMatchObject([{ value: 4 }]);
    expect(take(line, 70_000, [of('b', 70_000, 1)]).segments).toMatchObject([{ value: 1 }]);
  });

  it('does not count any time twice', () => {
    const line = emptyLine(0);
    take(line, 5000, [of('a', 5000, 3)]);
    const { segments } = take(line, 6000, [of('a', 6000, 5, { spanMs: 4000 })]);
    expect(segments).toMatchObject([{ fromMs: 5000, atMs: 6000 }]);
    expect(take(line, 6500, [of('a', 5500, 5)])).toEqual({ segments: [], codes: ['reading-out-of-order'] });
  });

  it.each([
    ['missing', of('a', 5000, null, { state: 'missing' })],
    ['not a number', of('a', 5000, Number.NaN)],
    ['absurd', of('a', 5000, 1e300)],
  ])('takes nothing from a reading that is %s', (_name, one) => {
    expect(take(emptyLine(0), 5000, [one])).toEqual({ segments: [], codes: ['reading-unusable'] });
  });

  it('takes the counts of the moment where nothing is read, or when asked to', () => {
    const line = emptyLine(0);
    expect(take(line, 5000, [], 4).segments).toMatchObject([{ fromMs: 4999, atMs: 5000, value: 4 }]);
    expect(take(line, 5500, [], 9).segments).toEqual([]);
    expect(take(line, 5500, [], 9, true).segments).toMatchObject([{ value: 9 }]);
  });

  it('leaves classes out that are not the workload’s, and forgets them', () => {
    const line = emptyLine(0);
    expect(take(line, 5000, [of('other', 5000, 7)]).segments).toEqual([]);
    take(line, 5000, [of('a', 5000, 3), of('b', 5000, 4)]);
    expect(lineFromJson(lineToJson(line), ['b']).values).toEqual({ b: 4 });
  });

  it('takes the worst of the classes where they do not add up', () => {
    const observation = testObservation(5000, {}, { readings: [of('a', 5000, 3), of('b', 5000, 4)] });
    const segments = takeReadings(emptyLine(0), 'concurrency', 'worst', classes, observation, []);
    expect(segments).toMatchObject([{ value: 4 }]);
  });
});

describe('the history of demand', () => {
  it('gives mean, peak and least of what was measured', () => {
    const history = emptyHistory(60_000);
    addSegment(history, { fromMs: 0, atMs: 1000, value: 10, peak: 30 });
    addSegment(history, { fromMs: 1000, atMs: 4000, value: 2, peak: 2 });
    expect(meanOver(history, 4000, 60_000)).toBe(4);
    expect(dilutedMeanOver(history, 4000, 60_000)).toBeCloseTo(16 / 60, 9);
    expect(peakOver(history, 4000, 60_000)).toBe(30);
    expect(leastOver(history, 4000, 60_000)).toBe(2);
    expect(meanOver(history, 4000, 3000)).toBe(2);
    expect(meanOver(history, 200_000, 60_000)).toBeNull();
  });

  it('has at most sixty-four buckets, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5_000_000), fc.nat(5_000_000)), { maxLength: 30 }), (spans) => {
        const history = emptyHistory(600_000);
        let atMs = 0;
        for (const [gap, length] of spans) {
          const fromMs = atMs + gap;
          atMs = fromMs + length + 1;
          addSegment(history, { fromMs, atMs, value: 1, peak: 1 });
        }
        expect(history.buckets.length).toBeLessThanOrEqual(64 * 5);
        const covered = history.buckets.filter((_, index) => index % 5 === 2);
        expect(covered.every((ms) => ms <= history.bucketMs)).toBe(true);
      }),
    );
  });
});

describe('shares of classes', () => {
  it.each<[string, Record<string, number>, Record<string, number>, number, Record<string, number>]>([
    ['all to the cheapest without demand', {}, {}, 3, { a: 3, b: 0 }],
    ['in proportion to demand', { a: 30, b: 10 }, {}, 4, { a: 3, b: 1 }],
    ['at least one each', { a: 99, b: 1 }, {}, 3, { a: 2, b: 1 }],
    ['kept while they add up', { a: 10, b: 30 }, { a: 3, b: 1 }, 4, { a: 3, b: 1 }],
    ['not kept when one has none', { a: 10, b: 30 }, { a: 4, b: 0 }, 4, { a: 1, b: 3 }],
    ['as before without demand', {}, { a: 2, b: 2 }, 2, { a: 1, b: 1 }],
    ['only the most wanting when there are too few', { a: 5, b: 6 }, {}, 1, { a: 0, b: 1 }],
    ['none', { a: 5 }, { a: 1 }, 0, { a: 0, b: 0 }],
  ])('%s', (_name, demand, previous, total, wanted) => {
    expect(shareByDemand(classes, demand, previous, total)).toEqual(wanted);
  });

  it('always add up', () => {
    const counts = fc.array(fc.nat(1000), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(counts, counts, fc.nat(500), (demand, previous, total) => {
        const names = demand.map((_, index) => `class${index}`);
        const record = (list: number[]) => Object.fromEntries(names.map((name, index) => [name, list[index] ?? 0]));
        const shares = Object.values(shareByDemand(names, record(demand), record(previous), total));
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(total);
        expect(shares.every((share) => Number.isInteger(share) && share >= 0)).toBe(true);
      }),
    );
  });
});
