import { describe, expect, it } from 'vitest';
import type { Reason } from '../../explain/reasons.ts';
import { activationBufferMs, type KpaGate, type KpaGateInput, passKpaGate } from './kpaGate.ts';
import { defaultKpaSettings, type KpaSettings } from './kpaSettings.ts';

const now = 1_000_000;
const window = 60_000;
const grace = 30_000;
const activation = defaultKpaSettings.progressDeadlineMs + activationBufferMs;

const gate = (phase: KpaGate['phase'], forMs: number, more: Partial<KpaGate> = {}): KpaGate => ({
  phase,
  reason: phase === 'Inactive' ? 'NoTraffic' : '',
  sinceMs: now - forMs,
  initialized: true,
  proxySinceMs: null,
  replicas: 1,
  ...more,
});

function pass(before: KpaGate, input: Partial<KpaGateInput> = {}, more: Partial<KpaSettings> = {}) {
  const reasons: Reason[] = [];
  const full: KpaGateInput = {
    nowMs: now,
    desired: 0,
    excessBurstCapacity: 0,
    ready: before.replicas,
    reachable: true,
    activatorAnswers: true,
    ...input,
  };
  const after = passKpaGate({ ...defaultKpaSettings, ...more }, before, full, reasons);
  return { ...after, codes: reasons.map((reason) => reason.code) };
}

describe('from one to zero', () => {
  it.each<[string, KpaGate, Partial<KpaGateInput>, Partial<KpaSettings>, Partial<KpaGate>]>([
    ['just before the idle period', gate('Active', window - 1000), {}, {}, { replicas: 1, phase: 'Active' }],
    [
      'to one while the idle period lasts',
      gate('Active', window - 1000, { replicas: 10 }),
      {},
      {},
      { replicas: 1, phase: 'Active' },
    ],
    [
      'marked inactive after the idle period',
      gate('Active', window),
      {},
      {},
      { replicas: 1, phase: 'Inactive', reason: 'NoTraffic' },
    ],
    [
      'after a window of its own',
      gate('Active', 20_000),
      {},
      { stableWindowMs: 20_000 },
      { replicas: 1, phase: 'Inactive' },
    ],
    ['after the grace period', gate('Inactive', grace), {}, {}, { replicas: 0 }],
    ['not just before the grace period', gate('Inactive', grace - 1000), {}, {}, { replicas: 1 }],
    [
      'not before the pod retention',
      gate('Inactive', grace),
      {},
      { scaleToZeroPodRetentionPeriodMs: 2 * grace },
      { replicas: 1 },
    ],
    [
      'after the pod retention',
      gate('Inactive', grace),
      {},
      { scaleToZeroPodRetentionPeriodMs: grace },
      { replicas: 0 },
    ],
    [
      'at once when already behind the activator for long enough',
      gate('Inactive', grace - 1000, { proxySinceMs: now - grace }),
      {},
      {},
      { replicas: 0 },
    ],
    [
      'not when behind it for too short a time',
      gate('Inactive', grace - 1000, { proxySinceMs: now - grace + 1000 }),
      {},
      {},
      { replicas: 1 },
    ],
    [
      'not before the retention though behind the activator',
      gate('Inactive', 10_000, { proxySinceMs: now - grace }),
      {},
      { scaleToZeroPodRetentionPeriodMs: 20_000 },
      { replicas: 1 },
    ],
    [
      'after the retention when behind the activator',
      gate('Inactive', 20_000, { proxySinceMs: now - grace }),
      {},
      { scaleToZeroPodRetentionPeriodMs: 20_000 },
      { replicas: 0 },
    ],
    [
      'not while the activator does not answer',
      gate('Inactive', grace),
      { activatorAnswers: false },
      {},
      { replicas: 1 },
    ],
    [
      'without asking it when the burst capacity is unlimited',
      gate('Inactive', grace),
      { activatorAnswers: false },
      { targetBurstCapacity: -1 },
      { replicas: 0 },
    ],
    [
      'never when it is switched off',
      gate('Inactive', grace, { replicas: 4 }),
      {},
      { enableScaleToZero: false },
      { replicas: 1 },
    ],
    ['not below the minimum', gate('Inactive', grace, { replicas: 10 }), {}, { minScale: 2 }, { replicas: 2 }],
    [
      'below the minimum where nothing leads',
      gate('Inactive', grace, { replicas: 10 }),
      { reachable: false },
      { minScale: 2 },
      { replicas: 0 },
    ],
    [
      'without retention where nothing leads',
      gate('Inactive', grace),
      { reachable: false },
      { scaleToZeroPodRetentionPeriodMs: 10 * grace },
      { replicas: 0 },
    ],
  ])('%s', (_name, before, input, more, wanted) => {
    expect(pass(before, input, more)).toMatchObject(wanted);
  });
});

describe('while it is getting ready', () => {
  const activating = (forMs: number) => gate('Activating', forMs, { initialized: false, reason: 'Queued' });

  it('is left alone until the progress deadline and thirty seconds are over', () => {
    expect(pass(activating(activation / 2), { ready: 0 })).toMatchObject({ replicas: 1, phase: 'Activating' });
    expect(pass(activating(activation), { ready: 0 })).toMatchObject({ replicas: 1, phase: 'Activating' });
    expect(pass(activating(activation + 1), { ready: 0 })).toMatchObject({
      replicas: 0,
      phase: 'Inactive',
      reason: 'TimedOut',
    });
  });

  it('has a deadline of its own', () => {
    const late = activating(5000 + activationBufferMs + 1);
    expect(pass(late, { ready: 0 }, { progressDeadlineMs: 5000 })).toMatchObject({ replicas: 0, reason: 'TimedOut' });
  });
});

describe('up, and within bounds', () => {
  it.each<[string, KpaGate, Partial<KpaGateInput>, Partial<KpaSettings>, number]>([
    ['as wanted', gate('Active', 0), { desired: 10 }, {}, 10],
    ['to the maximum', gate('Active', 0), { desired: 10 }, { maxScale: 8 }, 8],
    ['from inactive', gate('Inactive', 10), { desired: 10 }, {}, 10],
    ['from zero', gate('Inactive', 10, { replicas: 0 }), { desired: 10 }, {}, 10],
    ['not without data', gate('Inactive', 10, { replicas: 0 }), { desired: -1 }, {}, 0],
    ['not changed without data', gate('Active', 10, { replicas: 12 }), { desired: -1 }, {}, 12],
    [
      'to the minimum without data while activating',
      gate('Activating', 10, { initialized: false }),
      { desired: -1, ready: 0 },
      { minScale: 3 },
      3,
    ],
    [
      'to the initial scale first',
      gate('Activating', 10, { initialized: false }),
      { desired: 1, ready: 0 },
      { initialScale: 2 },
      2,
    ],
    [
      'past a minimum above the initial scale',
      gate('Activating', 10, { initialized: false }),
      { desired: 1, ready: 0 },
      { initialScale: 2, minScale: 4 },
      4,
    ],
    [
      'not held at the initial scale once reached',
      gate('Active', 120_000, { replicas: 2 }),
      {},
      { initialScale: 2 },
      2,
    ],
    [
      'without the initial scale where nothing leads',
      gate('Activating', 10, { initialized: false }),
      { desired: 1, ready: 0, reachable: false },
      { initialScale: 5 },
      1,
    ],
  ])('%s', (_name, before, input, more, wanted) => {
    expect(pass(before, input, more).replicas).toBe(wanted);
  });
});

/** `computeActiveCondition`: -1 stands for no data. */
describe('the phase after a reconciliation', () => {
  it.each<[number, number, KpaGate['phase'], KpaGate['phase']]>([
    [5, 0, 'Inactive', 'Activating'],
    [5, 0, 'Active', 'Activating'],
    [5, 1, 'Activating', 'Active'],
    [5, 1, 'Inactive', 'Active'],
    [-1, 0, 'Inactive', 'Inactive'],
    [-1, 0, 'Activating', 'Activating'],
    [-1, 0, 'Active', 'Activating'],
    [-1, 1, 'Inactive', 'Inactive'],
    [-1, 1, 'Activating', 'Active'],
    [-1, 1, 'Active', 'Active'],
  ])('wanted %d, ready %d, %s: %s', (desired, ready, before, after) => {
    expect(pass(gate(before, 10), { desired, ready }).phase).toBe(after);
  });

  it('is inactive from the beginning with an initial scale of zero', () => {
    const first = pass(
      gate('Activating', 0, { initialized: false, replicas: 0 }),
      { desired: -1, ready: 0 },
      { initialScale: 0 },
    );
    expect(first).toMatchObject({ phase: 'Inactive', initialized: true, replicas: 0 });
  });

  it('is active only when the initial scale is ready, and remembers that', () => {
    const before = gate('Activating', 10, { initialized: false, replicas: 3 });
    expect(pass(before, { desired: 3, ready: 2 }, { initialScale: 3 })).toMatchObject({
      phase: 'Activating',
      initialized: false,
    });
    expect(pass(before, { desired: 3, ready: 3 }, { initialScale: 3 })).toMatchObject({
      phase: 'Active',
      initialized: true,
    });
  });

  it('keeps its time while it stays the same', () => {
    expect(pass(gate('Active', 4000), { desired: 2, ready: 1 }).sinceMs).toBe(now - 4000);
    expect(pass(gate('Active', 4000), { desired: 2, ready: 0 }).sinceMs).toBe(now);
  });
});

describe('the activator', () => {
  it.each<[string, KpaGate, Partial<KpaGateInput>, boolean]>([
    [
      'is in the path while there is too little spare capacity',
      gate('Active', 0),
      { desired: 2, excessBurstCapacity: -1 },
      true,
    ],
    ['is out of it with enough', gate('Active', 0), { desired: 2, excessBurstCapacity: 0 }, false],
    ['is in it when zero is wanted', gate('Active', window), { desired: 0 }, true],
    ['is in it at zero without data', gate('Inactive', 0, { replicas: 0 }), { desired: -1 }, true],
  ])('%s', (_name, before, input, wanted) => {
    expect(pass(before, input).proxySinceMs !== null).toBe(wanted);
  });

  it('counts its time from when it came into the path', () => {
    const before = gate('Active', 10, { proxySinceMs: 5 });
    expect(pass(before, { desired: 2, excessBurstCapacity: -1 }).proxySinceMs).toBe(5);
  });
});
