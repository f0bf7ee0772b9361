import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { yamlValues } from '@ebb/documents';
import { available, type KubernetesCluster, startKubernetes } from '@ebb/testing/services';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isStatus, KubernetesClient } from '../client/client.ts';
import { openCluster } from '../client/kubeConfig.ts';
import { resources } from '../client/resources.ts';
import type { Transport } from '../client/transport.ts';
import { half, machineClock } from '../fake/fakeCluster.fixture.ts';
import type { Manifest } from '../manifests/settings.ts';

const example = fileURLToPath(new URL('../../../../examples/kubernetes/shop/deployment.yaml', import.meta.url));
const namespace = `ebb-gitops-${process.pid}`;
const path = `/apis/apps/v1/namespaces/${namespace}/deployments/web`;
const at = { namespace, name: 'web' };

/** The example, as it is in a repository, with or without a number of replicas. */
function written(replicas?: number): object {
  const [manifest] = yamlValues(readFileSync(example, 'utf8')) as [Manifest & { spec: object }];
  const { metadata, spec } = manifest;
  return {
    ...manifest,
    metadata: { ...metadata, namespace },
    spec: { ...spec, ...(replicas === undefined ? {} : { replicas }) },
  };
}

describe.runIf(available('kubernetes'))('a GitOps controller and Ebb on one Deployment', () => {
  let cluster: KubernetesCluster;
  let transport: Transport;
  let client: KubernetesClient;
  const clock = machineClock();

  beforeAll(async () => {
    cluster = await startKubernetes();
    await cluster.api.post('/api/v1/namespaces', { metadata: { name: namespace } });
    ({ transport } = await openCluster({ path: cluster.kubeconfig }));
    client = new KubernetesClient({ transport, clock, random: half });
  });
  beforeEach(async () => {
    await cluster.api.send('DELETE', path);
  });
  afterAll(async () => {
    transport?.close();
    clock.close();
    if (cluster && !cluster.parts) await cluster.api.send('DELETE', `/api/v1/namespaces/${namespace}`);
    await cluster?.close();
  });

  /** As Argo CD with ServerSideApply and Flux do: with force, every few minutes. */
  const sync = async (manager: string, manifest: object) => {
    const answer = await cluster.api.send('PATCH', `${path}?fieldManager=${manager}&force=true`, manifest, {
      contentType: 'application/apply-patch+yaml',
    });
    expect(answer.status, answer.text).toBeLessThan(300);
  };
  const scale = async (replicas: number) => {
    // As the driver does: what has changed in between (the Deployment's own controller writes its status) is read again.
    for (let isWritten = false; !isWritten; ) {
      const { resourceVersion } = await client.readScale(resources.deployments, at);
      const write = client.writeScale(resources.deployments, at, replicas, resourceVersion);
      isWritten = await write.then(
        () => true,
        (error: unknown) => {
          if (isStatus(error, 409)) return false;
          throw error;
        },
      );
    }
  };
  const there = () =>
    cluster.api.get<{
      spec: { replicas: number };
      metadata: {
        generation: number;
        managedFields: { manager: string; subresource?: string; fieldsV1: { 'f:spec'?: object } }[];
      };
    }>(path);
  const replicas = async () => (await there()).spec.replicas;
  const owners = async () =>
    (await there()).metadata.managedFields
      .filter(({ fieldsV1 }) => 'f:replicas' in (fieldsV1['f:spec'] ?? {}))
      .map(({ manager, subresource }) => `${manager}${subresource ? ` by /${subresource}` : ''}`);

  it.each(['argocd-controller', 'kustomize-controller'])(
    'keeps what Ebb has scaled to when %s applies the example again and again',
    async (manager) => {
      await sync(manager, written());
      expect(await replicas()).toBe(1);
      for (const count of [7, 0, 3]) {
        await scale(count);
        const { generation } = (await there()).metadata;
        for (let round = 0; round < 3; round++) await sync(manager, written());
        expect(await there()).toMatchObject({ spec: { replicas: count }, metadata: { generation } });
        // A write of /scale takes the field over from an owner; where there was none, the server notes none.
        expect(await owners()).toEqual([]);
      }
    },
  );

  it('is a fight where the number is in the repository, which ends when it is taken out while the count is of Ebb', async () => {
    await sync('argocd-controller', written(3));
    await scale(5);
    await sync('argocd-controller', written(3));
    // What RespectIgnoreDifferences and `replicas` left out are against.
    expect(await replicas()).toBe(3);
    await scale(5);
    expect(await owners()).toEqual(['ebb by /scale']);
    await sync('argocd-controller', written());
    expect(await replicas()).toBe(5);
  });

  it('goes to one when the number is taken out while the count is of the repository', async () => {
    await sync('argocd-controller', written(3));
    await sync('argocd-controller', written());
    // Nobody owns it any more: the default of a Deployment.
    expect(await replicas()).toBe(1);
  });

  it('bears the number that is there, as RespectIgnoreDifferences has Argo CD send it', async () => {
    await sync('argocd-controller', written(3));
    for (const count of [6, 2]) {
      await scale(count);
      await sync('argocd-controller', written(await replicas()));
      expect(await replicas()).toBe(count);
    }
  });
});
