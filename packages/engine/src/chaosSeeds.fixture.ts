import { type ChaosOptions, runChaos } from '@ebb/testing';

/** Of `EBB_SEED`; null: all. */
export const chosenSeed = process.env.EBB_SEED === undefined ? null : Number(process.env.EBB_SEED);

/** Runs the seeds one after the other and returns how many decisions were made again; one that fails is named. */
export async function runSeeds(seeds: readonly number[], options: ChaosOptions): Promise<number> {
  let replayed = 0;
  for (const seed of chosenSeed === null ? seeds : [chosenSeed]) {
    try {
      const report = await runChaos(seed, options);
      replayed += report.replayed;
      if (chosenSeed !== null || process.env.EBB_VERBOSE) console.log(report);
    } catch (error) {
      throw new Error(`seed ${seed} failed; again with: EBB_SEED=${seed}`, { cause: error });
    }
  }
  return replayed;
}

export function seedsFrom(first: number, count: number): number[] {
  return Array.from({ length: Number(process.env.EBB_SEEDS ?? count) }, (_, index) => first + index);
}
