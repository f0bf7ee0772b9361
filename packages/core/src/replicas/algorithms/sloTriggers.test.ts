import { describe, expect, it } from 'vitest';
import {
  defaultSloDecrease,
  defaultSloIncrease,
  noFailure,
  recommendBySlo,
  type SloContext,
  type SloTrigger,
  type SloTriggerMemory,
} from './sloTriggers.ts';

const window = 30_000;
const steps = { windowMs: window, increase: defaultSloIncrease, decrease: defaultSloDecrease };
const latency: SloTrigger = { type: 'responseTime', name: 'p95', aboveMs: 500, belowMs: 200, ...steps };
const wait: SloTrigger = { type: 'queueWait', name: 'wait', aboveMs: 100, belowMs: 10, ...steps };
const rate: SloTrigger = { type: 'throughput', name: 'rate', abovePerReplica: 10, belowPerReplica: 5, ...steps };

const now = 10_000_000;

function ask(trigger: SloTrigger, more: Partial<SloContext>, memory: SloTriggerMemory = noFailure) {
  const context: SloContext = {
    nowMs: now,
    current: 4,
    ready: more.current ?? 4,
    change: null,
    startTimeMs: 60_000,
    demand: 10,
    value: 300,
    ...more,
  };
  const result = recommendBySlo(trigger, memory, context);
  return { ...result, code: result.reasons[0]?.code };
}

describe('one step', () => {
  it.each<[string, SloTrigger, Partial<SloContext>, number, string]>([
    ['nothing between the marks', latency, { value: 300 }, 4, 'slo-within'],
    ['nothing on the mark', latency, { value: 500 }, 4, 'slo-within'],
    ['in proportion over the mark', latency, { value: 700 }, 6, 'slo-above'],
    ['at most twice', latency, { value: 60_000 }, 8, 'slo-above'],
    ['one at least', latency, { value: 501, current: 1 }, 2, 'slo-above'],
    ['one down under the lower mark', latency, { value: 100 }, 3, 'slo-below'],
    ['not under one', latency, { value: 0, current: 1 }, 1, 'slo-below'],
    ['of the queue wait', wait, { value: 150 }, 6, 'slo-above'],
    ['of the throughput a replica', rate, { value: 56 }, 6, 'slo-above'],
    ['of the throughput of those that are ready', rate, { value: 56, ready: 6 }, 4, 'slo-within'],
    ['down in throughput', rate, { value: 12 }, 3, 'slo-below'],
    ['nothing without a value', latency, { value: null }, 4, 'slo-not-measured'],
  ])('%s', (_name, trigger, more, wanted, code) => {
    expect(ask(trigger, more)).toMatchObject({ replicas: wanted, code });
  });

  it('is as large as the trigger says', () => {
    const large: SloTrigger = {
      ...latency,
      increase: { replicas: 3, factor: 1 },
      decrease: { replicas: 1, factor: 2 },
    };
    expect(ask(large, { value: 60_000 }).replicas).toBe(7);
    expect(ask(large, { value: 100, current: 10 }).replicas).toBe(5);
  });

  it('never shrinks without a lower mark', () => {
    expect(ask({ ...latency, belowMs: null }, { value: 0 }).replicas).toBe(4);
  });

  it('does not take so much away that the throughput would be over the mark', () => {
    const halving: SloTrigger = { ...rate, decrease: { replicas: 1, factor: 4 } };
    expect(ask(halving, { value: 35, current: 8 }).replicas).toBe(4);
  });
});

describe('dead time', () => {
  const grew = (agoMs: number, readyAgoMs: number | null) => ({
    change: { atMs: now - agoMs, from: 2, to: 4, readyAtMs: readyAgoMs === null ? null : now - readyAgoMs },
  });

  it.each<[string, Partial<SloContext>, boolean]>([
    ['before start time and a window', { value: 900, ...grew(89_000, 89_000) }, true],
    ['after both', { value: 900, ...grew(90_000, 90_000) }, false],
    ['within a window of a late start', { value: 900, ...grew(120_000, 10_000) }, true],
    ['a window after a late start', { value: 900, ...grew(120_000, 30_000) }, false],
    ['while the replicas are not ready', { value: 900, ...grew(150_000, null) }, true],
    ['but not for ever', { value: 900, ...grew(3 * 60_000 + window, null) }, false],
    ['for shrinking too', { value: 1, ...grew(30_000, 20_000) }, true],
    ['with a longer start time', { value: 900, startTimeMs: 200_000, ...grew(120_000, 110_000) }, true],
  ])('%s', (_name, more, waits) => {
    const result = ask(latency, more);
    expect(result.code === 'slo-dead-time').toBe(waits);
    if (waits) expect(result.revisitAtMs).toBeGreaterThan(now);
  });

  it('is one window for mending a shrink, and longer for the next one', () => {
    const shrank = (agoMs: number) => ({ change: { atMs: now - agoMs, from: 6, to: 4, readyAtMs: null } });
    expect(ask(latency, { value: 900, ...shrank(29_000) }).code).toBe('slo-dead-time');
    expect(ask(latency, { value: 900, ...shrank(30_000) }).code).toBe('slo-above');
    expect(ask(latency, { value: 1, ...shrank(30_000) }).code).toBe('slo-dead-time');
    expect(ask(latency, { value: 1, ...shrank(90_000) }).code).toBe('slo-below');
  });
});

describe('a count that was too slow', () => {
  it('is not tried again at the same demand', () => {
    const { memory } = ask(latency, { value: 900, current: 3, demand: 100 });
    expect(memory).toEqual({ failedReplicas: 3, failedDemand: 100 });
    expect(ask(latency, { value: 100, current: 4, demand: 95 }, memory)).toMatchObject({
      replicas: 4,
      code: 'slo-shrink-known-to-fail',
    });
    expect(ask(latency, { value: 100, current: 5, demand: 95 }, memory).replicas).toBe(4);
    expect(ask(latency, { value: 100, current: 4, demand: 80 }, memory).replicas).toBe(3);
  });
});
