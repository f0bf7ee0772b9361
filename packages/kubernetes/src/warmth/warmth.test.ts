import { describe, expect, it } from 'vitest';
import { isObject, type JsonObject, listAt, numberAt, objectAt, textAt } from '../client/values.ts';
import { fakeOperators } from '../fake/fakeOperators.fixture.ts';
import { deployment } from '../fake/fakeCluster.fixture.ts';
import { scaledObject } from '../fake/operator.fixture.ts';
import { warmthWanted } from './annotations.ts';

const images = { pause: 'pause:1', tool: 'busybox:1' };
const daemonSets = 'apps/v1/daemonsets';
const deployments = 'apps/v1/deployments';
const fake = fakeOperators();
const { run, within } = fake;

function target(more: { annotations?: Record<string, string>; image?: string; replicas?: number } = {}): JsonObject {
  const labels = { app: 'web' };
  const { annotations = {}, image = 'registry/web:1', replicas = 0 } = more;
  const spec = {
    ...{ nodeSelector: { disk: 'ssd' }, serviceAccountName: 'web', imagePullSecrets: [{ name: 'registry' }] },
    tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
    affinity: { nodeAffinity: { marked: true }, podAntiAffinity: { marked: true } },
    volumes: [{ name: 'models', hostPath: { path: '/models' } }],
    initContainers: [{ name: 'fetch', image: 'registry/fetch:1', resources: { requests: { cpu: '2' } } }],
    containers: [
      {
        name: 'main',
        image,
        resources: { requests: { cpu: '1500m', memory: '1Gi' }, limits: { 'nvidia.com/gpu': 1 } },
      },
      { name: 'proxy', image: 'registry/fetch:1', resources: { requests: { cpu: '100m' } } },
    ],
  };
  const template = { metadata: { labels }, spec };
  return { ...deployment('web', replicas, { template }), metadata: { name: 'web', namespace: 'default', annotations } };
}

const warm = { 'ebb.dev/prepull': 'true', 'ebb.dev/headroom': '2' };
const get = (collection: string, name: string) => fake.cluster.server.get(collection, 'default', name) ?? null;
const writes = () =>
  fake.cluster.server.seen.filter(
    ({ method, path }) => method !== 'GET' && /\/(daemonsets|deployments)(\/ebb-[^/]*)?$/.test(path),
  );
const condition = () => {
  const found = fake.cluster.server.get('keda.sh/v1alpha1/scaledobjects', 'default', 'web');
  return listAt(found, 'status', 'conditions').find((one) => textAt(one, 'type') === 'Warmth');
};

async function followed(annotations: Record<string, string>, on: 'target' | 'scaledObject' = 'target'): Promise<void> {
  fake.cluster.server.put(deployments, target(on === 'target' ? { annotations } : {}));
  fake.cluster.server.put(
    'keda.sh/v1alpha1/scaledobjects',
    scaledObject('web', on === 'scaledObject' ? { annotations } : {}),
  );
  await run({ warmth: images });
}

describe('what keeps a target warm', () => {
  it.each(['target', 'scaledObject'] as const)('is made for annotations of the %s, and goes with them', async (on) => {
    await followed(warm, on);
    await within(() => get(daemonSets, 'ebb-prepull-web') !== null, 'the DaemonSet');
    await within(() => numberAt(get(deployments, 'ebb-headroom-web'), 'spec', 'replicas') === 2, 'two pause pods');
    if (on === 'target') fake.cluster.server.put(deployments, target());
    else fake.cluster.server.put('keda.sh/v1alpha1/scaledobjects', scaledObject('web'));
    await within(() => get(daemonSets, 'ebb-prepull-web') === null, 'no DaemonSet');
    await within(() => get(deployments, 'ebb-headroom-web') === null, 'no pause pods');
    expect(
      writes()
        .map(({ method }) => method)
        .sort(),
    ).toEqual(['DELETE', 'DELETE', 'POST', 'POST']);
  });

  it('pulls each image once, where pods may run, with no rights and no more than its own volume', async () => {
    await followed(warm);
    await within(() => get(daemonSets, 'ebb-prepull-web') !== null, 'the DaemonSet');
    const made = get(daemonSets, 'ebb-prepull-web');
    const uid = textAt(get(deployments, 'web'), 'metadata', 'uid');
    expect(objectAt(made, 'metadata').ownerReferences).toEqual([
      { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid, controller: false, blockOwnerDeletion: false },
    ]);
    const spec = objectAt(made, 'spec', 'template', 'spec');
    expect(
      listAt(spec, 'initContainers').map((one) => [textAt(one, 'image'), listAt(one, 'command').join(' ')]),
    ).toEqual([
      ['busybox:1', '/bin/busybox cp /bin/busybox /ebb/busybox'],
      ['registry/fetch:1', '/ebb/busybox true'],
      ['registry/web:1', '/ebb/busybox true'],
    ]);
    expect(spec).toMatchObject({
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
      affinity: { nodeAffinity: { marked: true } },
      imagePullSecrets: [{ name: 'registry' }],
      serviceAccountName: 'web',
      automountServiceAccountToken: false,
      priorityClassName: 'ebb-headroom',
      securityContext: { runAsNonRoot: true },
    });
    expect(objectAt(spec, 'affinity')).not.toHaveProperty('podAntiAffinity');
    expect(listAt(spec, 'volumes')).toEqual([{ name: 'tool', emptyDir: { sizeLimit: '16Mi' } }]);
    const containers = [...listAt(spec, 'initContainers'), ...listAt(spec, 'containers')];
    for (const one of containers) {
      expect(objectAt(one, 'securityContext')).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
      });
      expect(isObject(one) && one.resources).not.toMatchObject({ limits: { 'nvidia.com/gpu': 1 } });
    }
  });

  it('keeps the room of one whole pod of the target for each pause pod', async () => {
    await followed(warm);
    await within(() => get(deployments, 'ebb-headroom-web') !== null, 'pause pods');
    const spec = objectAt(get(deployments, 'ebb-headroom-web'), 'spec', 'template', 'spec');
    expect(listAt(spec, 'containers')).toMatchObject([
      {
        image: 'pause:1',
        resources: {
          // The init container needs more than both others together.
          requests: { cpu: '2000m', memory: String(1024 ** 3), 'nvidia.com/gpu': '1' },
          limits: { 'nvidia.com/gpu': '1' },
        },
      },
    ]);
    expect(spec).toMatchObject({
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      priorityClassName: 'ebb-headroom',
      nodeSelector: { disk: 'ssd' },
      affinity: { nodeAffinity: { marked: true }, podAntiAffinity: { marked: true } },
    });
    const labels = objectAt(get(deployments, 'ebb-headroom-web'), 'spec', 'template', 'metadata', 'labels');
    expect(labels).not.toHaveProperty('app');
  });

  it('is written once for each change that matters, and put right', async () => {
    await followed(warm);
    await within(() => writes().length === 2, 'both');
    fake.cluster.server.put(deployments, target({ annotations: warm, replicas: 3 }));
    fake.cluster.server.put(deployments, target({ annotations: warm, image: 'registry/web:2' }));
    await within(() => writes().length === 3, 'the new image');
    expect(writes().at(-1)).toMatchObject({ method: 'PUT', path: expect.stringContaining('ebb-prepull-web') });
    const pause = get(deployments, 'ebb-headroom-web') ?? {};
    fake.cluster.server.put(deployments, { ...pause, spec: { ...objectAt(pause, 'spec'), replicas: 9 } });
    await within(() => numberAt(get(deployments, 'ebb-headroom-web'), 'spec', 'replicas') === 2, 'two again');
    fake.cluster.server.remove(daemonSets, 'default', 'ebb-prepull-web');
    await within(() => get(daemonSets, 'ebb-prepull-web') !== null, 'the DaemonSet again');
    expect(writes()).toHaveLength(5);
    await within(() => textAt(condition(), 'reason') === 'Kept', 'the condition');
    expect(condition()).toMatchObject({
      status: 'True',
      message: 'its images are on 0 of 0 nodes; 0 of 2 pause pods keep room',
    });
  });

  it('goes where an earlier leader made it and nobody follows the target any more', async () => {
    await followed(warm);
    await within(() => writes().length === 2, 'both');
    const [first] = fake.started.splice(0);
    await first?.stop();
    fake.cluster.server.remove('keda.sh/v1alpha1/scaledobjects', 'default', 'web');
    await run({ warmth: images });
    await within(() => get(daemonSets, 'ebb-prepull-web') === null, 'no DaemonSet');
    await within(() => get(deployments, 'ebb-headroom-web') === null, 'no pause pods');
    expect(get(deployments, 'web')).not.toBeNull();
  });

  it('is not made by an operator that only advises, or without the part', async () => {
    fake.cluster.server.put(deployments, target({ annotations: warm, replicas: 1 }));
    fake.cluster.server.put('keda.sh/v1alpha1/scaledobjects', scaledObject('web'));
    for (const more of [{ mode: 'advice' as const, warmth: images }, {}]) {
      const one = await run({ ...more, identity: `${more.mode}` });
      fake.triggers.say('web', 30);
      await within(
        () =>
          one.operator.leading()?.engine.status({ cluster: 'local', namespace: 'default', name: 'web' })?.replicas
            .wanted === 3,
        'a decision',
      );
      await one.stop();
      fake.started.splice(0);
    }
    expect(writes()).toEqual([]);
  });

  it('leaves what others have made by its name, and says what is wrong', async () => {
    fake.cluster.server.put(daemonSets, { metadata: { name: 'ebb-prepull-web', namespace: 'default' }, spec: {} });
    await followed({ 'ebb.dev/prepull': 'true' });
    await within(() => textAt(condition(), 'reason') === 'NotWritten', 'the condition');
    expect(textAt(condition(), 'message')).toBe('there is a DaemonSet ebb-prepull-web already that Ebb has not made');
    fake.cluster.server.put(deployments, target({ annotations: { 'ebb.dev/headroom': 'many' } }));
    await within(() => textAt(condition(), 'reason') === 'InvalidAnnotation', 'the other');
    expect(get(daemonSets, 'ebb-prepull-web')?.spec).toEqual({});
  });
});

it.each([
  [{}, { prepull: false, headroom: 0, problem: null }],
  [warm, { prepull: true, headroom: 2, problem: null }],
  [
    { 'ebb.dev/headroom': '0', 'ebb.dev/prepull': 'false' },
    { prepull: false, headroom: 0, problem: null },
  ],
  [
    { 'ebb.dev/headroom': '1e3' },
    { headroom: 0, problem: expect.stringContaining('is "1e3"; allowed: whole numbers') },
  ],
  [{ 'ebb.dev/headroom': '1001' }, { headroom: 0, problem: expect.stringContaining('0 to 1000') }],
  [{ 'ebb.dev/prepull': 'yes' }, { prepull: false, problem: 'ebb.dev/prepull is "yes"; allowed: "true", "false"' }],
])('reads the annotations %j', (annotations, expected) => {
  expect(warmthWanted([{ annotations: {} }, { annotations }, { annotations: warm }])).toMatchObject(
    Object.keys(annotations).length === 0 ? { prepull: true, headroom: 2 } : expected,
  );
});
