import { PassThrough } from 'node:stream';
import type { Provider } from '@ebb/core';
import { VirtualClock, VirtualCloud, VirtualProvider } from '@ebb/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeCompute, quotaError, stockOut } from '../../../providers/src/gcp/fakeCompute.fixture.ts';
import { plan } from '../actions/plan.ts';
import { makeContext } from '../context.ts';
import { agrees } from '../nodes/agree.ts';
import { commandFolder, memoryHost } from '../runMain.fixture.ts';

const env = { NO_COLOR: '1', EBB_DATA: 'data' };
const { at, write, read, ebb } = commandFolder({ env });

const documents = (type: string, cloud: string, pool: string) => `
apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata: { name: llm }
spec:
  cluster: cloud
  classes:
    - command: [serve]
      resources: { requests: { cpu: 3, memory: 12Gi, gpu: 1, gpuMemory: 20Gi } }
  scaling: { minReplicas: 2, maxReplicas: 40 }
---
apiVersion: ebb.dev/v1alpha1
kind: Cluster
metadata: { name: cloud }
spec: { type: ${type}, cloud: ${cloud}, region: europe-west4 }
---
apiVersion: ebb.dev/v1alpha1
kind: NodePool
metadata: { name: gpu }
spec:
  cluster: cloud
  instanceTypes: [g2-standard-4, g2-standard-8]
  startTimeout: 10m
  startStages: { boot: 0s }
${pool}`;

const budget = ['--budget-units', '4000'];

describe('on Google Cloud, as far as the fake answers', () => {
  let fake = new FakeCompute();
  beforeEach(async () => {
    fake = new FakeCompute();
    fake.operationSteps = 0;
    fake.beginsAs = 'RUNNING';
    const endpoint = await fake.server.listen();
    const image = 'projects/debian-cloud/global/images/family/debian-12';
    const gcp = `{ project: vision-prod, endpoint: '${endpoint}', image: ${image}, credentialsSecretRef: { name: google, key: token } }`;
    const secret = `---\napiVersion: v1\nkind: Secret\nmetadata: { name: google }\nstringData: { token: ${fake.token} }\n`;
    write('gcp.yaml', documents('kubernetes', 'gcp', `  gcp: ${gcp}\n${secret}`));
  });
  afterEach(() => fake.server.close());

  test('rents what the plan buys, lists it, plans over it, and ends it', async () => {
    const rented = await ebb('plan', '-f', 'gcp.yaml', '--apply', '--yes', ...budget);
    expect(rented).toMatchObject({
      code: 0,
      err: expect.stringMatching(/asked for g2-standard-4 on-demand in europe-west4/),
    });
    expect(rented.out).toMatch(/2 machines rented: \$1\.4\d an hour/);
    expect([...fake.instances.values()].map(({ labels }) => labels)).toMatchObject([
      { 'ebb-cluster': 'cloud', 'ebb-pool': 'cloud_default_gpu' },
      { 'ebb-cluster': 'cloud' },
    ]);
    expect(rented.out + rented.err).not.toContain(fake.token);
    const again = await ebb('plan', '-f', 'gcp.yaml', '--existing', '--apply', '--yes', ...budget);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('nothing to buy') });
    expect(fake.instances.size).toBe(2);
    const { out, code } = await ebb('node', 'list', '-f', 'gcp.yaml', '--json');
    expect(code).toBe(0);
    const [first, second] = JSON.parse(out).items;
    expect(first).toMatchObject({ phase: 'ready', pool: 'cloud/default/gpu' });
    const ended = await ebb('node', 'end', first.id, second.providerId, '-f', 'gcp.yaml', '--yes');
    expect(ended).toMatchObject({ code: 0, out: `${first.id} is ending\n${second.id} is ending\n` });
    expect([...fake.instances.values()].map(({ status }) => status)).toEqual(['STOPPING', 'STOPPING']);
    const near = await ebb('node', 'end', `${first.id}x`, '-f', 'gcp.yaml', '--yes');
    expect(near).toMatchObject({ code: 1, err: expect.stringContaining(`Did you mean "${first.id}"?`) });
  });

  test('a stock-out: the plan is made anew without it', async () => {
    fake.shortages.set('g2-standard-4', stockOut('europe-west4-a', 'g2-standard-4'));
    const { code, out, err } = await ebb('plan', '-f', 'gcp.yaml', '--apply', '--yes', '--json', ...budget);
    expect(code).toBe(0);
    expect(err).toMatch(/planned anew without gcp\/europe-west4\/\*\/g2-standard-4\/on-demand$/m);
    const { machines } = JSON.parse(out);
    const states = machines.map(
      (one: { state: string; offering: { instance: string } }) => `${one.offering.instance} ${one.state}`,
    );
    expect(states.sort()).toEqual([
      'g2-standard-4 short',
      'g2-standard-4 short',
      'g2-standard-8 up',
      'g2-standard-8 up',
    ]);
    expect(fake.instances.size).toBe(2);
  });

  test('nothing can be had: exit code 1, and nothing is left behind', async () => {
    fake.shortages.set('*', quotaError());
    const { code, out, err } = await ebb('plan', '-f', 'gcp.yaml', '--apply', '--yes', ...budget);
    expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining('0 machines rented') });
    expect(err).toContain('quota: Google Cloud: Quota');
    expect(fake.instances.size).toBe(0);
  });

  test('a provider that refuses says so in a sentence', async () => {
    const right = fake.token;
    fake.token = 'another';
    const { code, err } = await ebb('node', 'list', '-f', 'gcp.yaml');
    expect({ code, err }).toEqual({
      code: 1,
      err: 'ebb: the provider of cluster cloud: Google Cloud: Invalid Credentials (authError)\n',
    });
    expect(err).not.toContain(right);
  });

  test('nobody agrees: nothing is rented', async () => {
    const { code, err } = await ebb('plan', '-f', 'gcp.yaml', '--apply', ...budget);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('--yes agrees beforehand') });
    expect(fake.server.asked).toEqual([]);
  });
});

describe('in virtual time', () => {
  async function run(
    change: (cloud: VirtualCloud) => void,
    meanwhile: (cloud: VirtualCloud, told: string) => void = () => {},
  ) {
    write('virtual.yaml', documents('kubernetes', 'gcp', ''));
    const clock = new VirtualClock();
    const cloud = new VirtualCloud({ clock });
    change(cloud);
    const provider: Provider = new VirtualProvider({ clock, cloud, cluster: 'cloud' });
    const { told, process } = memoryHost(env);
    const context = makeContext(process, at());
    const flags = { file: ['virtual.yaml'], apply: true, yes: true, budgetUnits: 4000 };
    const ended: { code: string | null } = { code: null };
    const done = plan(context, flags, { clock, open: () => Promise.resolve(provider) }).then((exit) => {
      ended.code = exit;
    });
    // The plan itself is made in a thread, in real time; then virtual time may pass.
    while (ended.code === null) {
      await new Promise((resolve) => setImmediate(resolve));
      meanwhile(cloud, told.err);
      if (/asked for/.test(told.err)) await clock.advance(5000);
    }
    await done;
    return { ...ended, ...told };
  }

  test('waits until machines run', async () => {
    const { code, out, err } = await run(() => {});
    expect({ code, out }).toEqual({ code: 'ok', out: expect.stringContaining('2 machines rented') });
    expect(err.match(/is up after/g)?.length).toBe(2);
  });

  test('throttled: asks again with the same id until it may', async () => {
    const { code, err } = await run(
      (cloud) => cloud.throttle(1000),
      (cloud, told) => (told.includes('throttled:') ? cloud.throttle(null) : undefined),
    );
    expect(code).toBe('ok');
    expect(err).toMatch(/throttled:/);
    expect(new Set(err.match(/cloud-gpu-[0-9a-f]{8}/g)).size).toBe(2);
  });

  test('one that never runs is ended when its time is over', async () => {
    const { code, out, err } = await run((cloud) => {
      const usual = cloud.plan;
      cloud.plan = (launch, random) => ({
        ...usual(launch, random),
        runningMs: Number.POSITIVE_INFINITY,
        readyMs: Number.POSITIVE_INFINITY,
      });
    });
    expect(code).toBe('failed');
    expect(err).toContain('did not run within 10 min 0 s, and was ended');
    expect(out).toContain('0 machines rented');
  });
});

test('a rehearsal: machines of a book, which node list shows afterwards', async () => {
  write('rehearsal.yaml', documents('rehearsal', 'gcp', ''));
  const rented = await ebb('plan', '-f', 'rehearsal.yaml', '--apply', '--yes', ...budget);
  expect(rented).toMatchObject({ code: 0, out: expect.stringContaining('2 machines rented') });
  const listed = await ebb('node', 'list', '-f', 'rehearsal.yaml');
  expect(listed.out.match(/g2-standard-4 +\S+ +on-demand +(running|ready)/g)?.length).toBe(2);
});

test("machines of one's own: each is there once, and woken by its command", async () => {
  const woken = at('woken');
  const own = (name: string, wake: string) =>
    `    - { name: ${name}, instanceType: tower, cpu: 8, memory: 32Gi, gpu: { model: L4, count: 1, memory: 24Gi }, wake: ${wake} }\n`;
  const touch = `[/bin/sh, -c, 'echo "$EBB_MACHINE" >> ${woken}']`;
  const pool = `  machines:\n${own('one', touch)}${own('two', touch)}`;
  const site = documents('kubernetes', 'on-prem', pool).replace(
    '  instanceTypes: [g2-standard-4, g2-standard-8]\n',
    '',
  );
  write('own.yaml', site);
  const all = ['plan', '-f', 'own.yaml', '--apply', '--yes', ...budget];
  const rented = await ebb(...all);
  expect(rented).toMatchObject({ code: 0, out: expect.stringContaining('2 machines rented') });
  expect(read('woken').split('\n').filter(Boolean).toSorted()).toEqual(['one', 'two']);
  const third = await ebb('plan', '-f', 'own.yaml', '--existing', '--replicas', 'llm=3', ...budget);
  expect(third).toMatchObject({ code: 1, out: expect.stringContaining('no place for') });
});

test.each([
  ['local', 'gcp', 'cluster cloud is local: its replicas run on this machine'],
  ['kubernetes', 'oracle', 'this version rents no machines of the cloud "oracle"'],
])('clusters of type %s in %s are refused', async (type, cloud, message) => {
  write('no.yaml', documents(type, cloud, ''));
  const { code, err } = await ebb('plan', '-f', 'no.yaml', '--apply', '--yes', ...budget);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) });
});

test.each([
  ['y\n', true],
  ['yes\n', true],
  ['\n', false],
  ['no\n', false],
])('the answer %j', async (answer, expected) => {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  input.end(answer);
  let asked = '';
  const stderr = { isTTY: true, write: (text: string) => (asked += text) };
  expect(await agrees({ stderr }, 'Rent 2 machines?', input)).toBe(expected);
  expect(asked).toBe('Rent 2 machines? [y/N] ');
});
