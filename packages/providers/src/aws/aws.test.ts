import { ProviderError } from '@ebb/core';
import { resolveNodePool } from '@ebb/documents';
import { nodeLaunch, VirtualClock } from '@ebb/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openProvider, providerNameOf } from '../openProvider.ts';
import { MemoryBook } from '../testing/memoryBook.ts';
import { openAws } from './aws.ts';
import { awsProblem } from './errors.ts';
import { observedInstance } from './observedInstance.ts';
import { runInstancesInput } from './runInstance.ts';
import { fromList, tagsOf, toList } from './tags.ts';
import { addWish, wishesOf } from './wishes.ts';

const ports = () => ({ clock: new VirtualClock(), book: new MemoryBook(), log() {}, secrets: async () => null });
const settings = (region: string | null) => ({ cluster: 'prod', region, pools: () => [] });

function awsPool(aws: Record<string, unknown>) {
  const spec = { aws: { imageId: 'ami-12c6146b', ...aws } };
  const pool = resolveNodePool({ apiVersion: 'ebb.dev/v1alpha1', kind: 'NodePool', metadata: { name: 'gpu' }, spec });
  if (pool.aws === null) throw new Error('the pool has no spec.aws');
  return pool.aws;
}

test('providers are found by name, and by cluster', async () => {
  await expect(openProvider('aw', settings('x'), ports())).rejects.toThrow(
    /there is no provider "aw"; there are aws, .*; did you mean "aws"\?/,
  );
  for (const name of ['aws', 'rehearsal', 'static']) {
    const provider = await openProvider(name, settings('us-east-1'), ports());
    expect(provider.name).toBe(name);
    await provider.close();
  }
  expect(providerNameOf({ type: 'kubernetes', cloud: 'aws' })).toBe('aws');
  expect(providerNameOf({ type: 'local', cloud: 'on-prem' })).toBe('static');
  expect(providerNameOf({ type: 'local', cloud: 'local' })).toBe('rehearsal');
  expect(providerNameOf({ type: 'rehearsal', cloud: 'aws' })).toBe('rehearsal');
  expect(providerNameOf({ type: 'kubernetes', cloud: 'oracle' })).toBeNull();
});

test('a cluster without a region and an address without TLS are refused by name', async () => {
  await expect(openAws(settings(null), ports())).rejects.toThrow('cluster "prod" names no region of AWS');
  const open = (endpoint: string) => openAws(settings('us-east-1'), ports(), { endpoint });
  for (const endpoint of ['http://example.com', 'https://me@example.com', 'ftp://x', 'http://127.0.0.1.example.com'])
    await expect(open(endpoint)).rejects.toThrow(`EBB_AWS_ENDPOINT "${endpoint}" must be an https address`);
  for (const endpoint of ['https://ec2.example.com', 'http://127.0.0.1:5000', 'http://localhost:5000/'])
    await (await open(endpoint)).close();
});

test.each([
  ['InsufficientInstanceCapacity', 500, 'stock-out', null],
  ['MaxSpotInstanceCountExceeded', 400, 'quota', null],
  ['InstanceLimitExceeded', 400, 'quota', null],
  ['RequestLimitExceeded', 503, 'throttled', 5000],
  ['Throttling', 400, 'throttled', 5000],
  ['UnauthorizedOperation', 403, 'refused', null],
  ['Unsupported', 400, 'unknown-offering', null],
  ['SomethingNew', 400, 'refused', null],
  ['SomethingNew', 503, 'unavailable', null],
  ['TimeoutError', 0, 'unavailable', null],
  ['CredentialsProviderError', 0, 'refused', null],
  ['constructor', 400, 'refused', null],
])('%s with status %d is %s', (name, httpStatusCode, code, retryAfterMs) => {
  const error = Object.assign(new Error('why'), { name, $metadata: httpStatusCode ? { httpStatusCode } : {} });
  expect(awsProblem(error)).toMatchObject({ code, retryAfterMs, message: expect.stringContaining('why') });
});

test('a page of something in between is no word of AWS', () => {
  const page = Object.assign(new Error('XML parse error: <html>'), { $metadata: { httpStatusCode: 502 } });
  expect(awsProblem(page)).toMatchObject({ code: 'unavailable', message: 'AWS answered with status 502' });
  expect(awsProblem(new Error('connect ECONNREFUSED'))).toMatchObject({
    code: 'unavailable',
    message: 'AWS does not answer: connect ECONNREFUSED',
  });
});

test('what is a ProviderError already stays what it is', () => {
  const error = new ProviderError('quota', 'enough');
  expect(awsProblem(error)).toBe(error);
});

test('a machine that does not exist is told apart from another wrong value', () => {
  const of = (message: string) =>
    awsProblem(Object.assign(new Error(message), { name: 'InvalidParameterValue', $metadata: { httpStatusCode: 400 } }))
      .code;
  expect(of("Invalid value 'm7i.enormous' for InstanceType.")).toBe('unknown-offering');
  expect(of('Value () for parameter groupId is invalid.')).toBe('refused');
});

test('reserved machines come out of reservations only', () => {
  const offering = { ...nodeLaunch('a').offering, capacityType: 'reserved' as const };
  const launch = nodeLaunch('a', { offering });
  expect(runInstancesInput(launch, awsPool({}), null)).toMatchObject({
    CapacityReservationSpecification: { CapacityReservationPreference: 'capacity-reservations-only' },
  });
  expect(runInstancesInput(launch, awsPool({ capacityReservation: 'cr-0123456789abcdef0' }), null)).toMatchObject({
    CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: 'cr-0123456789abcdef0' } },
  });
});

test('the request for an id is the same however often it is made, and its token is one AWS takes', () => {
  const subnets = ['a', 'b', 'c'].map((zone, index) => ({ zone: `us-east-1${zone}`, id: `subnet-0000000${index}` }));
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 100 }), (id) => {
      const launch = nodeLaunch(id, { offering: { ...nodeLaunch(id).offering, zone: '*' } });
      const first = runInstancesInput(launch, awsPool({ subnets }), null);
      expect(runInstancesInput(launch, awsPool({ subnets }), null)).toEqual(first);
      expect(first.ClientToken).toMatch(/^[!-~]{1,64}$/);
      expect(subnets.map((subnet) => subnet.id)).toContain(first.SubnetId);
    }),
  );
});

test('user data gets labels and taints, and nothing else is put in', () => {
  const launch = nodeLaunch('n1', {
    labels: { a: '1', b: '2' },
    taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }],
    startupTaints: [{ key: 'new', value: '', effect: 'NoExecute' }],
  });
  const names = ['EBB_LABELS', 'EBB_TAINTS', 'EBB_POOL', 'EBB_OTHER', 'HOME'];
  const text = `${names.map((name) => `\${${name}}`).join(' ')} $EBB_NODE`;
  const { UserData = '' } = runInstancesInput(launch, awsPool({}), text);
  expect(Buffer.from(UserData, 'base64').toString()).toBe(
    `a=1,b=2 gpu=yes:NoSchedule,new=:NoExecute local/default/general \${EBB_OTHER} \${HOME} $EBB_NODE`,
  );
});

test('marks are never crowded out or written over by labels', () => {
  const labels = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`l${index}`, 'x']));
  const mark = { id: 'n1', cluster: 'prod', pool: 'p', askedAtMs: 5, capacityType: 'spot' as const };
  const tags = tagsOf(mark, { ...labels, 'ebb.dev/cluster': 'other', 'aws:x': 'y' }, { tags: { owner: 'ml' } });
  expect(Object.keys(tags).length).toBeLessThanOrEqual(50);
  expect(tags).toMatchObject({ 'ebb.dev/cluster': 'prod', 'ebb.dev/node': 'n1', owner: 'ml' });
  expect(tags).not.toHaveProperty('aws:x');
  expect(fromList(toList(tags))).toEqual(tags);
});

test('a wish is read as it was written, in order of age; foreign tags are left aside', async () => {
  const written: { Key?: string; Value?: string }[] = [];
  const account = {
    autoScaling: {
      send: async ({ input }: { input: { Tags: { Key: string; Value: string }[] } }) => written.push(...input.Tags),
    },
    groupCommands: await import('@aws-sdk/client-auto-scaling'),
  } as unknown as Parameters<typeof addWish>[0];
  const wish = (id: string, askedAtMs: number) => ({
    id,
    pool: 'c/default/p',
    askedAtMs,
    offering: nodeLaunch('x').offering,
  });
  await addWish(account, 'g', wish('b', 7));
  await addWish(account, 'g', wish('a', 3));
  written.push({ Key: 'Name', Value: 'g' }, { Key: 'ebb.dev/wish/x', Value: 'by hand' });
  expect(wishesOf({ Tags: written } as unknown as Parameters<typeof wishesOf>[0])).toEqual([
    wish('a', 3),
    wish('b', 7),
  ]);
});

test.each([
  ['pending', null, false, 'booting', null],
  ['running', null, false, 'running', null],
  ['running', 5, false, 'ready', null],
  ['running', 5, true, 'running', 'unreachable'],
  ['running', null, true, 'running', null],
  ['stopped', 5, false, 'running', 'unreachable'],
  ['shutting-down', 5, false, 'stopping', 'terminated'],
  ['terminated', 5, false, 'gone', 'terminated'],
] as const)(
  'an instance that is %s (ready %s, impaired %s) is %s with failure %s',
  (state, readyAtMs, isImpaired, phase, failure) => {
    const known = { readyAtMs, isImpaired, notice: null, isTold: false };
    const instance = { InstanceId: 'i-1', State: { Name: state }, InstanceType: 'm7i.large' as const };
    expect(observedInstance(instance, { cluster: 'c', region: 'r' }, known)).toMatchObject({
      phase,
      failure,
      cluster: 'c',
    });
  },
);

test('why it ended', () => {
  const ended = (code: string, isTold = false) =>
    observedInstance(
      { InstanceId: 'i-1', State: { Name: 'terminated' }, StateReason: { Code: code, Message: `${code}: why` } },
      { cluster: 'c', region: 'r' },
      { readyAtMs: 5, isImpaired: false, notice: null, isTold },
    );
  expect(ended('Server.SpotInstanceTermination')).toMatchObject({
    failure: 'interrupted',
    message: expect.stringContaining('why'),
  });
  expect(ended('Server.InsufficientInstanceCapacity').failure).toBe('stock-out');
  expect(ended('Client.VolumeLimitExceeded').failure).toBe('quota');
  expect(ended('Client.UserInitiatedShutdown').failure).toBe('terminated');
  expect(ended('Client.UserInitiatedShutdown', true).failure).toBeNull();
});
