import type { WorkloadInput } from '@ebb/documents';
import { poisson, SeededRandom, startLoad, VirtualSystem, workloadDocument } from '@ebb/testing';
import { expect, it } from 'vitest';

const minuteMs = 60_000;
const key = { cluster: 'local', namespace: 'default', name: 'web' };

/** 6 requests a second of half a second each: three in flight on average, on replicas that take two. */
type Policy = NonNullable<NonNullable<WorkloadInput['spec']['scaling']>['policy']>;

const policies: Policy[] = [
  { type: 'knative' },
  { type: 'ray', targetOngoingRequests: 2 },
  { type: 'skyserve', targetQpsPerReplica: 3 },
  { type: 'kubeai', targetRequests: 2 },
  { type: 'aibrix', targetValue: 2 },
  { type: 'clarifai' },
  { type: 'slo', triggers: [{ type: 'queueWait', above: '200ms', below: '20ms' }], startTime: '5s' },
  { type: 'priced', onTime: '200ms' },
];

it.each(policies)(
  'the policy $type runs live: wakes, follows the load within its bounds, loses nothing',
  async (policy) => {
    const system = new VirtualSystem({ seed: 5 });
    await system.start();
    await system.apply(
      workloadDocument('web', {
        classes: [{ name: 'default', command: ['serve'], concurrency: 2 }],
        // SkyServe takes five minutes to believe in more load: nobody is turned away meanwhile.
        serving: { timeouts: { hold: '20m' }, buffer: { maxRequests: 10_000 } },
        scaling: { maxReplicas: 6, policy },
      }),
    );
    const random = new SeededRandom(5);
    await system.clock.advance(minuteMs);
    const load = { clock: system.clock, gateway: system.gateway, workload: 'local/default/web' };
    startLoad({
      ...load,
      arrivals: poisson(random, 6),
      serviceUs: () => random.logNormal(500_000, 0.4),
      forMs: 20 * minuteMs,
    });
    let most = 0;
    for (let minute = 0; minute < 20; minute++) {
      await system.clock.advance(minuteMs);
      const replicas = system.engine.status(key)?.replicas;
      most = Math.max(most, replicas?.ready ?? 0);
      expect(replicas?.wanted).toBeLessThanOrEqual(6);
    }
    await system.clock.advance(5 * minuteMs);
    const { exchanges } = system.gateway;
    expect(exchanges.length).toBeGreaterThan(6000);
    expect(exchanges.filter((exchange) => exchange.outcome !== 'succeeded')).toEqual([]);
    expect(most).toBeGreaterThanOrEqual(2);
  },
);
