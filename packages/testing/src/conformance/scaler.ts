import type { Scaler } from '@ebb/core';
import { describe, expect, it } from 'vitest';

export interface ScalerUnderTest {
  scaler: Scaler;
  /** Some moments at which it is asked, rising. */
  moments: number[];
}

/** What the engine relies on in a Scaler. */
export function describeScalerConformance(
  name: string,
  create: () => Promise<ScalerUnderTest> | ScalerUnderTest,
): void {
  describe(`${name} is a Scaler`, () => {
    it('gives readings that a decision can use, and says the same when asked again', async () => {
      const { scaler, moments } = await create();
      try {
        for (const nowMs of moments) {
          const readings = await scaler.read(nowMs);
          expect(readings.length).toBeGreaterThan(0);
          for (const reading of readings) {
            if (reading.state === 'ok') expect(Number.isFinite(reading.value) && Number(reading.value) >= 0).toBe(true);
            else expect(reading.message).not.toBe('');
            expect(Number.isInteger(reading.atMs) && reading.atMs <= nowMs).toBe(true);
            expect(reading.spanMs).toBeGreaterThanOrEqual(0);
            if (reading.nextChangeMs !== undefined) expect(reading.nextChangeMs).toBeGreaterThan(nowMs);
            expect(JSON.parse(JSON.stringify(reading))).toEqual(reading);
          }
          expect(await scaler.read(nowMs)).toEqual(readings);
        }
      } finally {
        await scaler.close();
      }
    });

    it('can be closed, and closed again', async () => {
      const { scaler } = await create();
      await scaler.close();
      await scaler.close();
    });
  });
}
