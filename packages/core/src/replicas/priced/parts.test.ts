import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addArrivals, type ArrivalsMemory, arrivalsWithin } from './arrivals.ts';
import { addForBacklog, type BacklogTerms } from './backlog.ts';
import { decayed } from './decay.ts';
import { demandNow } from './demand.ts';
import { edgeMs, gapBinCount, gapBinOf } from './gapBins.ts';
import { type Level, newLevel, rememberGap, rememberMinute } from './level.ts';
import { levelOfSize, sizeOfLevel } from './levelSizes.ts';
import { quietFlow } from './priced.fixture.ts';
import { lookAtLevel } from './release.ts';
import { emptyService, learnService, meanService } from './serviceTime.ts';
import { pricedTuning } from './tuning.ts';

const nobody = { ready: 0, starting: 0, draining: 0, failed: 0, inFlight: 0, held: 0 };

describe('gap bins', () => {
  it('hold every length between their edges', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5_000, max: 600_000_000 }), (length) => {
        const bin = gapBinOf(length);
        expect(edgeMs(bin)).toBeLessThanOrEqual(length);
        if (bin < gapBinCount - 1) expect(edgeMs(bin + 1)).toBeGreaterThan(length);
      }),
    );
    expect(gapBinOf(0)).toBe(0);
    expect(edgeMs(gapBinCount - 1)).toBeGreaterThan(6 * 86_400_000);
  });
});

describe('level sizes', () => {
  it('are single replicas at first, then grow; each size has the lowest level that holds it', () => {
    expect([1, 2, 11, 12].map(sizeOfLevel)).toEqual([1, 2, 11, 12]);
    expect(sizeOfLevel(13)).toBe(14);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), (replicas) => {
        const level = levelOfSize(replicas);
        expect(sizeOfLevel(level)).toBeGreaterThanOrEqual(replicas);
        expect(sizeOfLevel(level - 1)).toBeLessThan(replicas);
      }),
    );
  });
});

describe('decayed', () => {
  it('is the exponential to a hundredth, falling, and never negative', () => {
    for (let x = 0; x < 20; x += 0.1) {
      expect(Math.abs(decayed(x) - Math.exp(-x))).toBeLessThan(0.01);
      expect(decayed(x + 0.1)).toBeLessThan(decayed(x));
    }
    expect(decayed(1e9)).toBeGreaterThanOrEqual(0);
  });
});

describe('arrivals', () => {
  it('are counted by time, to a part of what is remembered', () => {
    const memory: ArrivalsMemory = [];
    for (let second = 1; second <= 400; second++) addArrivals(memory, 1000 * second, 3, 60_000);
    expect(memory.length).toBeLessThanOrEqual(25);
    expect(arrivalsWithin(memory, 400_000, 60_000)).toBeGreaterThan(3 * 54);
    expect(arrivalsWithin(memory, 400_000, 60_000)).toBeLessThanOrEqual(3 * 60);
    addArrivals(memory, 1_000_000, 0, 60_000);
    expect(memory).toEqual([]);
  });
});

describe('service time', () => {
  it('comes to the mean of what ended', () => {
    const memory = emptyService();
    for (let look = 0; look < 400; look++) learnService(memory, { ...quietFlow, answered: 5, serviceMs: 7_500 }, 0, 1);
    expect(meanService(memory)).toBeCloseTo(1.5, 1);
  });

  it('counts what still runs while little has ended', () => {
    const memory = emptyService();
    learnService(memory, quietFlow, 4, 0);
    for (let second = 0; second < 30; second++) learnService(memory, quietFlow, 4, 1);
    expect(meanService(memory)).toBeCloseTo(2 + 120);
    learnService(memory, quietFlow, 0, 1);
    expect(meanService(memory)).toBe(2);
  });
});

describe('demand', () => {
  const terms = { serviceSeconds: 2, recent: 12, spanSeconds: 3 };

  it('is what is in flight, at its peak, where nobody waited', () => {
    expect(demandNow({ ...nobody, inFlight: 5 }, { ...quietFlow, peak: 7 }, terms)).toBe(7);
  });

  it('leaves out what would be over by now', () => {
    const late = { ...quietFlow, inFlightWaitMs: 5 * 4_000, peak: 100 };
    expect(demandNow({ ...nobody, inFlight: 5, held: 100 }, late, terms)).toBeCloseTo(5 * Math.exp(-2) + 8, 1);
  });
});

describe('replicas for a backlog', () => {
  const terms: BacklogTerms = {
    nowMs: 0,
    held: 400,
    recent: 80,
    windowSeconds: 8,
    slots: 8,
    serviceSeconds: 2,
    coldStartSeconds: 60,
    latePriceSeconds: 120,
    mostExtra: 1000,
    ready: 2,
    wanted: 2,
    starting: [],
  };

  it('are none while the queue is short, or would be gone before they start', () => {
    expect(addForBacklog({ ...terms, held: 16 })).toBe(0);
    expect(addForBacklog({ ...terms, recent: 0, held: 100 })).toBe(0);
  });

  it('cost least: price × rate × queue ÷ surplus + starts, against every other count', () => {
    fc.assert(
      fc.property(
        fc.record({
          held: fc.integer({ min: 20, max: 5000 }),
          recent: fc.integer({ min: 4, max: 2000 }),
          serviceSeconds: fc.double({ min: 0.2, max: 60, noNaN: true }),
          coldStartSeconds: fc.integer({ min: 5, max: 300 }),
        }),
        (given) => {
          const all = { ...terms, ...given, ready: 0, wanted: 0, latePriceSeconds: 2 * given.coldStartSeconds };
          const added = addForBacklog(all);
          if (added === 0) return;
          const rate = (given.recent - 0.5 * Math.sqrt(given.recent)) / 8;
          const queue = given.held + rate * given.coldStartSeconds;
          const cost = (spare: number) =>
            (all.latePriceSeconds * rate * queue * given.serviceSeconds) / (spare * 8) + spare * given.coldStartSeconds;
          // What is added comes on top of a quarter; it is whole, and no more than the queue fills at once.
          const most = queue / 8;
          const chosen = Math.min(added + 0.25, most);
          for (const other of [chosen / 2, chosen * 2]) {
            if (other <= most) expect(cost(chosen)).toBeLessThanOrEqual(cost(other) * 1.6);
          }
          expect(added).toBeLessThanOrEqual(most);
        },
      ),
    );
  });
});

describe('keep, let go, or start ahead', () => {
  const terms = { coldStartSeconds: 60, latePriceSeconds: 120, width: 1 };
  const learned = (gaps: [seconds: number, count: number][], late = 1, minute?: number): Level => {
    const level = newLevel();
    level.t = 0;
    level.p = 1;
    for (const [seconds, count] of gaps) {
      for (let one = 0; one < count; one++) {
        rememberGap(level, gapBinOf(1000 * seconds), late, 0.999);
        level.s = level.s * 0.999 + late;
        level.c = level.c * 0.999 + 1;
        if (seconds > 120) level.f += 1;
        if (minute !== undefined) rememberMinute(level, minute, { soft: 16, sharp: 1 });
      }
    }
    return level;
  };
  const look = (level: Level, isOn: boolean, seconds: number) =>
    lookAtLevel(level, isOn, 1000 * seconds, terms, pricedTuning);
  const keepsFor = (level: Level): number => {
    let seconds = 5;
    // Without starts ahead, which would be an answer to dear misses as well.
    const tuning = { ...pricedTuning, leastLongGaps: 0 };
    while (seconds < 500_000 && lookAtLevel(level, true, 1000 * seconds, terms, tuning).on) seconds *= 1.05;
    return seconds;
  };

  it('keeps through gaps that are short for certain, and lets go after them', () => {
    const kept = keepsFor(learned([[60, 30]]));
    expect(kept).toBeGreaterThan(60);
    expect(kept).toBeLessThan(600);
  });

  it('lets go at once what will be away for long', () => {
    expect(keepsFor(learned([[7200, 30]]))).toBeLessThan(60);
  });

  it('keeps the longer the dearer a miss, never the shorter', () => {
    let before = 0;
    for (const late of [0, 1, 3, 10, 30, 100]) {
      const kept = keepsFor(
        learned(
          [
            [30, 5],
            [600, 5],
            [7200, 5],
          ],
          late,
        ),
      );
      expect(kept).toBeGreaterThanOrEqual(before);
      before = kept;
    }
    expect(before).toBeGreaterThan(600);
  });

  it('starts ahead of a return that is due, not long before it and not without practice', () => {
    const due = learned([[7200, 30]], 20);
    expect(look(due, false, 300).on).toBe(false);
    expect(look(due, false, gapEdgeSeconds(7200)).on).toBe(true);
    const young = { ...due, f: 1 };
    expect(look(young, false, gapEdgeSeconds(7200)).on).toBe(false);
  });

  it('keeps to the minutes of the hour in which it came back', () => {
    // Gaps of anything from half an hour to four hours, always ended in minute 32.
    const clocked = learned(
      [
        [1800, 10],
        [3600, 10],
        [7200, 10],
        [14_400, 10],
      ],
      40,
      32,
    );
    // Gone for 7,000 s in each minute that is asked about.
    const at = (minute: number) => look({ ...clocked, t: 60_000 * minute }, false, 7_000 + 60 * minute - 40).on;
    // 6,960 s are 116 minutes: minute 31 is 35 later.
    expect(at(35)).toBe(true);
    expect(at(9)).toBe(false);
    expect(at(49)).toBe(false);
  });
});

const gapEdgeSeconds = (seconds: number): number => edgeMs(gapBinOf(1000 * seconds)) / 1000;
