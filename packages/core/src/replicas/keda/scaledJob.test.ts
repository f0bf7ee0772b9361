import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  effectiveBounds,
  isJobPending,
  jobsToCreate,
  type ScaledJobRules,
  type ScaledJobTriggerReading,
} from './scaledJob.ts';

const rules = (more: Partial<ScaledJobRules> = {}): ScaledJobRules => ({
  strategy: 'default',
  multipleScalersCalculation: 'max',
  customQueueLengthDeduction: 0,
  customRunningJobPercentage: 0,
  minReplicas: 0,
  maxReplicas: 10,
  ...more,
});

const queue = (queueLength: number, target = 1, active = queueLength > 0): ScaledJobTriggerReading => ({
  trigger: 'q',
  queueLength,
  target,
  active,
});

const created = (one: ScaledJobRules, readings: ScaledJobTriggerReading[], running: number, pending = 0) =>
  jobsToCreate(one, readings, { running, pending }).create;

describe('default: what the queue asks for, less what runs', () => {
  it.each([
    ['empty queue', queue(0), 0, 0],
    ['one message, one job', queue(1), 0, 1],
    ['three, two of them running', queue(3), 2, 1],
    ['never beyond the maximum', queue(99), 0, 10],
    ['the maximum counts what runs', queue(99), 8, 2],
    ['several messages a job', queue(10, 4), 0, 3],
    ['a fraction of a message is one', queue(0.5, 1), 0, 1],
    ['the request size is the raw queue length', queue(2, 0.5), 0, 2],
    ['not active', queue(5, 1, false), 0, 0],
  ])('%s', (_name, reading, running, expected) => {
    expect(created(rules(), [reading], running)).toBe(expected);
  });
});

describe('the other strategies', () => {
  it('accurate counts pending jobs only: running ones have taken their message', () => {
    const accurate = rules({ strategy: 'accurate' });
    expect(created(accurate, [queue(3)], 2, 0)).toBe(3);
    expect(created(accurate, [queue(3)], 2, 2)).toBe(1);
    expect(created(accurate, [queue(9)], 4, 0)).toBe(6);
    // 9 + 4 − 3 is not above 10, so pending ones are taken off in place of the room that is left.
    expect(created(accurate, [queue(9)], 4, 3)).toBe(6);
  });

  it('custom takes off a deduction and a share of what runs, the product truncated', () => {
    const custom = rules({ strategy: 'custom', customQueueLengthDeduction: 1, customRunningJobPercentage: 0.5 });
    expect(created(custom, [queue(8)], 3)).toBe(6);
    expect(created({ ...custom, customRunningJobPercentage: null }, [queue(8)], 3)).toBe(5);
  });

  it('eager fills up to the maximum whatever the queue, as long as there is one', () => {
    const eager = rules({ strategy: 'eager' });
    expect(created(eager, [queue(3)], 0)).toBe(3);
    expect(created(eager, [queue(30)], 6)).toBe(4);
    expect(created(eager, [queue(30)], 6, 3)).toBe(1);
  });
});

describe('several triggers', () => {
  const two = [queue(2, 1), queue(6, 3)];
  it.each([
    ['max', 2, 6],
    ['min', 2, 2],
    ['avg', 2, 4],
    ['sum', 4, 8],
  ] as const)('%s', (multipleScalersCalculation, scaleTo, queueLength) => {
    expect(jobsToCreate(rules({ multipleScalersCalculation }), two, { running: 0, pending: 0 })).toMatchObject({
      scaleTo,
      queueLength,
    });
  });

  it('max takes the longest queue, not the largest need', () => {
    expect(created(rules(), [queue(5, 1), queue(6, 6)], 0)).toBe(1);
  });

  it('with max, an active trigger with an empty queue is not active', () => {
    expect(created(rules(), [queue(0, 1, true)], 0)).toBe(0);
    expect(created(rules({ multipleScalersCalculation: 'avg' }), [queue(0, 1, true), queue(4, 1)], 0)).toBe(2);
  });
});

describe('bounds', () => {
  it('the maximum counts beyond the minimum', () => {
    expect(effectiveBounds({ minReplicas: 2, maxReplicas: 10 })).toEqual({ min: 2, max: 8 });
    expect(effectiveBounds({ minReplicas: 20, maxReplicas: 10 })).toEqual({ min: 10, max: 10 });
    expect(effectiveBounds({ minReplicas: 2, maxReplicas: null })).toEqual({ min: 2, max: 100 });
  });

  it('the minimum is made up first, in a step of its own', () => {
    expect(created(rules({ minReplicas: 3 }), [queue(9)], 1)).toBe(2);
    expect(created(rules({ minReplicas: 3 }), [queue(0)], 0)).toBe(3);
    expect(created(rules({ minReplicas: 3 }), [queue(9)], 3)).toBe(7);
  });

  it('hold whatever the numbers', () => {
    const strategy = fc.constantFrom('default', 'custom', 'accurate', 'eager' as const);
    fc.assert(
      fc.property(
        strategy,
        fc.nat(5),
        fc.nat(20),
        fc.nat(100),
        fc.nat(30),
        fc.nat(30),
        (name, min, max, length, running, pending) => {
          const create = created(
            rules({ strategy: name, minReplicas: min, maxReplicas: max }),
            [queue(length)],
            running,
            Math.min(running, pending),
          );
          expect(Number.isInteger(create)).toBe(true);
          expect(create).toBeGreaterThanOrEqual(0);
          expect(create).toBeLessThanOrEqual(Math.max(max, min));
        },
      ),
    );
  });
});

describe('a pending job', () => {
  const pod = (phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed', ...trueConditions: string[]) => ({
    phase,
    trueConditions,
  });
  it('has no pod that runs or has succeeded', () => {
    expect(isJobPending({ pods: [] }, [])).toBe(true);
    expect(isJobPending({ pods: [pod('Pending')] }, [])).toBe(true);
    expect(isJobPending({ pods: [pod('Failed'), pod('Running')] }, [])).toBe(false);
  });

  it('or, with conditions, no single pod that meets them all', () => {
    const conditions = ['Ready', 'PodScheduled'];
    expect(isJobPending({ pods: [pod('Running', 'Ready'), pod('Running', 'PodScheduled')] }, conditions)).toBe(true);
    expect(isJobPending({ pods: [pod('Pending', 'Ready', 'PodScheduled')] }, conditions)).toBe(false);
  });
});
