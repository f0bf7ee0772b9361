import { runFleetChaos } from '@ebb/testing';
import { describe, expect, it } from 'vitest';
import { runSeeds, seedsFrom } from './chaosSeeds.fixture.ts';

describe('the whole system under faults, on more seeds', () => {
  it('keeps its invariants at every event', { timeout: 120_000 }, async () => {
    expect(await runSeeds(seedsFrom(61, 120), {})).toBeGreaterThan(0);
  });

  it('keeps them where the link to the gateway falls behind again and again', { timeout: 120_000 }, async () => {
    expect(await runSeeds(seedsFrom(13, 30), { sluggish: true, activeMs: 240_000 })).toBeGreaterThan(0);
  });

  it('rents machines as it should', { timeout: 120_000 }, async () => {
    for (const seed of seedsFrom(101, 40)) {
      await runFleetChaos(seed).catch((error: unknown) => {
        throw new Error(`seed ${seed} failed`, { cause: error });
      });
    }
  });
});
