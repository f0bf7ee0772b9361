import type { WatchEvent } from '@ebb/documents';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WatchRing } from './watchRing.ts';

function deleted(sequence: number, workload = 'local/default/a'): WatchEvent {
  return { sequence, type: 'deleted', at: 0, workload };
}

function all(ring: WatchRing, since: number): number[] {
  const found: number[] = [];
  for (let entry = ring.after(since); entry; entry = ring.after(entry.sequence)) found.push(entry.sequence);
  return found;
}

describe('WatchRing', () => {
  it('gives what came after, or says that it cannot', () => {
    const ring = new WatchRing(100);
    expect([99, 100, 101].map((since) => ring.reaches(since))).toEqual([false, true, false]);
    ring.push(deleted(105));
    ring.push(deleted(110));
    expect(all(ring, 100)).toEqual([105, 110]);
    expect(all(ring, 107)).toEqual([110]);
    expect(all(ring, 110)).toEqual([]);
    expect([99, 100, 110, 111].map((since) => ring.reaches(since))).toEqual([false, true, true, false]);
  });

  it('numbers what comes with a sequence that was used', () => {
    const ring = new WatchRing(100);
    ring.push(deleted(3));
    expect(JSON.parse(ring.after(100)?.json ?? '')).toMatchObject({ sequence: 101, type: 'deleted' });
  });

  it('has all events after any sequence that it reaches, and forgets the oldest', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 12_000 }), fc.integer({ min: 0, max: 12_000 }), (pushed, since) => {
        const ring = new WatchRing(0);
        for (let sequence = 1; sequence <= pushed; sequence++) ring.push(deleted(sequence));
        expect(ring.reaches(since)).toBe(since <= pushed && since >= pushed - 4_096);
        if (!ring.reaches(since)) return;
        expect(all(ring, since)).toEqual(Array.from({ length: pushed - since }, (_, index) => since + 1 + index));
      }),
      { numRuns: 50 },
    );
  });

  it('is bounded in size as well', () => {
    const ring = new WatchRing(0);
    const large = 'x'.repeat(1_000_000);
    for (let sequence = 1; sequence <= 100; sequence++) ring.push(deleted(sequence, large));
    expect(all(ring, 85).length).toBeLessThanOrEqual(16);
    expect(ring.reaches(80)).toBe(false);
  });
});
