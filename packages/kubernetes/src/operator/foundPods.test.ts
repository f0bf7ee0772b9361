import { expect, it } from 'vitest';
import { deployment } from '../fake/fakeCluster.fixture.ts';
import { fakeOperators } from '../fake/fakeOperators.fixture.ts';
import { scaledObject } from '../fake/operator.fixture.ts';

const fake = fakeOperators();

it('lowers the count at once of pods that were there before and have no port: nobody drains them', async () => {
  const { server } = fake.cluster;
  server.put('apps/v1/deployments', deployment('web', 3));
  for (const name of ['web-a', 'web-b', 'web-c']) {
    server.put('v1/pods', {
      metadata: { name, namespace: 'default', labels: { app: 'web' } },
      spec: { nodeName: 'node-0', containers: [{ name: 'main' }] },
      status: { phase: 'Running', podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] },
    });
  }
  server.put('keda.sh/v1alpha1/scaledobjects', scaledObject('web'));
  fake.triggers.say('web', 10);
  await fake.run();
  await fake.within(() => server.scales().length > 0, 'the count');
  expect(server.scales()).toEqual([{ name: 'web', replicas: 1 }]);
});
