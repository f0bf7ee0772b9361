import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Supply } from './supply.ts';

describe('supply', () => {
  it('serves with what was held for a cold start', () => {
    const supply = new Supply(undefined, 60);
    supply.hold(100, 2);
    expect(supply.usable(100)).toEqual({ replicas: 0, changesAtMs: 160 });
    supply.hold(130, 5);
    expect(supply.usable(159)).toEqual({ replicas: 0, changesAtMs: 160 });
    expect(supply.usable(160)).toEqual({ replicas: 2, changesAtMs: 190 });
    supply.hold(170, 3);
    expect(supply.usable(190)).toEqual({ replicas: 3, changesAtMs: Number.POSITIVE_INFINITY });
  });

  it('loses at once what is given back', () => {
    const supply = new Supply(undefined, 60);
    supply.hold(0, 4);
    supply.usable(60);
    supply.hold(70, 1);
    expect(supply.usable(70).replicas).toBe(1);
  });

  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 5 })), { maxLength: 40 });

  it('is the smallest count of the last cold start', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const supply = new Supply(undefined, 60);
        const held: number[] = Array.from({ length: 60 }, () => 0);
        let now = 60;
        for (const [wait, count] of list) {
          supply.hold(now, count);
          for (let ms = 0; ms < wait; ms += 1, now += 1) {
            held.push(count);
            expect(supply.usable(now).replicas).toBe(Math.min(...held.slice(-61)));
          }
        }
      }),
    );
  });

  it('goes on from its JSON, and stays short', () => {
    fc.assert(
      fc.property(steps, (list) => {
        let supply = new Supply(undefined, 1e6);
        let now = 0;
        for (const [wait, count] of list) {
          supply.hold((now += wait), count * now);
          const again = new Supply(supply.toJson(), 1e6);
          expect(again.usable(now)).toEqual(supply.usable(now));
          expect((again.toJson() as number[]).length).toBeLessThanOrEqual(17);
          supply = again;
        }
      }),
    );
  });
});
