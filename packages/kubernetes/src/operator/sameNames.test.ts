import { beforeEach, expect, it } from 'vitest';
import { numberAt, objectAt } from '../client/values.ts';
import { deployment, type FakeCluster } from '../fake/fakeCluster.fixture.ts';
import { fakeOperators } from '../fake/fakeOperators.fixture.ts';
import { scaledObject, type ToldTriggers } from '../fake/operator.fixture.ts';

const sets = 'apps/v1/statefulsets';
const objects = 'keda.sh/v1alpha1/scaledobjects';
const operators = fakeOperators({ podsReadyAfterMs: 5 });
const { started, run, within } = operators;
let cluster: FakeCluster;
let triggers: ToldTriggers;
beforeEach(async () => {
  ({ cluster, triggers } = operators);
  for (const namespace of ['a', 'b']) {
    const set = deployment('web', 3);
    cluster.server.put(sets, { ...set, metadata: { name: 'web', namespace } });
    const object = scaledObject(`jobs-${namespace}`, {
      spec: { scaleTargetRef: { kind: 'StatefulSet', name: 'web' }, cooldownPeriod: 0 },
    });
    cluster.server.put(objects, { ...object, metadata: { ...objectAt(object, 'metadata'), namespace } });
    triggers.say(`jobs-${namespace}`, 30);
  }
  // Pods of both are web-0, web-1 and web-2.
  await within(() => cluster.server.list('v1/pods').length === 6, 'six pods');
});

const count = (namespace: string) => numberAt(cluster.server.get(sets, namespace, 'web'), 'spec', 'replicas');

it('keeps StatefulSets of one name in two namespaces apart, whose pods have the same names', async () => {
  await run({ namespace: ['a', 'b'] });
  const replicas = () =>
    started[0]?.operator
      .leading()
      ?.engine.statuses()
      .map((one) => one.replicas.ready) ?? [];
  await within(() => replicas().join() === '3,3', 'three and three');
  triggers.say('jobs-a', 10);
  await within(() => count('a') === 1, 'one in a');
  triggers.say('jobs-b', 50);
  await within(() => count('b') === 5, 'five in b');
  triggers.say('jobs-b', 20);
  await within(() => count('b') === 2 && replicas().join() === '1,2', 'two in b');
  expect(count('a')).toBe(1);
  const written = cluster.server.seen
    .filter(({ method, path }) => method === 'PUT' && path.endsWith('/scale'))
    .map(({ path, body }) => `${path.split('/')[5]} ${numberAt(body, 'spec', 'replicas')}`);
  expect(written.filter((one) => one.startsWith('a'))).toEqual(['a 1']);
  expect(written.filter((one) => one.startsWith('b'))).toEqual(['b 5', 'b 2']);
});

it('imagines them apart, too', async () => {
  await run({ namespace: ['a', 'b'], mode: 'advice' });
  const advised = () =>
    started[0]?.operator
      .leading()
      ?.advice()
      .map(({ namespace, advised: { wanted, live } }) => `${namespace} ${wanted} ${live}`)
      .sort() ?? [];
  await within(() => advised().join() === 'a 3 3,b 3 3', 'three and three');
  triggers.say('jobs-a', 10);
  await within(() => advised().join() === 'a 1 1,b 3 3', 'one in a');
  triggers.say('jobs-b', 20);
  await within(() => advised().join() === 'a 1 1,b 2 2', 'two in b');
});
