import { describe, expect, it } from 'vitest';
import type { Reason } from '../../explain/reasons.ts';
import { beginPanic, initialExcessBurst, type KpaDelay, type KpaPanic, kpaScale, recordDelay } from './kpaScale.ts';
import { defaultKpaSettings, type KpaSettings, kpaPanicWindowMs, kpaTarget } from './kpaSettings.ts';

/** Target 10 of a total of 13.33 a pod, rates of ten both ways, as in upstream's tests. */
function settings(target: number, burst: number, more: Partial<KpaSettings> = {}): KpaSettings {
  return {
    ...defaultKpaSettings,
    target: target / 0.75,
    targetUtilization: 0.75,
    targetBurstCapacity: burst,
    maxScaleUpRate: 10,
    maxScaleDownRate: 10,
    ...more,
  };
}

const calm: KpaPanic = { sinceMs: null, mostPods: 0 };

function scale(
  one: KpaSettings,
  seen: { stable: number; panic: number; ready: number; nowMs?: number; reachable?: boolean },
  panic: KpaPanic = calm,
  delay: KpaDelay = [],
) {
  const reasons: Reason[] = [];
  const result = kpaScale(one, panic, delay, { nowMs: 0, reachable: true, ...seen }, reasons);
  return { ...result, reasons };
}

const excess = (one: KpaSettings, ready: number, panic: number) =>
  Math.floor(ready * kpaTarget(one).total - one.targetBurstCapacity - panic);

describe('pods wanted', () => {
  it.each<[string, KpaSettings, { stable: number; panic: number; ready: number; reachable?: boolean }, number]>([
    ['none without traffic', settings(10, 100), { stable: 0, panic: 0, ready: 1 }, 0],
    ['one with unlimited burst capacity', settings(181, -1), { stable: 21, panic: 26, ready: 1 }, 1],
    ['by the stable window', settings(10, 100), { stable: 50, panic: 50, ready: 5 }, 5],
    [
      'at least one more with a small up rate',
      settings(1, 1982, { maxScaleUpRate: 1.1 }),
      { stable: 3, panic: 3.1, ready: 2 },
      3,
    ],
    ['not below the down rate', settings(10, 1982, { maxScaleDownRate: 1.1 }), { stable: 1, panic: 1, ready: 100 }, 90],
    [
      'below it when nothing leads there',
      settings(10, 1982, { maxScaleDownRate: 1.1 }),
      { stable: 1, panic: 1, ready: 100, reachable: false },
      1,
    ],
    ['by the panic window over the threshold', settings(10, 84), { stable: 50, panic: 100, ready: 1 }, 10],
    ['not above the up rate', settings(10, 61), { stable: 1000, panic: 1001, ready: 1 }, 10],
    ['counts no ready pod as one', settings(10, 81), { stable: 1000, panic: 888, ready: 0 }, 10],
  ])('%s', (_name, one, seen, wanted) => {
    const result = scale(one, seen);
    expect(result.desired).toBe(wanted);
    if (one.targetBurstCapacity > 0) expect(result.excessBurstCapacity).toBe(excess(one, seen.ready, seen.panic));
  });

  it('are what the activation scale says once any is wanted', () => {
    const one = settings(10, 100, { activationScale: 3 });
    expect(scale(one, { stable: 0, panic: 0, ready: 0 }).desired).toBe(0);
    expect(scale(one, { stable: 1, panic: 1, ready: 0 }).desired).toBe(3);
    expect(scale(one, { stable: 45, panic: 45, ready: 4 }).desired).toBe(5);
  });
});

describe('excess burst capacity', () => {
  it.each([
    [0, 0],
    [-1, -1],
    [100, Math.floor(5 * (10 / 0.75) - 100 - 49)],
  ])('with a target of %d is %d', (burst, wanted) => {
    expect(scale(settings(10, burst), { stable: 50, panic: 49, ready: 5 }).excessBurstCapacity).toBe(wanted);
  });

  it('is taken as that of one pod before there is data', () => {
    expect(initialExcessBurst({ ...defaultKpaSettings })).toBe(100 - 211);
    expect(initialExcessBurst({ ...defaultKpaSettings, targetBurstCapacity: 0 })).toBe(0);
    expect(initialExcessBurst({ ...defaultKpaSettings, targetBurstCapacity: -1 })).toBe(-1);
  });
});

describe('panic', () => {
  it('begins at the threshold, not only above it', () => {
    expect(scale(settings(10, 0), { stable: 50, panic: 100, ready: 5 }).panic.sinceMs).toBe(0);
    expect(scale(settings(10, 0), { stable: 50, panic: 90, ready: 5 }).panic.sinceMs).toBeNull();
  });

  it('takes the larger of the two windows and never falls', () => {
    const panic: KpaPanic = { sinceMs: -5000, mostPods: 5 };
    expect(scale(settings(1, 100), { stable: 50, panic: 30, ready: 5 }, panic).desired).toBe(50);
    expect(scale(settings(1, 100), { stable: 20, panic: 30, ready: 5 }, panic).desired).toBe(30);
    expect(scale(settings(10, 93), { stable: 1, panic: 1, ready: 10 }, { sinceMs: 0, mostPods: 100 }).desired).toBe(
      100,
    );
  });

  it('ends when more than a stable window has passed below the threshold', () => {
    const one = settings(10, 93);
    const at = (nowMs: number) => scale(one, { stable: 1, panic: 1, ready: 10, nowMs }, { sinceMs: 0, mostPods: 100 });
    expect(at(60_000).desired).toBe(100);
    expect(at(60_001)).toMatchObject({ desired: 1, panic: { sinceMs: null, mostPods: 0 } });
  });

  it('is prolonged while it is over the threshold, and not otherwise', () => {
    const one = settings(1, 98);
    const first = scale(one, { stable: 11, panic: 25, ready: 10, nowMs: 0 });
    expect(first.desired).toBe(25);
    expect(scale(one, { stable: 30, panic: 80, ready: 40, nowMs: 30_000 }, first.panic).panic.sinceMs).toBe(30_000);
    const slower = scale(one, { stable: 30, panic: 41, ready: 40, nowMs: 30_000 }, first.panic);
    expect(slower).toMatchObject({ desired: 41, panic: { sinceMs: 0 } });
    expect(scale(one, { stable: 50, panic: 56, ready: 55, nowMs: 62_000 }, slower.panic)).toMatchObject({
      desired: 50,
      panic: { sinceMs: null },
    });
  });

  it('follows an exponential rise step by step', () => {
    let panic = calm;
    let ready = 1;
    for (const pods of [6, 36, 216, 1296, 1296]) {
      const result = scale(settings(1, 101), { stable: pods, panic: pods, ready }, panic);
      expect(result.desired).toBe(pods);
      ({ panic } = result);
      ready = pods;
    }
  });

  it('is where an autoscaler begins that finds more than one pod', () => {
    expect(beginPanic(1, 7)).toEqual({ sinceMs: null, mostPods: 1 });
    const restarted = beginPanic(8, 7);
    expect(restarted).toEqual({ sinceMs: 7, mostPods: 8 });
    expect(scale(settings(10, 0), { stable: 1, panic: 1, ready: 8, nowMs: 9 }, restarted).desired).toBe(8);
  });
});

describe('the scale-down delay', () => {
  it('keeps the largest of its two-second steps', () => {
    const delay: KpaDelay = [];
    const at = (seconds: number, pods: number) => recordDelay(delay, 10_000, seconds * 1000, pods);
    expect([at(0, 5), at(2, 3), at(4, 4), at(8, 1), at(10, 1), at(14, 1)]).toEqual([5, 5, 5, 5, 4, 1]);
  });

  it('picks the larger of two in one step', () => {
    const delay: KpaDelay = [];
    expect(recordDelay(delay, 2000, 0, 5)).toBe(5);
    expect(recordDelay(delay, 2000, 1000, 3)).toBe(5);
    expect(recordDelay(delay, 2000, 2000, 3)).toBe(3);
  });

  it('does not count where nothing leads', () => {
    const one = settings(10, 0, { scaleDownDelayMs: 60_000 });
    const delay: KpaDelay = [[-5, 9]];
    expect(scale(one, { stable: 10, panic: 10, ready: 5 }, calm, delay).desired).toBe(9);
    expect(scale(one, { stable: 10, panic: 10, ready: 5, reachable: false }, calm, delay).desired).toBe(1);
  });

  it('stays small however long it is', () => {
    const delay: KpaDelay = [];
    for (let i = 0; i < 1800; i++) recordDelay(delay, 3_600_000, i * 2000, 5000 - i);
    expect(delay.length).toBeLessThanOrEqual(240);
    expect(delay[0]?.[1]).toBe(5000);
  });
});

describe('target and windows', () => {
  it.each<[string, Partial<KpaSettings>, { target: number; total: number }]>([
    ['default', {}, { target: 70, total: 100 }],
    ['container concurrency', { containerConcurrency: 10 }, { target: 7, total: 10 }],
    ['annotation below it', { containerConcurrency: 10, target: 2 }, { target: 1.4, total: 2 }],
    ['annotation capped by it', { containerConcurrency: 10, target: 50 }, { target: 7, total: 10 }],
    ['annotation without a limit', { target: 400 }, { target: 280, total: 400 }],
    ['utilisation of one', { containerConcurrency: 1, targetUtilization: 1 }, { target: 1, total: 1 }],
    ['never under 0.01', { target: 0.01, targetUtilization: 0.1 }, { target: 0.01, total: 0.01 }],
    ['requests a second', { metric: 'rps' }, { target: 140, total: 200 }],
    [
      'requests a second are not capped by concurrency',
      { metric: 'rps', target: 300, containerConcurrency: 1 },
      { target: 210, total: 300 },
    ],
  ])('%s', (_name, more, wanted) => {
    const { target, total } = kpaTarget({ ...defaultKpaSettings, ...more });
    expect(target).toBeCloseTo(wanted.target, 9);
    expect(total).toBe(wanted.total);
  });

  it.each([
    [60_000, 10, 6000],
    [6000, 10, 1000],
    [6000, 1, 1000],
    [25_000, 10, 3000],
    [60_000, 100, 60_000],
  ])('%d ms at %d %% panic for %d ms', (stableWindowMs, panicWindowPercentage, wanted) => {
    expect(kpaPanicWindowMs({ ...defaultKpaSettings, stableWindowMs, panicWindowPercentage })).toBe(wanted);
  });
});
