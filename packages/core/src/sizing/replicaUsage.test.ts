import { describe, expect, it } from 'vitest';
import { ContainerAggregate } from './aggregate.ts';
import { addCpuSample, addMemorySample, addOom, newReplicaUsage, takeBackOpenPeak } from './replicaUsage.ts';
import { defaultRecommender as rules } from './types.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const t = 19_000 * dayMs;
const mib = 1024 * 1024;
const gib = 1024 * mib;

function watched() {
  const aggregate = new ContainerAggregate(t, rules);
  const usage = newReplicaUsage();
  return {
    aggregate,
    usage,
    cpu: (milli: number, atMs: number) => addCpuSample(aggregate, usage, milli, atMs),
    memory: (bytes: number, atMs: number) => addMemorySample(aggregate, usage, bytes, atMs, rules),
    oom: (requestBytes: number, atMs: number) => addOom(aggregate, usage, requestBytes, atMs, rules),
    /** Peaks in the histogram: each weighs 2 ^ (days between its stamp and the reference). */
    weight: () => aggregate.memory.totalWeight,
  };
}

describe('CPU samples', () => {
  it('count once each, 0.1 before decay', () => {
    const { cpu, aggregate } = watched();
    expect([cpu(100, t), cpu(100, t), cpu(100, t - 1), cpu(100, t + 1)]).toEqual([true, false, false, true]);
    expect(aggregate.sampleCount).toBe(2);
    expect([aggregate.firstSampleMs, aggregate.lastSampleMs]).toEqual([t, t + 1]);
    expect(aggregate.cpu.totalWeight).toBeCloseTo(0.2, 8);
  });

  it('set first and last over all replicas, in any order', () => {
    const { aggregate, cpu } = watched();
    cpu(100, t);
    addCpuSample(aggregate, newReplicaUsage(), 100, t - 5);
    expect([aggregate.firstSampleMs, aggregate.lastSampleMs]).toEqual([t - 5, t]);
  });
});

describe('memory peaks', () => {
  it('are one a window, stamped with its end', () => {
    const { memory, usage, weight } = watched();
    memory(100 * mib, t);
    expect(usage.windowEndMs).toBe(t + dayMs);
    memory(300 * mib, t + hourMs);
    memory(200 * mib, t + 2 * hourMs);
    expect(usage.peakBytes).toBe(300 * mib);
    // The reference is the day of the first stamp: one peak of weight 1.
    expect(weight()).toBe(1);
    memory(50 * mib, t + dayMs);
    expect(usage).toMatchObject({ windowEndMs: t + 2 * dayMs, peakBytes: 50 * mib });
    expect(weight()).toBe(1 + 2);
  });

  it('skip windows in which nothing was seen', () => {
    const { memory, usage } = watched();
    memory(mib, t);
    memory(mib, t + 3.5 * dayMs);
    expect(usage.windowEndMs).toBe(t + 4 * dayMs);
  });

  it('drop samples older than the last, not those of the same time', () => {
    const { memory } = watched();
    expect([memory(mib, t), memory(2 * mib, t), memory(3 * mib, t - 1)]).toEqual([true, true, false]);
  });

  it('keep 0 for a window that began with it, as upstream does', () => {
    const { memory, usage } = watched();
    memory(0, t);
    memory(500 * mib, t + 1);
    expect(usage.peakBytes).toBe(0);
  });

  it('of an open window can be taken back, of a closed one stay', () => {
    const { aggregate, memory, usage, weight } = watched();
    memory(100 * mib, t);
    takeBackOpenPeak(aggregate, usage, t + dayMs);
    expect(weight()).toBe(1);
    takeBackOpenPeak(aggregate, usage, t + hourMs);
    expect(weight()).toBe(0);
  });
});

describe('an OOM', () => {
  it.each([
    // 100 MiB + 100 MiB is more than 100 MiB * 1.2.
    [100 * mib, 200 * mib],
    // 1 GiB * 1.2 = 1288490188.8 is more than 1 GiB + 100 MiB = 1178599424.
    [gib, 1_288_490_188],
    [0, 100 * mib],
  ])('at a request of %d counts as a use of %d', (request, needed) => {
    const { oom, usage } = watched();
    expect(oom(request, t)).toEqual({ usedBytes: request, neededBytes: needed });
    expect(usage).toMatchObject({ oomPeakBytes: needed, peakBytes: 0, windowEndMs: t + dayMs });
  });

  it('starts from the peak seen where that is above the request', () => {
    const { memory, oom } = watched();
    memory(gib, t);
    expect(oom(100 * mib, t + 1)).toEqual({ usedBytes: gib, neededBytes: 1_288_490_188 });
  });

  it('is not raised again by the next one', () => {
    const { oom, weight } = watched();
    const first = oom(gib, t);
    expect(oom(gib, t + 1)).toEqual(first);
    expect(weight()).toBe(1);
  });

  it('is too old by the last sample, not by the end of the window (8548)', () => {
    // The second sample opens a window that ends at t + 48 h; the OOM came a minute before that window began.
    const { memory, oom } = watched();
    memory(gib, t);
    memory(gib, t + dayMs + 60_000);
    expect(oom(2 * gib, t + dayMs - 60_000)).not.toBeNull();
  });

  it.each([
    [0, true],
    [-1, false],
  ])('%i ms after the last sample less a window: counts %s', (offsetMs, counts) => {
    const { memory, oom } = watched();
    memory(gib, t);
    expect(oom(gib, t - dayMs + offsetMs) !== null).toBe(counts);
  });
});

describe('a history', () => {
  it('expires 8 windows after its last CPU sample, or after its beginning', () => {
    const { aggregate, cpu, memory } = watched();
    expect([aggregate.isExpired(t + 8 * dayMs - 1, 8 * dayMs), aggregate.isExpired(t + 8 * dayMs, 8 * dayMs)]).toEqual([
      false,
      true,
    ]);
    memory(gib, t + dayMs);
    expect(aggregate.isExpired(t + 8 * dayMs, 8 * dayMs)).toBe(true);
    cpu(100, t + dayMs);
    expect(aggregate.isExpired(t + 8 * dayMs, 8 * dayMs)).toBe(false);
  });
});
