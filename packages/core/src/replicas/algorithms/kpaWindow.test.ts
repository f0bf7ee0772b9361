import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  emptyKpaWindow,
  isKpaWindowEmpty,
  type KpaWindow,
  kpaAverage,
  kpaWindowFromJson,
  kpaWindowToJson,
  recordKpa,
  resizeKpaWindow,
  smoothingCoefficient,
} from './kpaWindow.ts';

const s = 1000;
const start = 1_700_000_000 * s;

function filled(stableMs: number, writes: [number, number][]): KpaWindow {
  const window = emptyKpaWindow(stableMs, stableMs);
  for (const [atSeconds, value] of writes) recordKpa(window, start + atSeconds * s, value);
  return window;
}

const mean = (window: KpaWindow, atSeconds: number) => kpaAverage(window, 'stable', start + atSeconds * s, 'linear');

describe('the plain mean of a five-second window', () => {
  const five: [number, number][] = [0, 1, 2, 3, 4].map((i) => [i, i + 1]);

  it.each<[string, [number, number][], number, number]>([
    ['begins at the first write', [[0, 1]], 0, 1],
    ['of a full window', five, 4, 3],
    ['when now lags behind the last write', five, 3.6, 3],
    ['leaves out the seconds since the last write', five, 6, (3 + 4 + 5) / 3],
    ['is nothing after a window without a write', five, 10, 0],
    ['counts seconds between two writes as zero', [...five, [6, 91]], 6, (15 - 1 - 2 + 91) / 5],
    ['begins anew after a window without a write', [...five, [60, 1984]], 60, 1984],
    [
      'adds up what is written in one second',
      [
        [0, 1],
        [0.1, 10],
      ],
      0,
      11,
    ],
    [
      'takes a late write, and begins with it',
      [
        [60, 1984],
        [57, 4],
      ],
      60,
      (4 + 1984) / 4,
    ],
    [
      'ignores a write that is a window too late',
      [
        [60, 1984],
        [57, 4],
        [61, 5],
        [58, 10],
        [55, 10],
      ],
      61,
      (4 + 10 + 1984 + 5) / 5,
    ],
    ['of writes in descending order', [8, 7, 6, 5, 4, 3, 2, 1, 0].map((i): [number, number] => [i, 5]), 5, 5],
  ])('%s', (_name, writes, at, wanted) => {
    expect(mean(filled(5 * s, writes), at)).toBeCloseTo(wanted, 6);
  });

  it('is floored to six digits', () => {
    expect(
      mean(
        filled(5 * s, [
          [0, 1],
          [1, 1],
          [2, 0],
        ]),
        2,
      ),
    ).toBe(0.666666);
    expect(
      mean(
        filled(5 * s, [
          [0, 1],
          [1, 0],
          [2, 0],
        ]),
        2,
      ),
    ).toBe(0.333333);
  });
});

describe('stable and panic window over the same data', () => {
  it('each begin where they had their first write', () => {
    const window = emptyKpaWindow(60 * s, 6 * s);
    for (let i = 0; i < 10; i++) recordKpa(window, start + i * s, 10);
    expect(kpaAverage(window, 'panic', start + 9 * s, 'linear')).toBe(10);
    // Twenty seconds of silence: the panic window begins anew, the stable one counts them as zero.
    recordKpa(window, start + 29 * s, 60);
    expect(kpaAverage(window, 'panic', start + 29 * s, 'linear')).toBe(60);
    expect(kpaAverage(window, 'stable', start + 29 * s, 'linear')).toBe(Math.floor(((100 + 60) / 30) * 1e6) / 1e6);
  });

  it('is without data once a stable window has passed', () => {
    const window = filled(60 * s, [[0, 1]]);
    expect(isKpaWindowEmpty(emptyKpaWindow(60 * s, 6 * s), start)).toBe(true);
    expect(isKpaWindowEmpty(window, start + 59 * s)).toBe(false);
    expect(isKpaWindowEmpty(window, start + 60 * s)).toBe(true);
  });
});

describe('the weighted mean', () => {
  it('weighs the last second most, by a coefficient of at least 0.2', () => {
    expect(smoothingCoefficient(60)).toBe(0.2);
    expect(smoothingCoefficient(6)).toBeCloseTo(1 - 0.0001 ** (1 / 6), 12);
    const coefficient = smoothingCoefficient(4);
    const window = filled(4 * s, [
      [0, 10],
      [1, 10],
      [2, 5],
      [3, 5],
    ]);
    const wanted = [5, 5, 10, 10].reduce((sum, value, i) => sum + value * coefficient * (1 - coefficient) ** i, 0);
    expect(kpaAverage(window, 'stable', start + 3 * s, 'weighted-exponential')).toBeCloseTo(wanted, 9);
  });

  it('counts silence since the last write as zeros', () => {
    const window = filled(4 * s, [
      [0, 8],
      [1, 8],
    ]);
    const coefficient = smoothingCoefficient(4);
    const at = (seconds: number) => kpaAverage(window, 'stable', start + seconds * s, 'weighted-exponential');
    expect(at(2)).toBeCloseTo(at(1) * (1 - coefficient), 9);
    expect(at(5)).toBe(0);
    expect(at(9)).toBe(0);
  });
});

describe('another length', () => {
  it('keeps the data, and begins at most the old window before the last write', () => {
    const window = filled(
      5 * s,
      [0, 1, 2, 3, 4, 5].map((i): [number, number] => [i, i + 1]),
    );
    const wide = resizeKpaWindow(window, 10 * s, 10 * s, start + 5 * s);
    expect(mean(wide, 5)).toBe(20 / 5);
    recordKpa(wide, start + 6 * s, 7);
    expect(mean(wide, 6)).toBe(Math.floor((27 / 6) * 1e6) / 1e6);
    const narrow = resizeKpaWindow(wide, 4 * s, 4 * s, start + 6 * s);
    expect(mean(narrow, 6)).toBe(22 / 4);
  });

  it('forgets data that is too old', () => {
    const window = filled(5 * s, [[0, 19.82]]);
    expect(resizeKpaWindow(window, 10 * s, 10 * s, start + 60 * s).last).toBeNull();
  });

  it('is taken over when the memory is read', () => {
    const window = filled(5 * s, [
      [0, 4],
      [1, 8],
    ]);
    const read = kpaWindowFromJson(kpaWindowToJson(window), 60 * s, 6 * s, start + s);
    expect(read.sizes).toEqual({ stable: 60, panic: 6 });
    expect(
      kpaAverage(kpaWindowFromJson(kpaWindowToJson(window), 5 * s, 5 * s, start), 'stable', start + s, 'linear'),
    ).toBe(6);
  });
});

/** The same rules told in the plainest way: a list of writes, looked through from the beginning each time. */
function plainMean(writes: [number, number][], size: number, now: number): number {
  let last: number | null = null;
  let first = 0;
  let kept: [number, number][] = [];
  for (const [second, value] of writes) {
    if (last === null || second - last >= size) {
      if (last === null || second > last) {
        first = second;
        kept = [];
      }
    }
    if (last !== null && second <= last - size) continue;
    first = kept.length === 0 ? second : Math.min(first, second);
    last = Math.max(last ?? second, second);
    kept.push([second, value]);
  }
  if (last === null || now - last >= size) return 0;
  const since = Math.max(0, now - last);
  const from = last - (size - since) + 1;
  const sum = kept.filter(([second]) => second >= from).reduce((total, [, value]) => total + value, 0);
  return sum / Math.min(last - first + 1, size - since);
}

describe('whatever is written', () => {
  it('gives what the plain telling of the rules gives, for both windows', () => {
    const writes = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 50 })), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(writes, fc.integer({ min: 0, max: 60 }), (list, now) => {
        const window = emptyKpaWindow(10 * s, 4 * s);
        for (const [second, value] of list) recordKpa(window, start + second * s, value);
        for (const [name, size] of [
          ['stable', 10],
          ['panic', 4],
        ] as const) {
          const got = kpaAverage(window, name, start + now * s, 'linear');
          expect(got).toBeCloseTo(plainMean(list, size, now), 5);
        }
      }),
    );
  });

  it('survives being stored', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(30), fc.nat(9)), { minLength: 1, maxLength: 20 }), (list) => {
        const window = filled(12 * s, list);
        expect(kpaWindowFromJson(kpaWindowToJson(window), 12 * s, 12 * s, start + 30 * s)).toEqual(window);
      }),
    );
  });

  it('has at most six hundred buckets', () => {
    const window = emptyKpaWindow(3600 * s, 360 * s);
    for (let i = 0; i < 5000; i++) recordKpa(window, start + i * s, i);
    expect(window.values.length).toBeLessThanOrEqual(600);
    expect(window.bucketMs).toBe(6000);
  });
});
