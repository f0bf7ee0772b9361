import { SeededRandom } from '@ebb/testing';
import { describe, expect, it } from 'vitest';
import { TakeTime } from './takeTime.ts';

interface Stream {
  perSecond: number;
  takeMs: (random: SeededRandom) => number;
  /** Between two readings. */
  gapMs?: number;
  seconds?: number;
  workMs?: number;
}

/** A queue of which each reading starts runs for what is new in it: what is learned from the readings of a while. */
function learnedFrom({ perSecond, takeMs, gapMs = 1000, seconds = 120, workMs = 5000 }: Stream, seed: number) {
  const random = new SeededRandom(seed);
  const takeTime = new TakeTime();
  const takes: number[] = [];
  const ends: [run: string, atMs: number][] = [];
  let arrived = 0;
  let nextMs = random.exponential(1000 / perSecond);
  let started = 0;
  for (let atMs = 0; atMs <= seconds * 1000; atMs += gapMs) {
    for (; nextMs <= atMs; nextMs += random.exponential(1000 / perSecond)) arrived++;
    for (const [run, endMs] of ends.splice(0)) {
      if (endMs <= atMs) takeTime.ended(run, endMs);
      else ends.push([run, endMs]);
    }
    takeTime.seen(arrived - takes.filter((takenMs) => takenMs <= atMs).length, atMs);
    for (; started < arrived; started++) {
      const length = takeMs(random);
      takeTime.began(`run ${started}`, atMs);
      takes.push(atMs + length);
      ends.push([`run ${started}`, atMs + length + workMs]);
    }
  }
  return takeTime.learnedMs;
}

const seeds = Array.from({ length: 20 }, (_, index) => index + 1);

describe('the time that runs need to take their work', () => {
  it.each([
    { takeMs: 300, most: 1100 },
    { takeMs: 1500, most: 3600 },
    { takeMs: 4800, most: 8000 },
  ])('is found under a steady stream that hides each fall: $takeMs ms', ({ takeMs, most }) => {
    const found = seeds.map((seed) => learnedFrom({ perSecond: 8, takeMs: () => takeMs }, seed));
    for (const learnedMs of found) {
      expect(learnedMs).toBeGreaterThanOrEqual(takeMs);
      expect(learnedMs).toBeLessThanOrEqual(most);
    }
  });

  it('is not taken for less than most of them need where they differ', () => {
    const takeMs = (random: SeededRandom) => random.logNormal(2000, 0.2);
    const found = seeds.map((seed) => learnedFrom({ perSecond: 4, takeMs }, seed) ?? Number.POSITIVE_INFINITY);
    expect(Math.min(...found)).toBeGreaterThanOrEqual(2000);
  });

  it('is not told from a few', () => {
    expect(learnedFrom({ perSecond: 8, takeMs: () => 300, seconds: 1 }, 1)).toBeNull();
    expect(learnedFrom({ perSecond: 0.05, takeMs: () => 300, seconds: 60 }, 1)).toBeNull();
  });

  it('follows when it changes', () => {
    const takeTime = new TakeTime();
    const random = new SeededRandom(3);
    const takes: number[] = [];
    let arrived = 0;
    for (let second = 0; second < 400; second++) {
      const fresh = random.integer(0, 8);
      arrived += fresh;
      const atMs = second * 1000;
      takeTime.seen(arrived - takes.filter((takenMs) => takenMs <= atMs).length, atMs);
      for (let run = 0; run < fresh; run++) {
        takeTime.began(`run ${second}/${run}`, atMs);
        takes.push(atMs + (second < 200 ? 500 : 4500));
      }
      if (second === 199) expect(takeTime.learnedMs).toBeLessThan(2000);
    }
    expect(takeTime.learnedMs).toBeGreaterThan(4500);
  });
});
