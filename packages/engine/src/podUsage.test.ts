import type { PodUsage } from '@ebb/core';
import { expect, it } from 'vitest';
import { podReading } from './podUsage.ts';

const workload = { cluster: 'local', namespace: 'shop', name: 'web' };

function sample(name: string, usage: Record<string, Record<string, number>>) {
  const containers = Object.entries(usage).map(([container, amounts]) => ({ name: container, usage: amounts }));
  return { name, atMs: 1000, windowMs: 15_000, containers };
}

function usage(...samples: ReturnType<typeof sample>[]): PodUsage {
  return { workload, replicas: 1, pods: [], samples };
}

const cpu = { type: 'cpu', metadata: {} };
const ofMain = { type: 'cpu', metadata: { containerName: 'main' } };

it('adds up the containers of a pod, and leaves out a pod where one of them has not been measured', () => {
  const one = usage(
    sample('a', { main: { cpu: 200 }, proxy: { cpu: 30 } }),
    sample('b', { main: { cpu: 100 }, proxy: { memory: 5 } }),
    sample('c', {}),
  );
  expect(podReading(one, cpu)).toEqual({ pods: [{ name: 'a', valueMilli: 230, atMs: 1000, windowMs: 15_000 }] });
});

it('takes one container where the trigger names one, which every pod has to have', () => {
  const both = usage(sample('a', { main: { cpu: 200 }, proxy: { cpu: 30 } }), sample('b', { main: {} }));
  expect(podReading(both, ofMain)).toEqual({ pods: [{ name: 'a', valueMilli: 200, atMs: 1000, windowMs: 15_000 }] });
  const without = usage(sample('a', { main: { cpu: 200 } }), sample('b', { proxy: { cpu: 30 } }));
  expect(podReading(without, ofMain)).toEqual({ error: 'container main is not in what was measured of pod b' });
});

it('is an error where nothing was measured', () => {
  expect(podReading(usage(), cpu)).toEqual({ error: "nothing was measured of the pods' cpu yet" });
  expect(podReading({ workload, replicas: 1, pods: [], samples: { error: 'no API' } }, cpu)).toEqual({
    error: 'no API',
  });
});
