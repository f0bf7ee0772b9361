import type { NodeObservation, Provider } from '@ebb/core';
import { describeProviderConformance, type ProviderUnderTest } from '@ebb/testing/conformance';
import { afterEach, describe, expect, test } from 'vitest';
import { fakePorts, untilTrue } from '../cloud/fakeServer.fixture.ts';
import { type Json, listAt, objectAt, textAt } from '../cloud/json.ts';
import { cloudPool, launchesOf } from '../cloud/pools.fixture.ts';
import { apiError, FakeCompute, quotaError, stockOut } from './fakeCompute.fixture.ts';
import { openGcp } from './gcp.ts';

const pace = { pollEveryMs: 4, operationEveryMs: 2, timeoutMs: 2000, acceptWithinMs: 3000 };
const zone = 'europe-west4-a';
const type = 'g2-standard-4';
const image = 'projects/debian-cloud/global/images/family/debian-12';
const groups = [
  { name: 'gpu', zone, instanceType: type },
  { name: 'gpu-spot', zone, instanceType: type, capacityType: 'spot' },
  { name: 'ghosts', zone: 'europe-west4-b', instanceType: type },
];

function poolOf(cluster: string, name: string, endpoint: string, gcp: object) {
  return cloudPool(cluster, name, {
    gcp: { project: 'vision-prod', credentialsSecretRef: { name: 'google', key: 'token' }, endpoint, ...gcp },
  });
}

async function opened(
  cluster: string,
  fake: FakeCompute,
  endpoint: string,
  gcp: object,
  token = fake.token,
): Promise<Provider> {
  const pools = [
    poolOf(cluster, 'general', endpoint, gcp),
    poolOf(cluster, 'late', endpoint, { ...gcp, readyLabel: true }),
  ];
  return openGcp({ cluster, region: 'europe-west4', pools: () => pools }, fakePorts({ google: { token } }), pace);
}

const launchOf = launchesOf({ cloud: 'gcp', region: 'europe-west4', zone, instanceType: type });

const isLaunch = ({ method, path }: { method: string; path: string }) =>
  method === 'POST' && (path.endsWith('/instances') || path.endsWith('/createInstances'));

async function underTest(gcp: object, hasGroups: boolean): Promise<ProviderUnderTest> {
  const fake = new FakeCompute();
  for (const group of groups.slice(0, 2)) {
    fake.addGroup({ name: group.name, zone, machineType: type, spot: group.capacityType === 'spot' });
  }
  const endpoint = await fake.server.listen();
  const provider = await opened('conformance', fake, endpoint, gcp);
  const instance = (id: string) => {
    const found = fake.instances.get(`${zone}/${id}`);
    if (!found) throw new Error(`no instance ${id}`);
    return found;
  };
  const shortage = (failure: Json) => {
    fake.shortages.set('*', failure);
    return () => void fake.shortages.delete('*');
  };
  return {
    provider,
    other: await opened('other', fake, endpoint, gcp),
    launch: (id, cluster) => launchOf(id, cluster),
    impossible: (id) => launchOf(id, undefined, { instanceType: 'g2-standard-5' }),
    marksOf: async (id) => {
      const written = hasGroups
        ? objectAt(fake.groups[0]?.members.get(id)?.metadata)
        : Object.fromEntries(
            listAt(instance(id), 'metadata', 'items').map((one) => [textAt(one, 'key'), textAt(one, 'value')]),
          );
      const mark = (name: string) => String(written[`ebb-${name}`]);
      const own = { 'ebb.dev/cluster': mark('cluster'), 'ebb.dev/pool': mark('pool'), 'ebb.dev/node': mark('node') };
      return { ...JSON.parse(mark('labels')), ...own };
    },
    faults: {
      stockOut: () => shortage(stockOut(zone, type)),
      quota: () => shortage(quotaError()),
      throttled: () =>
        fake.server.suffer({ fits: () => true, what: apiError(403, 'rateLimitExceeded', 'Rate Limit Exceeded') }),
      down: () => fake.server.suffer({ fits: () => true, what: 'refused' }),
      lostAnswer: () => void fake.server.faults.push({ fits: isLaunch, what: 'lost' }),
      ...(hasGroups ? {} : { neverJoins: (launch) => ({ ...launch, pool: 'conformance/default/late' }) }),
      dies: (id) => void (instance(id).status = 'TERMINATED'),
      ...(hasGroups
        ? {
            hangs: (id) => {
              const member = fake.groups[0]?.members.get(id);
              if (member) member.health = 'TIMEOUT';
            },
          }
        : {}),
      interrupted: (id) => fake.preempt(id),
      skewed(skewMs) {
        fake.skewMs = skewMs;
        return () => void (fake.skewMs = 0);
      },
      foreign() {
        fake.addForeign(zone, 'by-hand', { 'ebb-cluster': 'conformance' });
        return `gce://vision-prod/${zone}/by-hand`;
      },
      vanishes(id) {
        fake.instances.delete(`${zone}/${id}`);
        fake.groups[0]?.members.delete(id);
      },
    },
    until: (condition, what) => untilTrue(condition, what),
    async pass() {
      const from = fake.server.asked.length;
      const isList = (line: string) => line.includes('aggregated/instances');
      const lists = () => fake.server.asked.slice(from).filter(isList).length;
      await untilTrue(() => lists() >= 6, 'lists', 200).catch(() => {});
    },
    close: () => fake.server.close(),
  };
}

describeProviderConformance('GCP, machines one by one', () => underTest({ image }, false));
describeProviderConformance('GCP, managed instance groups', () => underTest({ groups }, true));

describe('what Compute Engine is asked, and what its answers mean', () => {
  let fake = new FakeCompute();
  const open: Provider[] = [];
  afterEach(async () => {
    for (const provider of open.splice(0)) await provider.close();
    await fake.server.close();
  });
  const begin = async (gcp: object = { image }, token?: string): Promise<Provider> => {
    fake = new FakeCompute();
    const provider = await opened('conformance', fake, await fake.server.listen(), gcp, token);
    open.push(provider);
    return provider;
  };

  test('a spot machine with a GPU that is attached: the body by the documented schema', async () => {
    const provider = await begin({
      image,
      metadata: { 'startup-script': '#!/bin/sh' },
      acceleratorType: 'nvidia-tesla-t4',
      serviceAccount: 'nodes@vision-prod.iam.gserviceaccount.com',
    });
    await provider.launch(launchOf('a', undefined, { capacityType: 'spot', instanceType: 'e2-medium' }));
    const body = fake.instances.get(`${zone}/a`);
    expect(body).toMatchObject({
      labels: { 'ebb-cluster': 'conformance', 'ebb-pool': 'conformance_default_general', 'ebb-node': 'a' },
      scheduling: { provisioningModel: 'SPOT', instanceTerminationAction: 'DELETE', onHostMaintenance: 'TERMINATE' },
      guestAccelerators: [{ acceleratorType: `zones/${zone}/acceleratorTypes/nvidia-tesla-t4`, acceleratorCount: 1 }],
      disks: [{ boot: true, initializeParams: { sourceImage: image, diskSizeGb: '100' } }],
    });
    expect(fake.server.asked[0]).toMatch(/\/zones\/europe-west4-a\/instances\?requestId=[0-9a-f-]{36}$/);
    expect((await provider.list())[0]?.offering).toMatchObject({
      capacityType: 'spot',
      instanceType: 'e2-medium',
      zone,
    });
  });

  test('any zone: the next one is tried where one has none left', async () => {
    const provider = await begin();
    for (const one of fake.zones.slice(0, 2)) fake.shortages.set(`${one}/${type}`, stockOut(one, type));
    await provider.launch(launchOf('b', undefined, { zone: '*' }));
    expect((await provider.list()).map(({ offering }) => offering.zone)).toEqual(['europe-west4-c']);
    fake.shortages.set('*', stockOut('all', type));
    await expect(provider.launch(launchOf('c', undefined, { zone: '*' }))).rejects.toMatchObject({ code: 'stock-out' });
  });

  test('a template: machine type and capacity come from the launch', async () => {
    const provider = await begin({ template: 'global/instanceTemplates/gpu' });
    await provider.launch(launchOf('d'));
    expect(fake.server.asked[1]).toContain('sourceInstanceTemplate=global%2FinstanceTemplates%2Fgpu');
    const body = fake.instances.get(`${zone}/d`);
    expect(body).not.toHaveProperty('disks');
    // What a request says of labels and metadata takes the place of all that the template says.
    expect(body).toMatchObject({ labels: { team: 'vision', 'ebb-node': 'd' } });
    expect(listAt(body, 'metadata', 'items')).toContainEqual({ key: 'startup-script', value: '#!/bin/sh' });
    await expect(provider.launch(launchOf('d2'))).resolves.toBeUndefined();
  });

  test('a template that is not there is refused', async () => {
    const provider = await begin({ template: 'global/instanceTemplates/none' });
    await expect(provider.launch(launchOf('e'))).rejects.toMatchObject({ code: 'refused' });
  });

  test.each([
    [apiError(429, 'rateLimitExceeded', 'Quota exceeded for quota metric', { 'retry-after': '7' }), 'throttled', 7000],
    [apiError(403, 'quotaExceeded', "Quota 'CPUS' exceeded."), 'quota', null],
    [apiError(403, 'forbidden', "Required 'compute.instances.create' permission"), 'refused', null],
    [apiError(400, 'invalid', "Invalid value for field 'resource.name'"), 'refused', null],
    [
      apiError(404, 'notFound', "The resource 'zones/x/machineTypes/g9-standard-4' was not found"),
      'unknown-offering',
      null,
    ],
    [apiError(503, 'insufficientCapacity', 'no capacity'), 'stock-out', null],
    [apiError(500, 'internalError', 'Internal Error'), 'unavailable', null],
    [apiError(503, 'backendError', 'Backend Error'), 'unavailable', null],
    [{ status: 502 }, 'unavailable', null],
  ] as const)('%j', async (answer, code, retryAfterMs) => {
    const provider = await begin();
    fake.server.faults.push({ fits: isLaunch, what: answer });
    await expect(provider.launch(launchOf('e'))).rejects.toMatchObject({ name: 'ProviderError', code, retryAfterMs });
  });

  test('an operation that goes on is followed by lists, and a name that another owner has is refused', async () => {
    const provider = await begin();
    fake.addForeign(zone, 'taken', {});
    await expect(provider.launch(launchOf('taken'))).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('not of cluster conformance'),
    });
    fake.operationSteps = 1_000_000;
    await provider.launch(launchOf('slow'));
    await untilTrue(() => fake.operations.length > 0, 'the operation');
    expect((await provider.list()).map(({ id }) => id)).toEqual(['slow']);
  });

  test('ids that are no names get a name of their own', async () => {
    const provider = await begin();
    await provider.launch(launchOf('Team/GPU_1'));
    const [seen]: readonly NodeObservation[] = await provider.list();
    expect(seen?.id).toBe('Team/GPU_1');
    expect(seen?.providerId).toMatch(/^gce:\/\/vision-prod\/europe-west4-a\/n-team-gpu-1-[0-9a-f]{10}$/);
  });

  test.each([
    ['wrong', 'Invalid Credentials'],
    ['not a token', 'neither the JSON key of a service account nor a token'],
    ['{"private_key":"-----BEGIN"}', 'has client_email and private_key, this has private_key'],
    ['{"client_email":"a@b","private_key":"s3cret"}', 'private_key of the Secret is no key'],
    ['{s3cret', 'is not JSON'],
  ])('credentials %j are refused, and nothing of them is told', async (token, message) => {
    const provider = await begin({ image }, token);
    const failed = provider.list().catch((error: unknown) => error);
    expect(await failed).toMatchObject({ code: 'refused', message: expect.stringContaining(message) });
    expect(String(await failed)).not.toContain('s3cret');
  });

  test('a pool without spec.gcp, and a group for which there is none', async () => {
    const provider = await begin({ groups });
    await expect(provider.launch({ ...launchOf('f'), pool: 'conformance/default/none' })).rejects.toMatchObject({
      code: 'refused',
      message: 'pool conformance/default/none is not there',
    });
    await expect(provider.launch(launchOf('g', undefined, { capacityType: 'reserved' }))).rejects.toMatchObject({
      code: 'unknown-offering',
    });
  });
});
