import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@ebb/testing/services';
import type { Provider } from '@ebb/core';
import { describeProviderConformance, type ProviderUnderTest } from '@ebb/testing/conformance';
import { afterEach, describe, expect, test } from 'vitest';
import { fakePorts, untilTrue } from '../cloud/fakeServer.fixture.ts';
import { objectAt, textAt } from '../cloud/json.ts';
import { cloudPool, launchesOf } from '../cloud/pools.fixture.ts';
import { openAzure } from './azure.ts';
import { allocationFailed, armError, FakeArm, quotaExceeded } from './fakeArm.fixture.ts';

const size = 'Standard_NC4as_T4_v3';
const scaleSets = [
  { name: 'gpu', instanceType: size },
  { name: 'gpu-spot', instanceType: size, capacityType: 'spot' },
];

function flexibleOf({ prefix }: FakeArm) {
  return {
    scaleSet: 'flex',
    image: 'Canonical:ubuntu-24_04-lts:server:latest',
    subnet: `${prefix.replace('Microsoft.Compute', 'Microsoft.Network')}/virtualNetworks/v/subnets/nodes`,
    sshPublicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFake ebb',
  };
}

async function opened(
  cluster: string,
  fake: FakeArm,
  azure: object,
  secret: Record<string, string> | null = fake.secret,
  env: Record<string, string> = {},
): Promise<Provider> {
  const { subscription, resourceGroup, url } = fake;
  const poolOf = (name: string, more: object) =>
    cloudPool(cluster, name, {
      azure: {
        ...{ subscription, resourceGroup, endpoint: url, authority: url },
        ...(secret === null ? {} : { credentialsSecretRef: { name: 'azure' } }),
        ...azure,
        ...more,
      },
    });
  const pools = [poolOf('general', {}), poolOf('late', { readyTag: true })];
  const pace = { pollEveryMs: 4, operationEveryMs: 2, timeoutMs: 2000, acceptWithinMs: 3000, identity: url, env };
  const settings = { cluster, region: 'westeurope', pools: () => pools };
  return openAzure(settings, fakePorts(secret === null ? {} : { azure: secret }), pace);
}

const launchOf = launchesOf({ cloud: 'azure', region: 'westeurope', zone: '*', instanceType: size });

const isLaunch = ({ method, path, body }: { method: string; path: string; body: object }) =>
  (method === 'PUT' && /\/Microsoft.Compute\/virtualMachines\/[^/]+$/.test(path)) ||
  (method === 'PATCH' && 'sku' in body);

async function underTest(isFlexible: boolean): Promise<ProviderUnderTest> {
  const fake = new FakeArm();
  await fake.listen();
  fake.addSet('gpu', size, false);
  fake.addSet('gpu-spot', size, true);
  const azure = isFlexible ? { flexible: flexibleOf(fake) } : { scaleSets };
  const shortage = (what: typeof fake.shortage) => () => {
    fake.shortage = what;
    return () => void (fake.shortage = null);
  };
  return {
    provider: await opened('conformance', fake, azure),
    other: await opened('other', fake, azure),
    launch: (id, cluster) => launchOf(id, cluster),
    impossible: (id) => launchOf(id, undefined, { instanceType: 'Standard_None' }),
    marksOf: async (id) => {
      // In a uniform set a machine is there, and its user data is written a moment later, by the launch or by who watches.
      const written = () => textAt(fake.machineOf(id).body, 'properties', 'userData') !== null;
      await until(written, { withinMs: 10_000, what: () => `the user data of ${id}` });
      const { body } = fake.machineOf(id);
      const tag = (name: string) => textAt(body, 'tags', `ebb-${name}`) ?? '';
      const own = { 'ebb.dev/cluster': tag('cluster'), 'ebb.dev/pool': tag('pool'), 'ebb.dev/node': tag('node') };
      const userData = Buffer.from(textAt(body, 'properties', 'userData') ?? '', 'base64').toString();
      return { ...JSON.parse(userData).labels, ...own };
    },
    faults: {
      stockOut: shortage(allocationFailed),
      quota: shortage(quotaExceeded),
      throttled: () =>
        fake.server.suffer({
          fits: () => true,
          what: armError(429, 'TooManyRequests', 'too many', { 'retry-after': '1' }),
        }),
      down: () => fake.server.suffer({ fits: () => true, what: 'refused' }),
      lostAnswer: () => void fake.server.faults.push({ fits: isLaunch, what: 'lost' }),
      ...(isFlexible ? { neverJoins: (launch) => ({ ...launch, pool: 'conformance/default/late' }) } : {}),
      dies: (id) => void (fake.machineOf(id).power = 'stopped'),
      interrupted: (id) => void (fake.machineOf(id).power = 'deallocating'),
      skewed(skewMs) {
        fake.skewMs = skewMs;
        return () => void (fake.skewMs = 0);
      },
      foreign() {
        if (!isFlexible) return fake.addForeignMember('gpu');
        fake.addForeign('by-hand', { 'ebb-cluster': 'conformance' });
        return `azure://${fake.prefix}/virtualMachines/by-hand`;
      },
      vanishes: (id) => fake.remove(id),
    },
    until: (condition, what) => untilTrue(condition, what),
    async pass() {
      const from = fake.server.asked.length;
      const isList = (line: string) => /\/virtualMachines\?/.test(line);
      await untilTrue(() => fake.server.asked.slice(from).filter(isList).length >= 12, 'lists', 200).catch(() => {});
    },
    close: () => fake.server.close(),
  };
}

describeProviderConformance('Azure, flexible scale sets', () => underTest(true));
describeProviderConformance('Azure, uniform scale sets', () => underTest(false));

describe('what the Resource Manager is asked, and what its answers mean', () => {
  let fake = new FakeArm();
  const open: Provider[] = [];
  afterEach(async () => {
    for (const provider of open.splice(0)) await provider.close();
    await fake.server.close();
  });
  const begin = async (
    azure: object | null = null,
    secret?: Record<string, string> | null,
    env: Record<string, string> = {},
  ): Promise<Provider> => {
    fake = new FakeArm();
    await fake.listen();
    fake.addSet('gpu', size, false);
    const provider = await opened('conformance', fake, azure ?? { flexible: flexibleOf(fake) }, secret, env);
    open.push(provider);
    return provider;
  };

  test('a spot machine in a zone: the body by the documented schema', async () => {
    const provider = await begin();
    await provider.launch(launchOf('a', undefined, { capacityType: 'spot', zone: 'westeurope-2' }));
    expect(fake.machines.get('a')?.body).toMatchObject({
      location: 'westeurope',
      zones: ['2'],
      tags: { 'ebb-cluster': 'conformance', 'ebb-pool': 'conformance/default/general', 'ebb-node': 'a' },
      properties: {
        priority: 'Spot',
        evictionPolicy: 'Delete',
        billingProfile: { maxPrice: -1 },
        virtualMachineScaleSet: { id: `${fake.prefix}/virtualMachineScaleSets/flex` },
        storageProfile: {
          imageReference: { publisher: 'Canonical', sku: 'server' },
          osDisk: { deleteOption: 'Delete' },
        },
        osProfile: { computerName: 'a', linuxConfiguration: { disablePasswordAuthentication: true } },
      },
    });
    expect((await provider.list())[0]?.offering).toEqual({
      ...launchOf('a').offering,
      capacityType: 'spot',
      zone: 'westeurope-2',
    });
  });

  test('a machine that could not be allocated is not left behind', async () => {
    const provider = await begin();
    fake.shortage = allocationFailed;
    await expect(provider.launch(launchOf('b'))).rejects.toMatchObject({ code: 'stock-out' });
    expect(fake.machines.get('b')?.provisioningState ?? 'Deleting').toBe('Deleting');
  });

  test('a uniform set is as large as before when its machine cannot come', async () => {
    const provider = await begin({ scaleSets });
    await provider.launch(launchOf('first'));
    fake.shortage = allocationFailed;
    await expect(provider.launch(launchOf('second'))).rejects.toMatchObject({ code: 'stock-out' });
    const set = fake.sets.get('gpu');
    expect(set?.capacity).toBe(1);
    expect(Object.keys(objectAt(set?.tags))).toEqual([]);
    expect(fake.machineOf('first').provisioningState).not.toBe('Deleting');
  });

  test('several launches at once of a uniform set: each gets a machine of its own', async () => {
    const provider = await begin({ scaleSets });
    const ids = ['u1', 'u2', 'u3', 'u4'];
    await Promise.all(ids.map((id) => provider.launch(launchOf(id))));
    expect(new Set((await provider.list()).map(({ id }) => id))).toEqual(new Set(ids));
    expect(fake.sets.get('gpu')?.capacity).toBe(4);
  });

  test.each([
    [armError(429, 'TooManyRequests', 'slow down', { 'retry-after': '9' }), 'throttled', 9000],
    [armError(409, 'SkuNotAvailable', 'The requested size is currently not available'), 'stock-out', null],
    [armError(409, 'ZonalAllocationFailed', 'no capacity in the zone'), 'stock-out', null],
    [armError(409, 'OverconstrainedAllocationRequest', 'cannot be met'), 'stock-out', null],
    [armError(409, 'QuotaExceeded', 'too many cores'), 'quota', null],
    [armError(409, 'OperationNotAllowed', 'exceeding approved Total Regional Cores quota'), 'quota', null],
    [armError(409, 'OperationNotAllowed', 'The scale set is being deleted'), 'refused', null],
    [armError(403, 'AuthorizationFailed', 'no'), 'refused', null],
    [armError(400, 'InvalidParameter', 'The value of parameter imageReference is invalid.'), 'refused', null],
    [armError(400, 'InvalidParameter', 'The value X provided for the VM size is not valid.'), 'unknown-offering', null],
    [armError(500, 'InternalServerError', 'oops'), 'unavailable', null],
    [{ status: 503 }, 'unavailable', null],
    [
      { status: 409, body: { error: { code: 'DeploymentFailed', message: 'see', details: [allocationFailed] } } },
      'stock-out',
      null,
    ],
  ] as const)('%j', async (answer, code, retryAfterMs) => {
    const provider = await begin();
    fake.server.faults.push({ fits: isLaunch, what: answer });
    await expect(provider.launch(launchOf('c'))).rejects.toMatchObject({ name: 'ProviderError', code, retryAfterMs });
  });

  test('the managed identity of this machine; a token is fetched once', async () => {
    const provider = await begin(null, null);
    await provider.list();
    await provider.list();
    expect(fake.tokens).toBe(1);
  });

  test('the identity of this pod, by the token of its service account as it is by then', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ebb-azure-'));
    const file = join(folder, 'token');
    const { tenantId, clientId } = fake.secret;
    const env = { AZURE_TENANT_ID: tenantId, AZURE_CLIENT_ID: clientId, AZURE_FEDERATED_TOKEN_FILE: file };
    const provider = await begin(null, null, env);
    await expect(provider.list()).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining(file) });
    writeFileSync(file, 'of-an-0ld-day');
    await expect(provider.list()).rejects.toMatchObject({
      code: 'refused',
      message: expect.not.stringContaining('0ld'),
    });
    writeFileSync(file, `${fake.assertion}\n`);
    await provider.list();
    await provider.list();
    expect(fake.tokens).toBe(1);
    rmSync(folder, { recursive: true });
  });

  test.each([
    [
      { tenantId: 't', clientId: 'client', clientSecret: 'wrong-s3cret' },
      'invalid_client: AADSTS7000215: Invalid client secret',
    ],
    [{ tenantId: 't', clientId: 'client' }, 'Secret default/azure needs tenantId, clientId and clientSecret'],
  ])('credentials %j are refused, and nothing of them is told', async (secret, message) => {
    const provider = await begin(null, secret);
    const failed: unknown = await provider.list().catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'refused', message: expect.stringContaining(message) });
    expect(String(failed)).not.toContain('s3cret');
  });

  test('a name that another owner has is refused, and their machine stays', async () => {
    const provider = await begin();
    fake.addForeign('taken', { team: 'web' });
    await expect(provider.launch(launchOf('taken'))).rejects.toMatchObject({ code: 'refused' });
    expect(fake.machines.get('taken')?.provisioningState).not.toBe('Deleting');
  });
});
