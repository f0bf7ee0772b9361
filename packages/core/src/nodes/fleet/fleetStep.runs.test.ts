import { expect, it } from 'vitest';
import { Simulation } from './simulation.fixture.ts';

const runs = Number(process.env.EBB_FLEET_SEEDS ?? 300);
const firstSeed = Number(process.env.EBB_FLEET_SEED ?? 1);

it(`keeps every rule over ${runs} seeded lives of a cluster, and ends with nothing that costs`, () => {
  let launches = 0;
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const simulation = new Simulation(seed);
    simulation.run();
    launches += simulation.launches;
    expect({ seed, wrong: simulation.wrong }).toEqual({ seed, wrong: [] });
    const left = [...simulation.cloud.machines.keys()];
    const nodes = simulation.memory?.nodes.map(({ id, phase }) => `${id} ${phase}`);
    expect({ seed, left, nodes }).toEqual({ seed, left: [], nodes: [] });
  }
  expect(launches).toBeGreaterThan(runs);
}, 120_000);
