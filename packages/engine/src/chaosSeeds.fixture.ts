import { type ChaosOptions, type ChaosReport, runChaos } from '@ebb/testing';

/** Runs the seeds one after the other and returns how many decisions were made again; one that fails is named. */
export async function runSeeds(
  seeds: readonly number[],
  options: ChaosOptions,
  tell: (report: ChaosReport) => void = () => {},
): Promise<number> {
  let replayed = 0;
  for (const seed of seeds) {
    try {
      const report = await runChaos(seed, options);
      replayed += report.replayed;
      tell(report);
    } catch (error) {
      throw new Error(`seed ${seed} failed; again with: EBB_SEED=${seed}`, { cause: error });
    }
  }
  return replayed;
}

export function seedsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
