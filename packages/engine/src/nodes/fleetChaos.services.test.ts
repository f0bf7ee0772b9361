import { runFleetChaos } from '@ebb/testing';
import { describe, expect, it } from 'vitest';

const chosen = process.env.EBB_SEED;
const seeds = chosen === undefined ? Array.from({ length: 8 }, (_, index) => index + 1) : [Number(chosen)];

describe('rented machines under faults of cloud, store and control plane', () => {
  it(`are never too many, never ended under a replica, and gone in the end: ${seeds.length} runs`, async () => {
    let bought = 0;
    for (const seed of seeds) {
      try {
        const report = await runFleetChaos(seed);
        bought += report.bought;
        if (chosen !== undefined || process.env.EBB_VERBOSE) console.log(report);
      } catch (error) {
        throw new Error(`seed ${seed} failed; again with: EBB_SEED=${seed}`, { cause: error });
      }
    }
    expect(bought).toBeGreaterThan(seeds.length);
  });
});
