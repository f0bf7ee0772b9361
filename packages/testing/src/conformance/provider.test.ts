import type { NodeLaunch } from '@ebb/core';
import { VirtualClock } from '../virtualClock.ts';
import { VirtualCloud } from '../virtualCloud.ts';
import { VirtualProvider } from '../virtualProvider.ts';
import { describeProviderConformance, nodeLaunch } from './index.ts';

const limitMs = 3_600_000;

describeProviderConformance('VirtualProvider', () => {
  const clock = new VirtualClock();
  const cloud = new VirtualCloud({ clock });
  const provider = new VirtualProvider({ clock, cloud, cluster: 'conformance' });
  const never = new Set<string>();
  const usual = cloud.plan;
  cloud.plan = (launch, random) => ({
    ...usual(launch, random),
    ...(never.has(launch.id) ? { readyMs: Number.POSITIVE_INFINITY } : {}),
  });
  const launch = (id: string, cluster = 'conformance'): NodeLaunch =>
    nodeLaunch(id, { cluster, askedAtMs: clock.nowMs() });
  const refuse = (code: 'stock-out' | 'quota') => cloud.refuse({ instanceType: 'm7i.large' }, code);
  return {
    provider,
    other: new VirtualProvider({ clock, cloud, cluster: 'other' }),
    launch,
    impossible: () => null,
    marksOf: async (id) => cloud.marksOf(id),
    faults: {
      stockOut: () => refuse('stock-out'),
      quota: () => refuse('quota'),
      throttled() {
        cloud.throttle(1000);
        return () => cloud.throttle(null);
      },
      down() {
        provider.disconnect();
        return () => provider.reconnect();
      },
      lostAnswer: () => cloud.loseAnswers(),
      neverJoins(asked) {
        never.add(asked.id);
        return asked;
      },
      dies: (id) => cloud.kill(id),
      hangs: (id) => cloud.hang(id),
      interrupted: (id) => cloud.interrupt(id),
      skewed(skewMs) {
        cloud.skewMs = skewMs;
        return () => {
          cloud.skewMs = 0;
        };
      },
      foreign: () => cloud.addForeign('conformance', launch('any').offering),
      vanishes: (id) => cloud.vanish(id),
    },
    until: (condition, what) => clock.runUntilTrue(condition, limitMs, what),
    pass: () => clock.advance(200_000),
  };
});
