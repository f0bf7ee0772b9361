import { poisson, SeededRandom, startLoad, VirtualSystem, workloadDocument } from '@ebb/testing';

export const web = 'local/default/web';
export const minuteMs = 60_000;
export const classes = [{ name: 'default', command: ['serve'], concurrency: 2, pricePerHour: 0.36 }];

export interface SimulatedHour {
  /** Requests a second in the two loads. */
  readonly perSecond: readonly [number, number];
  readonly policy?: { readonly type: 'windows' };
  /** In the middle of the first load. */
  midway?(system: VirtualSystem): Promise<void>;
}

/** An hour: quiet, then ten minutes of load, then quiet again; twice. */
export async function simulatedHour(
  seed: number,
  { perSecond, policy, midway = async () => {} }: SimulatedHour,
): Promise<VirtualSystem> {
  const system = new VirtualSystem({ seed });
  await system.start();
  const scaling = { maxReplicas: 8, keepAlive: '90s', ...(policy ? { policy } : {}) };
  await system.apply(workloadDocument('web', { classes, scaling }));
  const random = new SeededRandom(seed);
  for (const [index, rate] of perSecond.entries()) {
    await system.clock.advance(5 * minuteMs);
    startLoad({
      clock: system.clock,
      gateway: system.gateway,
      workload: web,
      arrivals: poisson(random, rate),
      serviceUs: () => random.logNormal(700_000, 0.5),
      forMs: 10 * minuteMs,
    });
    await system.clock.advance(5 * minuteMs);
    if (index === 0) await midway(system);
    await system.clock.advance(20 * minuteMs);
  }
  return system;
}
