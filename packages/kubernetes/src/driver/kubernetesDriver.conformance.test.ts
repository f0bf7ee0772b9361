import { describeDriverConformance } from '@ebb/testing/conformance';
import { until } from '@ebb/testing/services';
import { resources } from '../client/resources.ts';
import { deployment, startFakeCluster } from '../fake/fakeCluster.fixture.ts';
import { start, workload } from '../fake/webReplica.fixture.ts';
import { Informer } from '../informer/informer.ts';
import { KubernetesDriver } from './kubernetesDriver.ts';
import { plainTargetState } from './target.ts';

describeDriverConformance('the Kubernetes driver', async () => {
  const cluster = await startFakeCluster();
  cluster.server.podsReadyAfterMs = 5;
  cluster.server.put('apps/v1/deployments', deployment('web', 0));
  const { client, clock } = cluster;
  const pods = new Informer({ client, resource: resources.pods, namespace: null }).start();
  await pods.synced;
  const driver = new KubernetesDriver({
    client,
    clock,
    pods,
    bindings: { idOf: () => null, changed: () => {} },
    adopted: { class: 'default', revision: 'target' },
    mayWrite: () => true,
    log: () => {},
  });
  const target = await client.get(resources.deployments, workload);
  if (!target) throw new Error('the Deployment is not there');
  const reference = { workload, resource: resources.deployments, namespace: 'default', name: 'web' };
  driver.manage(reference, plainTargetState(target));
  return {
    driver,
    healthy: start,
    impossible: start,
    neverReady: start,
    crash: () => {},
    watchesOnly: true,
    until: (condition, what) => until(condition, { withinMs: 5000, what: () => what }),
    async close() {
      await driver.close();
      await pods.close();
      await cluster.close();
    },
  };
});
