import { describe, expect, it } from 'vitest';
import { runSeeds, seedsFrom } from './chaosSeeds.fixture.ts';

const chosen = process.env.EBB_SEED;
const seedsUpTo = (usual: number) =>
  chosen === undefined ? seedsFrom(1, Number(process.env.EBB_SEEDS ?? usual)) : [Number(chosen)];
const tell = chosen !== undefined || process.env.EBB_VERBOSE ? console.log : undefined;

describe('the whole system under faults', () => {
  it('keeps its invariants at every event', { timeout: 120_000 }, async () => {
    expect(await runSeeds(seedsUpTo(60), {}, tell)).toBeGreaterThan(0);
  });

  it('keeps them where the link to the gateway falls behind again and again', { timeout: 120_000 }, async () => {
    expect(await runSeeds(seedsUpTo(12), { sluggish: true, activeMs: 240_000 }, tell)).toBeGreaterThan(0);
  });
});
