import type { DriverEvent } from '@ebb/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubernetesClient } from '../client/client.ts';
import { type KubernetesObject, readObject } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { selectorOf } from '../client/selector.ts';
import type { TransportAnswer, TransportRequest } from '../client/transport.ts';
import type { InformerEvent } from '../informer/informer.ts';
import { half } from '../fake/fakeCluster.fixture.ts';
import { HandClock } from '../fake/handClock.fixture.ts';
import { PodUsageReader } from './podUsage.ts';

function pod(name: string, app: string, namespace = 'shop'): KubernetesObject {
  const body = {
    metadata: { name, namespace, uid: name, labels: { app }, creationTimestamp: '2026-11-23T10:00:00Z' },
    spec: {
      containers: [
        { name: 'main', resources: { requests: { cpu: '500m', memory: '1Gi' } } },
        { name: 'proxy', resources: { requests: { cpu: '0.1' } } },
      ],
      initContainers: [
        { name: 'setup', resources: { requests: { cpu: '4' } } },
        { name: 'logs', restartPolicy: 'Always', resources: { requests: { cpu: '50m' } } },
      ],
    },
    status: {
      phase: 'Running',
      startTime: '2026-11-23T10:00:01Z',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-11-23T10:00:09Z' }],
    },
  };
  const object = readObject(body, { apiVersion: 'v1', kind: 'Pod' });
  if (!object) throw new Error('no pod');
  return object;
}

function measured(name: string) {
  return {
    metadata: { name, namespace: 'shop' },
    timestamp: '2026-11-23T10:05:00Z',
    window: '15.034s',
    containers: [
      { name: 'main', usage: { cpu: '250123456n', memory: '64Mi' } },
      { name: 'proxy', usage: { cpu: '10m', memory: '1Mi' } },
    ],
  };
}

const clock = new HandClock(1_800_000_000_000);
let pods: KubernetesObject[] = [];
let asked: string[] = [];
let events: DriverEvent[] = [];
let log: string[] = [];
let status = 200;
let tellPods: (event: InformerEvent) => void = () => {};
const needed = new Set<string>();
let reader: PodUsageReader;

beforeEach(() => {
  [pods, asked, events, log, status] = [[], [], [], [], 200];
  needed.clear();
  const transport = {
    async send({ path, query }: TransportRequest): Promise<TransportAnswer> {
      const selector = query?.labelSelector;
      asked.push(`${path}${selector === undefined ? '' : `?${selector}`}`);
      const own = pods.filter(({ labels }) => selector === undefined || selector === `app=${labels.app}`);
      const body =
        status === 200 ? { items: own.map(({ name }) => measured(name)) } : { message: 'the server says no' };
      return { status, retryAfterMs: null, text: JSON.stringify(body) };
    },
    lines: async () => null,
    close() {},
  };
  reader = new PodUsageReader({
    client: new KubernetesClient({ transport, clock, random: half }),
    pods: {
      list: () => pods,
      watch: (listener) => {
        tellPods = listener;
        return () => {};
      },
    },
    needs: ({ name }) => needed.has(name),
    log: (_level, message, data) => log.push(`${message} ${JSON.stringify(data)}`),
  });
  reader.watch((event) => events.push(event));
});
afterEach(() => reader.close());

function manage(name: string): void {
  const workload = { cluster: 'local', namespace: 'shop', name };
  const selector = selectorOf({ matchLabels: { app: name } });
  const reference = { workload, resource: resources.deployments, namespace: 'shop', name };
  reader.manage(reference, { replicas: 1, resourceVersion: '1', selector, refusal: null });
}

const usages = () => events.flatMap((event) => (event.type === 'pod-usage' ? [event.usage] : []));

describe('what pods use', () => {
  it('is asked for at once and every 15 s, for workloads that need it alone', async () => {
    pods = [pod('web-1', 'web'), pod('other-1', 'other')];
    needed.add('web');
    manage('web');
    manage('other');
    await clock.pass(0);
    const path = '/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods?app=web';
    expect(asked).toEqual([path]);
    await clock.pass(30_000);
    expect(asked).toEqual([path, path, path]);
    needed.clear();
    await clock.pass(60_000);
    expect(asked).toHaveLength(3);
  });

  it('has the requests of containers and native sidecars, and samples with their window', async () => {
    pods = [pod('web-1', 'web')];
    needed.add('web');
    manage('web');
    await clock.pass(0);
    const [usage] = usages();
    expect(usage?.pods).toEqual([
      {
        name: 'web-1',
        phase: 'Running',
        startTimeMs: Date.parse('2026-11-23T10:00:01Z'),
        ready: { status: 'True', lastTransitionMs: Date.parse('2026-11-23T10:00:09Z') },
        containers: [
          { name: 'main', requests: { cpu: 500, memory: 1024 ** 3 * 1000 } },
          { name: 'proxy', requests: { cpu: 100 } },
          { name: 'logs', requests: { cpu: 50 }, sidecar: true },
        ],
      },
    ]);
    expect(usage?.samples).toEqual([
      {
        name: 'web-1',
        atMs: Date.parse('2026-11-23T10:05:00Z'),
        windowMs: 15_034,
        containers: [
          { name: 'main', usage: { cpu: 251, memory: 64 * 1024 ** 2 * 1000 } },
          { name: 'proxy', usage: { cpu: 10, memory: 1024 ** 2 * 1000 } },
        ],
      },
    ]);
  });

  it('is one question for a namespace where many workloads need it, and each hears of its own pods', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    pods = names.map((name) => pod(`${name}-1`, name));
    for (const name of names) {
      needed.add(name);
      manage(name);
    }
    await clock.pass(0);
    expect(asked).toEqual(['/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods']);
    const told = usages().map(({ workload, samples }) => [
      workload.name,
      'error' in samples ? samples.error : samples.map(({ name }) => name),
    ]);
    expect(told).toEqual(names.map((name) => [name, [`${name}-1`]]));
  });

  it('is told again when pods change, many changes at once', async () => {
    pods = [pod('web-1', 'web')];
    needed.add('web');
    manage('web');
    await clock.pass(0);
    for (const object of [pod('web-2', 'web'), pod('web-3', 'web')]) {
      pods.push(object);
      tellPods({ type: 'put', object, before: null });
    }
    await clock.pass(1000);
    expect(asked).toHaveLength(1);
    expect(usages().map((usage) => usage.pods.length)).toEqual([1, 3]);
  });

  it('is asked anew once pods have gone, and what was measured with them is not told', async () => {
    pods = ['web-1', 'web-2', 'web-3'].map((name) => pod(name, 'web'));
    needed.add('web');
    manage('web');
    await clock.pass(5000);
    for (const object of pods.splice(1)) tellPods({ type: 'delete', object });
    await clock.pass(499);
    expect([asked.length, usages().length]).toEqual([1, 1]);
    await clock.pass(1);
    expect(asked).toHaveLength(2);
    expect(usages().map((usage) => usage.pods.length)).toEqual([3, 1]);
    // Many that go one after another are a question every two seconds.
    for (let count = 0; count < 40; count++) {
      tellPods({ type: 'delete', object: pod('web-4', 'web') });
      await clock.pass(100);
    }
    expect(asked.length).toBeLessThanOrEqual(5);
  });

  it.each([
    [404, /no resource metrics API \(metrics\.k8s\.io\): install metrics-server/],
    [503, /does not answer: see `kubectl describe apiservice v1beta1\.metrics\.k8s\.io`/],
    [403, /the server says no; to give it that right, apply the manifests/],
    [422, /cannot be read: the server says no/],
  ])(
    'with status %i is an error that says what to do, told once in the log, and never zero',
    async (code, sentence) => {
      pods = [pod('web-1', 'web')];
      needed.add('web');
      status = code;
      manage('web');
      await clock.pass(40_000);
      const [usage] = usages();
      expect(usage?.samples).toEqual({ error: expect.stringMatching(sentence) });
      expect(log).toHaveLength(1);
      status = 200;
      await clock.pass(30_000);
      expect(usages().at(-1)?.samples).toHaveLength(1);
    },
  );
});
