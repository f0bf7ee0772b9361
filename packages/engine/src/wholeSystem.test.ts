import { describe, expect, it } from 'vitest';
import { runSeeds, seedsFrom } from './chaosSeeds.fixture.ts';

describe('the whole system under faults', () => {
  it('keeps its invariants at every event', { timeout: 120_000 }, async () => {
    expect(await runSeeds(seedsFrom(1, 60), {})).toBeGreaterThan(0);
  });

  it('keeps them where the link to the gateway falls behind again and again', { timeout: 120_000 }, async () => {
    expect(await runSeeds(seedsFrom(1, 12), { sluggish: true, activeMs: 240_000 })).toBeGreaterThan(0);
  });
});
