import { describe, expect, it } from 'vitest';
import { FailureBrake } from './failureBrake.ts';

describe('the brake after failed Jobs', () => {
  it('doubles its wait with each round and stays under the longest', () => {
    const brake = new FailureBrake();
    const waits: number[] = [];
    for (let nowMs = 0, round = 0; round < 8; round++) {
      brake.failed(nowMs, nowMs + 10, 2000);
      waits.push((brake.untilMs ?? 0) - nowMs - 10);
      nowMs = brake.untilMs ?? 0;
      expect(brake.release(nowMs - 1)).toBe(false);
      expect(brake.release(nowMs)).toBe(true);
      expect(brake.untilMs).toBeNull();
    }
    expect(waits).toEqual([100, 200, 400, 800, 1600, 2000, 2000, 2000]);
  });

  it('takes Jobs that ran beside each other for one round', () => {
    const brake = new FailureBrake();
    for (const endedMs of [50, 51, 52, 90]) brake.failed(0, endedMs, 30_000);
    expect(brake.untilMs).toBe(150);
  });

  it('is over with one that succeeds', () => {
    const brake = new FailureBrake();
    brake.failed(0, 1, 30_000);
    brake.failed(200, 201, 30_000);
    brake.succeeded();
    expect(brake.untilMs).toBeNull();
    brake.failed(300, 400, 30_000);
    expect(brake.untilMs).toBe(500);
  });
});
