import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestWindow } from './requestWindow.ts';

const secondUs = 1_000_000;

describe('RequestWindow', () => {
  it('is the mean of the window, as far back as it was open', () => {
    const window = new RequestWindow(2000, 0, 0, 0);
    expect(window.means(0)).toEqual({ concurrency: 0, requestRate: 0 });
    window.changed(secondUs, 4, 4);
    expect(window.means(secondUs)).toEqual({ concurrency: 0, requestRate: 2 });
    expect(window.means(1.5 * secondUs).concurrency).toBeCloseTo(4 / 3);
    expect(window.means(3 * secondUs)).toEqual({ concurrency: 4, requestRate: 0 });
    window.changed(3 * secondUs, 0, 4);
    expect(window.means(4 * secondUs).concurrency).toBe(2);
    expect(window.means(9 * secondUs).concurrency).toBe(0);
  });

  it('agrees with the mean by hand, but for what happened within 50 ms at the window’s edge; and forgets', () => {
    const change = fc.tuple(fc.integer({ min: 0, max: 900_000 }), fc.integer({ min: 0, max: 50 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 400 }), (changes) => {
        const lengthUs = 2 * secondUs;
        const window = new RequestWindow(2000, 0, 0, 0);
        const steps = [{ atUs: 0, busy: 0 }];
        let atUs = 0;
        for (const [laterUs, busy] of changes) {
          atUs += laterUs;
          window.changed(atUs, busy, 0);
          steps.push({ atUs, busy });
        }
        const nowUs = atUs + 100_000;
        const fromUs = Math.max(0, nowUs - lengthUs);
        let busyUs = 0;
        for (const [index, step] of steps.entries()) {
          const untilUs = steps[index + 1]?.atUs ?? nowUs;
          busyUs += step.busy * Math.max(0, untilUs - Math.max(step.atUs, fromUs));
        }
        const most = Math.max(...steps.map(({ busy }) => busy));
        const difference = Math.abs(window.means(nowUs).concurrency - busyUs / (nowUs - fromUs));
        expect(difference).toBeLessThanOrEqual((most * 50_000) / (nowUs - fromUs) + 1e-9);
        expect(window.means(nowUs + lengthUs).concurrency).toBe(steps.at(-1)?.busy);
      }),
    );
  });
});
