import { expect, it } from 'vitest';
import { listAt, textAt } from '../client/values.ts';
import { deployment } from '../fake/fakeCluster.fixture.ts';
import { fakeOperators } from '../fake/fakeOperators.fixture.ts';

const fake = fakeOperators();
const workloads = 'ebb.dev/v1alpha1/workloads';

function workload(name: string, sizing?: object) {
  const spec = { classes: [{ command: ['pod'] }], scaling: { minReplicas: 1, maxReplicas: 2 } };
  return { metadata: { name, namespace: 'default' }, spec: { ...spec, ...(sizing ? { sizing } : {}) } };
}

const condition = (name: string) => {
  const found = fake.cluster.server.get(workloads, 'default', name);
  return listAt(found, 'status', 'conditions').find((one) => textAt(one, 'type') === 'Sizing');
};

function put(sizing: object): void {
  for (const name of ['web', 'plain']) fake.cluster.server.put('apps/v1/deployments', deployment(name, 1));
  fake.cluster.server.put(workloads, workload('web', sizing));
  fake.cluster.server.put(workloads, workload('plain'));
}

it('is measured for Workloads that ask for it alone, and says what is missing', async () => {
  put({ apply: 'inPlace' });
  await fake.run({ sizing: true });
  await fake.within(() => textAt(condition('web'), 'reason') === 'NotMeasured', 'the condition');
  expect(textAt(condition('web'), 'message')).toContain('install metrics-server');
  const asked = fake.cluster.server.seen.filter(({ path }) => path.includes('metrics.k8s.io/v1beta1/namespaces'));
  expect(asked).toHaveLength(1);
  expect(condition('plain')).toBeUndefined();
  fake.cluster.server.put(workloads, workload('web'));
  await fake.within(() => condition('web') === undefined, 'no condition');
});

it('is said to be off where the operator runs without it', async () => {
  put({ apply: 'nextRollout' });
  await fake.run();
  await fake.within(() => textAt(condition('web'), 'reason') === 'NotSwitchedOn', 'the condition');
  expect(fake.cluster.server.seen.some(({ path }) => path.includes('metrics.k8s.io'))).toBe(false);
});
