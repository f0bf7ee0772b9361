import type { EventSpec } from '@ebb/documents';
import { describe, expect, it } from 'vitest';
import { createScheduleScaler } from './schedule.ts';

const event = (more: Partial<EventSpec> = {}): EventSpec => ({
  name: 'sale',
  timezone: 'Europe/Berlin',
  from: '2026-12-24T18:00:00',
  to: '2026-12-27T00:00:00',
  leadMs: 0,
  factor: 2,
  minReplicas: 1,
  ...more,
});

async function valueAt(spec: EventSpec, wall: string): Promise<[number | null, number | undefined]> {
  const wallMs = Date.parse(wall);
  const scaler = createScheduleScaler([], { wallNowMs: () => wallMs, events: [spec] });
  const [reading] = await scaler.read(1000);
  return [reading?.value ?? null, reading?.nextChangeMs];
}

describe('a dated event', () => {
  it('is on from its begin until it is over, in its own zone', async () => {
    expect(await valueAt(event(), '2026-12-24T16:59:59Z')).toEqual([0, 2000]);
    expect((await valueAt(event(), '2026-12-24T17:00:00Z'))[0]).toBe(1);
    expect((await valueAt(event(), '2026-12-26T22:59:59Z'))[0]).toBe(1);
    expect(await valueAt(event(), '2026-12-26T23:00:00Z')).toEqual([0, undefined]);
  });

  it('takes effect its lead earlier', async () => {
    expect((await valueAt(event({ leadMs: 3_600_000 }), '2026-12-24T16:00:00Z'))[0]).toBe(1);
  });

  it('at a time that summer time skips begins after the gap', async () => {
    const spring = event({ from: '2026-03-29T02:30:00', to: '2026-03-30T00:00:00' });
    expect((await valueAt(spring, '2026-03-29T00:59:59Z'))[0]).toBe(0);
    expect((await valueAt(spring, '2026-03-29T02:00:00Z'))[0]).toBe(1);
  });

  it('long ago or far away is off', async () => {
    expect((await valueAt(event(), '2020-01-01T00:00:00Z'))[0]).toBe(0);
    expect(await valueAt(event(), '2030-01-01T00:00:00Z')).toEqual([0, undefined]);
  });
});
