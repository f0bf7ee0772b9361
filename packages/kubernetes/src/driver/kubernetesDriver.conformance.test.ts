import type { ReplicaStart } from '@ebb/core';
import { describeDriverConformance } from '@ebb/testing/conformance';
import { until } from '@ebb/testing/services';
import { resources } from '../client/resources.ts';
import { deployment, startFakeCluster } from '../fake/fakeCluster.fixture.ts';
import { Informer } from '../informer/informer.ts';
import { KubernetesDriver } from './kubernetesDriver.ts';
import { plainTargetState } from './target.ts';

const workload = { cluster: 'local', namespace: 'default', name: 'web' };

const start = (id: string): ReplicaStart => ({
  id,
  workload,
  class: 'default',
  revision: 'target',
  node: 'local',
  command: ['pod'],
  env: {},
  envFromHost: [],
  workingDirectory: '/',
  port: 'auto',
  resources: { requests: { cpuMilli: 0, memoryBytes: 0, gpuMilli: 0 }, limits: {} },
  probes: {
    startup: { action: { type: 'tcp' }, timeoutMs: 1, budgetMs: 1 },
    readiness: { action: { type: 'tcp' }, periodMs: 1, timeoutMs: 1, successThreshold: 1, failureThreshold: 1 },
    liveness: null,
  },
  terminationGraceMs: 0,
});

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
