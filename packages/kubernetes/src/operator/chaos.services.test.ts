import { expect, it } from 'vitest';
import { type FaultReport, runFaults } from './chaos.fixture.ts';

const first = process.env.EBB_SEED === undefined ? 1 : Number(process.env.EBB_SEED);
const count = process.env.EBB_SEED === undefined ? Number(process.env.EBB_SEEDS ?? 100) : 1;
/** They wait most of the time. */
const atOnce = 8;

it('converges under every seeded run of faults, scales nothing twice, and nothing to zero without knowing', async () => {
  const seeds = Array.from({ length: count }, (_, index) => first + index);
  const reports: FaultReport[] = [];
  const work = async () => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      try {
        reports.push(await runFaults(seed));
      } catch (error) {
        seeds.length = 0;
        throw new Error(`seed ${seed} failed; again with: EBB_SEED=${seed}\n${(error as Error).message}`, {
          cause: error,
        });
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: atOnce }, work));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  expect(reports).toHaveLength(count);
  const kinds = new Set(reports.flatMap(({ faults }) => faults));
  const writes = reports.reduce((sum, report) => sum + report.writes, 0);
  console.log(`${count} seeds from ${first}: ${kinds.size} kinds of faults, ${writes} writes of counts`);
}, 600_000);
