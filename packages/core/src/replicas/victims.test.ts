import { describe, expect, it } from 'vitest';
import { chooseVictims, type VictimCandidate } from './victims.ts';

const candidate = (id: string, more: Partial<VictimCandidate> = {}): VictimCandidate => ({
  id,
  starting: false,
  inFlight: 0,
  outdated: false,
  createdAtMs: 0,
  ...more,
});

describe('victims', () => {
  it('go in the order: starting, idle, outdated, least loaded, youngest', () => {
    const all = [
      candidate('busy', { inFlight: 3 }),
      candidate('less-busy', { inFlight: 1 }),
      candidate('old-template-busy', { inFlight: 2, outdated: true }),
      candidate('idle-old'),
      candidate('idle-young', { createdAtMs: 5 }),
      candidate('starting', { starting: true }),
      candidate('idle-outdated', { outdated: true }),
    ];
    expect(chooseVictims(all, 7).map((victim) => victim.id)).toEqual([
      'starting',
      'idle-outdated',
      'idle-young',
      'idle-old',
      'old-template-busy',
      'less-busy',
      'busy',
    ]);
    expect(chooseVictims(all, 0)).toEqual([]);
    const fills = candidate('fills-slack', { inFlight: 5, deferred: 5 });
    const mixed = candidate('mixed', { inFlight: 2, deferred: 1, outdated: true });
    const order = chooseVictims([...all, fills, mixed], 9).map((victim) => victim.id);
    expect(order.slice(2)).toEqual([
      'idle-young',
      'idle-old',
      'fills-slack',
      'mixed',
      'old-template-busy',
      'less-busy',
      'busy',
    ]);
    expect(chooseVictims([candidate('b'), candidate('a')], 1).map((victim) => victim.id)).toEqual(['a']);
  });
});
