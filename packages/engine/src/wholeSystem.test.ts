import { runChaos } from '@ebb/testing';
import { describe, expect, it } from 'vitest';

const chosen = process.env.EBB_SEED;
const seeds =
  chosen === undefined
    ? Array.from({ length: Number(process.env.EBB_SEEDS ?? 200) }, (_, index) => index + 1)
    : [Number(chosen)];

describe('the whole system under faults', () => {
  it(`keeps its invariants at every event, ${seeds.length} seeds`, { timeout: 120_000 }, async () => {
    let replayed = 0;
    for (const seed of seeds) {
      try {
        const report = await runChaos(seed);
        replayed += report.replayed;
        if (chosen !== undefined || process.env.EBB_VERBOSE) console.log(report);
      } catch (error) {
        throw new Error(`seed ${seed} failed; again with: EBB_SEED=${seed}`, { cause: error });
      }
    }
    expect(replayed).toBeGreaterThan(0);
  });
});
