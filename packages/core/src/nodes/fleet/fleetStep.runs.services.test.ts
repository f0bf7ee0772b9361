import { expect, it } from 'vitest';
import { liveThrough } from './lives.fixture.ts';

const runs = Number(process.env.EBB_FLEET_SEEDS ?? 80);
const firstSeed = Number(process.env.EBB_FLEET_SEED ?? 1);

it(`keeps every rule over ${runs} seeded lives of a cluster, and ends with nothing that costs`, () => {
  expect(liveThrough(firstSeed, runs)).toBeGreaterThan(runs);
});
