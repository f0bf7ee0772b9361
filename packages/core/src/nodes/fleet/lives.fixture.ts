import { expect } from 'vitest';
import { Simulation } from './simulation.fixture.ts';

/** So many seeded lives of a cluster keep every rule and end with nothing that costs. Returns how many machines were asked for. */
export function liveThrough(firstSeed: number, runs: number): number {
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
  return launches;
}
