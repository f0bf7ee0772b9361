import { type ChaosOptions, runChaos } from '@ebb/testing';
import { describe, expect, it } from 'vitest';

const chosen = process.env.EBB_SEED;

function seedsUpTo(usual: number): number[] {
  if (chosen !== undefined) return [Number(chosen)];
  return Array.from({ length: Number(process.env.EBB_SEEDS ?? usual) }, (_, index) => index + 1);
}

async function runSeeds(seeds: readonly number[], options: ChaosOptions): Promise<number> {
  let replayed = 0;
  for (const seed of seeds) {
    try {
      const report = await runChaos(seed, options);
      replayed += report.replayed;
      if (chosen !== undefined || process.env.EBB_VERBOSE) console.log(report);
    } catch (error) {
      throw new Error(`seed ${seed} failed; again with: EBB_SEED=${seed}`, { cause: error });
    }
  }
  return replayed;
}

describe('the whole system under faults', () => {
  it('keeps its invariants at every event', { timeout: 120_000 }, async () => {
    expect(await runSeeds(seedsUpTo(120), {})).toBeGreaterThan(0);
  });

  it('keeps them where the link to the gateway falls behind again and again', { timeout: 120_000 }, async () => {
    expect(await runSeeds(seedsUpTo(20), { sluggish: true, activeMs: 240_000 })).toBeGreaterThan(0);
  });
});
