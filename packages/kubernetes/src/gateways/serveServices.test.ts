import type { GatewayEndpoint, GatewayPort, GatewayWorkload, Reading, TriggerPort } from '@ebb/core';
import type { TriggerStatus, WorkloadStatus } from '@ebb/documents';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubernetesClient } from '../client/client.ts';
import { resources } from '../client/resources.ts';
import { httpTransport } from '../client/transport.ts';
import { isObject, listAt, textAt, textsAt } from '../client/values.ts';
import { FakeApiServer } from '../fake/fakeApiServer.fixture.ts';
import { half } from '../fake/fakeCluster.fixture.ts';
import { HandClock } from '../fake/handClock.fixture.ts';
import { Informer } from '../informer/informer.ts';
import { StatusWriter } from '../store/statusWriter.ts';
import { blindTriggers } from './blindTriggers.ts';
import { addressesOf } from './endpointSlices.ts';
import { gatewayPodLabels } from './gatewayPods.ts';
import { ServeServices } from './serveServices.ts';

const workload = 'local/shop/llm';
const key = { cluster: 'local', namespace: 'shop', name: 'llm' };
const slices = 'discovery.k8s.io/v1/endpointslices';

let server: FakeApiServer;
let clock: HandClock;
let status: Pick<WorkloadStatus, 'scaledBy' | 'minReplicas' | 'replicas' | 'inFlight' | 'held'>;
let log: string[];
let drains: number;
let renamed: string[];
let isAdvised: boolean;
const undo: (() => unknown)[] = [];

const trigger = (type: string, active: boolean | null): TriggerStatus => ({
  ...{ name: type, type, state: 'ok', value: 1, target: 1, active, at: 0, message: '' },
});
const scaledBy = (...triggers: TriggerStatus[]): NonNullable<WorkloadStatus['scaledBy']> => ({
  ...{ kind: 'ScaledObject', name: 'llm', mode: 'reactive', triggers },
});
const counts = (ready: number, wanted = ready) => ({ wanted, ready, starting: 0, draining: 0, failed: 0 });

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new HandClock(1_800_000_000_000);
  [log, drains, renamed, isAdvised] = [[], 0, [], false];
  status = {
    scaledBy: scaledBy(trigger('http', true), trigger('prometheus', true)),
    ...{ minReplicas: 0, replicas: counts(3), inFlight: 0, held: 0 },
  };
  for (const name of ['a', 'b']) {
    server.put('v1/pods', {
      metadata: { name: `gateway-${name}`, namespace: 'ebb-system', labels: gatewayPodLabels },
      spec: { nodeName: `node-${name}`, containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] },
      status: {
        phase: 'Running',
        podIP: name === 'a' ? '10.1.0.1' : '10.1.0.2',
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    });
  }
  for (const number of [1, 2, 3]) {
    server.put('v1/pods', {
      metadata: { name: `llm-${number}`, namespace: 'shop', labels: { app: 'llm' } },
      spec: { nodeName: `node-${number}`, containers: [{ ports: [{ containerPort: 9000 }] }] },
      status: { phase: 'Running', podIP: `10.2.0.${number}`, conditions: [{ type: 'Ready', status: 'True' }] },
    });
  }
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
  await server.close();
});

const replica = (number: number, more: Partial<GatewayEndpoint> = {}): GatewayEndpoint => ({
  ...{ replica: `r${number}`, class: 'default', host: `10.2.0.${number}`, port: 9000, slots: 10, draining: false },
  ...more,
});

function service(more: { annotations?: object; labels?: object; spec?: object; name?: string } = {}) {
  const metadata = {
    ...{ name: more.name ?? 'llm', namespace: 'shop' },
    labels: more.labels ?? { 'ebb.dev/gateway': 'serve' },
    annotations: { 'ebb.dev/serve-after': '10s', 'ebb.dev/endpoint-grace': '2s', ...more.annotations },
  };
  const { status: said = {} } = server.get('v1/services', 'shop', metadata.name) ?? {};
  const spec = { ports: [{ name: 'web', port: 80 }], ...more.spec };
  return server.put('v1/services', { metadata, spec, status: said });
}

/** An operator's part, from when it leads until it is stopped. */
async function serve() {
  const transport = httpTransport({ server: server.url });
  const client = new KubernetesClient({ transport, clock, random: half });
  const pods = new Informer({ client, resource: resources.pods, namespace: null }).start();
  await pods.synced;
  const note = (level: string, message: string, data?: object) =>
    log.push(`${level} ${message} ${JSON.stringify(data)}`);
  const statuses = new StatusWriter({ client, clock, mayWrite: () => true, gapMs: 0, log: note });
  const served = new ServeServices({
    ...{ client, clock, namespace: null, gateways: { pods, namespace: 'ebb-system' }, pods, statuses },
    facts: { status: () => status, specOf: () => null, isAdvised: () => isAdvised },
    namesChanged: (name) => renamed.push(name),
    drainsMayEnd: () => drains++,
    mayWrite: () => true,
    log: note,
  });
  await served.start();
  const passed: string[] = [];
  const port = served.around({
    configure: ({ key: name }) => passed.push(name),
    remove: (name) => passed.push(name),
    watch: () => () => {},
    close: async () => {},
  });
  const stop = async () => {
    statuses.close();
    await served.close();
    await pods.close();
    transport.close();
  };
  undo.push(stop);
  return { served, port, passed, stop };
}

const configure = (port: GatewayPort, endpoints: GatewayEndpoint[]) =>
  port.configure({ key: workload, endpoints } as unknown as GatewayWorkload);

const slice = (name = 'llm-ebb') => server.get(slices, 'shop', name);
const writes = () =>
  server.seen
    .filter(({ method, path }) => method !== 'GET' && path.includes('/endpointslices'))
    .map((one) => one.method);
const condition = () => {
  const found = listAt(server.get('v1/services', 'shop', 'llm'), 'status', 'conditions')[0];
  return isObject(found) ? `${found.type} ${found.status} ${found.reason}` : null;
};
const gatewayAddresses = ['10.1.0.1', '10.1.0.2'];
const addresses = (name?: string) => {
  const found = slice(name);
  return found ? addressesOf(found) : null;
};

async function until(check: () => boolean, what: string, stepMs = 0): Promise<void> {
  const end = performance.now() + 4000;
  while (!check()) {
    if (performance.now() > end)
      throw new Error(`waited in vain for ${what}; ${log.join('\n')}; ${JSON.stringify(slice())}`);
    await clock.pass(stepMs);
  }
}
const published = (...wanted: string[]) =>
  until(() => JSON.stringify(addresses()) === JSON.stringify(wanted), `the addresses ${wanted.join(' ')}`);

/** How long it takes on the operator's clock: its own answers come in real time, so that it is never less than it should be. */
async function timeUntil(check: () => boolean, what: string): Promise<number> {
  const fromMs = clock.nowMs();
  await until(check, what, 100);
  return clock.nowMs() - fromMs;
}

/** The operator has seen its own last write: what comes after is the answer to something else. */
async function outOfPath() {
  service();
  const one = await serve();
  configure(
    one.port,
    [1, 2, 3].map((number) => replica(number)),
  );
  one.served.release();
  await published(...gatewayAddresses);
  await clock.pass(10_000);
  await published('10.2.0.1', '10.2.0.2', '10.2.0.3');
  return one;
}

describe('a Service whose endpoints are kept', () => {
  it('has the gateways at first, and the pods when there has been capacity enough for long enough', async () => {
    service();
    const { served, port, passed } = await serve();
    configure(port, []);
    expect([passed, server.seen.some(({ method }) => method === 'PATCH')]).toEqual([[workload], false]);
    status = { ...status, replicas: counts(0, 0) };
    served.release();
    await published(...gatewayAddresses);
    expect(slice()).toMatchObject({
      metadata: {
        labels: { 'kubernetes.io/service-name': 'llm', 'endpointslice.kubernetes.io/managed-by': 'ebb.dev' },
        ownerReferences: [
          { kind: 'Service', name: 'llm', uid: textAt(server.get('v1/services', 'shop', 'llm'), 'metadata', 'uid') },
        ],
      },
      addressType: 'IPv4',
      ports: [{ name: 'web', port: 8080, protocol: 'TCP' }],
    });
    expect(served.list()).toEqual([{ namespace: 'shop', service: 'llm', workload: 'llm', isDirect: false }]);
    status = { ...status, replicas: counts(3) };
    configure(
      port,
      [1, 2, 3].map((number) => replica(number)),
    );
    await clock.pass(9_999);
    expect([addresses(), writes()]).toEqual([gatewayAddresses, ['PATCH']]);
    await clock.pass(1);
    await published('10.2.0.1', '10.2.0.2', '10.2.0.3');
    expect(slice()).toMatchObject({ ports: [{ name: 'web', port: 9000 }] });
    expect(listAt(slice(), 'endpoints')[1]).toMatchObject({
      nodeName: 'node-2',
      targetRef: { kind: 'Pod', namespace: 'shop', name: 'llm-2' },
    });
    await until(() => condition() === 'ebb.dev/OutOfPath True EnoughCapacity', 'the condition');
    // One write of each decision, whatever else is heard meanwhile.
    for (let times = 0; times < 5; times++) served.changed(workload);
    await clock.pass(60_000);
    expect(writes()).toEqual(['PATCH', 'PATCH']);
    expect(served.list()).toMatchObject([{ isDirect: true }]);
  });

  it('stays with the gateways where their counts decide, and says so', async () => {
    for (const [triggers, at] of [
      [null, 'a Workload'],
      [scaledBy(trigger('http', true)), 'requests alone'],
      [scaledBy(trigger('http', true), trigger('cron', true)), 'the calendar'],
    ] as const) {
      status = { ...status, scaledBy: triggers };
      service();
      const { served, port, stop } = await serve();
      configure(
        port,
        [1, 2, 3].map((number) => replica(number)),
      );
      served.release();
      await published(...gatewayAddresses);
      await clock.pass(120_000);
      expect(addresses(), at).toEqual(gatewayAddresses);
      await until(() => condition() === 'ebb.dev/OutOfPath False DecidedByGateways', at);
      await stop();
    }
  });

  it('loses a replica that drains before it is stopped, and the gateways are back before the last one goes', async () => {
    const { served, port } = await outOfPath();
    const isReached = (number: number) => served.isReached(workload, replica(number));
    expect([1, 2, 3].map(isReached)).toEqual([true, true, true]);
    status = { ...status, replicas: counts(2) };
    configure(port, [replica(1), replica(2), replica(3, { draining: true })]);
    expect(isReached(3)).toBe(true);
    await published('10.2.0.1', '10.2.0.2');
    // Proxies learn of it a little later.
    expect(drains).toBe(0);
    expect(await timeUntil(() => !isReached(3), 'the end of the grace')).toBeGreaterThanOrEqual(2_000);
    // Those of the gateways had left before.
    expect([isReached(2), drains]).toEqual([true, 2]);
    expect(writes()).toHaveLength(3);
    // The last ones: nothing is said to be drained before the gateways have what comes.
    status = { ...status, replicas: counts(0, 0) };
    configure(
      port,
      [1, 2].map((number) => replica(number, { draining: true })),
    );
    expect([isReached(1), isReached(2)]).toEqual([true, true]);
    await published(...gatewayAddresses);
    expect(await timeUntil(() => !isReached(1), 'the end of the grace')).toBeGreaterThanOrEqual(2_000);
    expect(isReached(2)).toBe(false);
    await until(() => condition() === 'ebb.dev/OutOfPath False NoReplica', 'the condition');
  });

  it('keeps its replicas while the API server refuses the write', async () => {
    const { served, port } = await outOfPath();
    let refused = 0;
    server.refuse = ({ method, path }) => {
      if (method !== 'PATCH' || !path.includes('/endpointslices')) return null;
      refused++;
      return 503;
    };
    status = { ...status, replicas: counts(0, 0) };
    configure(
      port,
      [1, 2, 3].map((number) => replica(number, { draining: true })),
    );
    await timeUntil(() => refused >= 6, 'refusals');
    await clock.pass(60_000);
    expect(served.isReached(workload, replica(1))).toBe(true);
    server.refuse = () => null;
    await timeUntil(() => addresses()?.[0] === gatewayAddresses[0], 'the gateways');
  });

  it('is as it was for the next operator, without a write', async () => {
    const first = await outOfPath();
    await first.stop();
    const before = writes().length;
    const second = await serve();
    expect(second.served.isBlind(key)).toBe(true);
    // Proxies may not have heard yet of what the first one has taken out last.
    expect(second.served.isReached(workload, replica(9))).toBe(true);
    configure(
      second.port,
      [1, 2, 3].map((number) => replica(number)),
    );
    second.served.release();
    await clock.pass(60_000);
    expect([writes().length, addresses()]).toEqual([before, ['10.2.0.1', '10.2.0.2', '10.2.0.3']]);
    expect([2, 9].map((number) => second.served.isReached(workload, replica(number)))).toEqual([true, false]);
    expect(second.served.list()).toMatchObject([{ isDirect: true }]);
  });

  it('follows the gateways that are ready', async () => {
    service();
    status = { ...status, replicas: counts(0, 0) };
    const { served, port } = await serve();
    configure(port, []);
    served.release();
    await published(...gatewayAddresses);
    server.setReady('ebb-system', 'gateway-b', false);
    await published('10.1.0.1');
    server.endPod('ebb-system', 'gateway-a');
    await published();
    expect(listAt(slice(), 'ports')).toEqual([]);
  });

  it('has slices of others beside it, which are left alone, and one of its name is not overwritten', async () => {
    const foreign = (name: string) =>
      server.put(slices, {
        metadata: {
          ...{ name, namespace: 'shop' },
          labels: { 'kubernetes.io/service-name': 'llm', 'endpointslice.kubernetes.io/managed-by': 'somebody' },
        },
        addressType: 'IPv4',
        endpoints: [{ addresses: ['192.0.2.1'] }],
        ports: [],
      });
    foreign('by-hand');
    foreign('taken-ebb');
    service();
    service({ name: 'taken', annotations: { 'ebb.dev/workload': 'llm' } });
    const { served, port } = await serve();
    configure(port, []);
    status = { ...status, replicas: counts(0, 0) };
    served.release();
    await published(...gatewayAddresses);
    await until(() => log.some((line) => line.includes('taken-ebb is there and is not')), 'a word of it');
    server.remove('v1/services', 'shop', 'llm');
    await until(() => slice() === undefined, 'its slice to go');
    expect([addresses('by-hand'), addresses('taken-ebb')]).toEqual([['192.0.2.1'], ['192.0.2.1']]);
    expect(served.namesOf(workload)).toEqual([{ name: 'taken', isOnly: true }]);
  });

  it('is known by its bare name as long as no other one has that name', async () => {
    service();
    const { served } = await serve();
    expect(served.namesOf(workload)).toEqual([{ name: 'llm', isOnly: true }]);
    renamed = [];
    const metadata = { name: 'llm', namespace: 'lab', labels: { 'ebb.dev/gateway': 'serve' } };
    server.put('v1/services', { metadata, spec: { ports: [{ port: 80 }] } });
    await until(() => renamed.length === 2, 'word of both');
    expect(renamed).toEqual(['local/lab/llm', workload]);
    for (const key of renamed) expect(served.namesOf(key)).toEqual([{ name: 'llm', isOnly: false }]);
    server.remove('v1/services', 'lab', 'llm');
    await until(() => renamed.length === 4, 'word that it has gone');
    expect(served.namesOf(workload)).toEqual([{ name: 'llm', isOnly: true }]);
  });

  it('is known to gateways by its name, and is no longer when its label goes', async () => {
    service({ name: 'front', annotations: { 'ebb.dev/workload': 'llm' } });
    const { served, port } = await serve();
    expect([renamed, served.namesOf(workload), served.serves(workload)]).toEqual([
      [workload],
      [{ name: 'front', isOnly: true }],
      true,
    ]);
    isAdvised = true;
    expect(served.serves(workload)).toBe(false);
    isAdvised = false;
    configure(port, []);
    served.release();
    await until(() => addresses('front-ebb')?.length === 2, 'the slice');
    const conditions = () => listAt(server.get('v1/services', 'shop', 'front'), 'status', 'conditions').length;
    await until(() => conditions() === 1, 'the condition');
    service({ name: 'front', labels: {} });
    await until(() => slice('front-ebb') === undefined, 'the slice to go');
    await until(() => conditions() === 0, 'the condition to go');
    expect([served.namesOf(workload), served.serves(workload)]).toEqual([[], false]);
  });

  it('tells what is wrong with it, and goes on as before until that is mended', async () => {
    await outOfPath();
    const before = writes().length;
    service({ annotations: { 'ebb.dev/serve-after': '10' } });
    await until(() => condition() === 'ebb.dev/OutOfPath True InvalidAnnotation', 'the condition');
    expect([writes().length, addresses()?.length]).toEqual([before, 3]);
    // Kubernetes itself keeps endpoints where there is a selector.
    service({ spec: { selector: { app: 'llm' } } });
    await until(() => slice() === undefined, 'its slice to go');
    await until(() => condition() === 'ebb.dev/OutOfPath Unknown HasSelector', 'the condition');
    service();
    await published('10.2.0.1', '10.2.0.2', '10.2.0.3');
  });

  it('is left to whoever had it where the rights are missing, and nothing else waits for that', async () => {
    service();
    server.refuse = ({ path }) => (path.endsWith('/services') ? 403 : null);
    const { served, port, passed } = await serve();
    configure(port, []);
    served.release();
    await clock.pass(60_000);
    expect([passed, writes(), served.serves(workload)]).toEqual([[workload], [], false]);
    expect(log.join()).toContain('install it with --serve-services');
  });

  it('stays as it is while nobody decides on its workload', async () => {
    const { port } = await outOfPath();
    const before = writes().length;
    isAdvised = true;
    port.remove(workload);
    await until(() => condition() === 'ebb.dev/OutOfPath Unknown NotDecided', 'the condition');
    await clock.pass(60_000);
    expect([writes().length, addresses()?.length]).toEqual([before, 3]);
  });
});

describe('triggers by requests, past which requests go', () => {
  it('keep the workload awake and ask for no number until the gateways count all again', async () => {
    const { served, port } = await outOfPath();
    const readings = (value: number | null): Reading[] =>
      ['http', 'prometheus'].map((name) => ({
        ...{ trigger: name, class: null, value, peak: null, spanMs: 0, atMs: 0, active: false },
        state: value === null ? 'error' : 'ok',
      }));
    let value: number | null = 2;
    let tell: (readings?: Reading[]) => void = () => {};
    const inner: TriggerPort = {
      open: () => ({
        ...{ targets: {}, unsupported: [], read: async () => readings(value), close: async () => {} },
        watch(listener) {
          tell = listener;
          return () => {};
        },
      }),
    };
    const triggers = ['http', 'prometheus'].map((name) => ({
      ...{
        name,
        type: name,
        metadata: {},
        metricType: 'AverageValue' as const,
        useCachedMetrics: false,
        authentication: null,
      },
    }));
    let missingMs = 0;
    const set = blindTriggers(inner, { countsMissingMs: () => missingMs }, served).open({
      kind: 'ScaledObject',
      key,
      triggers,
      env: {},
      envFromHost: [],
    });
    const heard: (string | undefined)[] = [];
    set.watch((told) => heard.push(told?.map(({ value: one, active }) => `${one} ${active}`).join(', ')));
    const read = async () => (await set.read(0)).map(({ value: one, active, state }) => `${one} ${active} ${state}`);
    expect(await read()).toEqual(['2 true ok', '2 false ok']);
    value = null;
    expect(await read()).toEqual(['0 true ok', 'null false error']);
    tell(readings(7));
    tell();
    expect(heard).toEqual(['7 true, 7 false', undefined]);
    // Nothing else asks for a replica: the gateways are to see whether somebody comes.
    status = {
      ...status,
      replicas: counts(1),
      scaledBy: scaledBy(trigger('http', true), trigger('prometheus', false)),
    };
    configure(port, [replica(1)]);
    await published(...gatewayAddresses);
    expect((await read())[0]).toBe('0 true ok');
    expect(await timeUntil(() => !served.isBlind(key), 'the end of the grace')).toBeGreaterThanOrEqual(2_000);
    value = 0;
    expect((await read())[0]).toBe('0 false ok');
    // None of which some is not known is not zero demand; what is seen is seen.
    missingMs = 3001;
    expect(await read()).toEqual(['null undefined error', '0 false ok']);
    // It is to be read anew.
    expect(heard).toEqual(['7 true, 7 false', undefined, undefined]);
    expect(textsAt(slice(), 'metadata', 'annotations')).toMatchObject({ 'ebb.dev/path': 'proxy' });
  });
});
