import { expect, it } from 'vitest';
import { KubernetesClient } from '../client/client.ts';
import type { TransportRequest } from '../client/transport.ts';
import { half, machineClock } from '../fake/fakeCluster.fixture.ts';
import { readClusterMetric } from './clusterMetrics.ts';

/** Answers by path and query; anything else is not there. */
function clientOf(answers: Readonly<Record<string, unknown>>, status = 404) {
  const asked: string[] = [];
  const transport = {
    async send({ path, query }: TransportRequest) {
      const written = Object.entries(query ?? {}).flatMap(([name, value]) =>
        value === undefined ? [] : `${name}=${value}`,
      );
      const url = [path, ...written].join('?');
      asked.push(url);
      const body = answers[url];
      return {
        status: body ? 200 : status,
        retryAfterMs: null,
        text: JSON.stringify(body ?? { message: 'no such thing' }),
      };
    },
    lines: async () => null,
    close() {},
  };
  const clock = machineClock();
  return { asked, client: new KubernetesClient({ transport, clock, random: half }) };
}

const question = { namespace: 'shop', metric: 'queue', metricSelector: '', object: null, podSelector: '' };
const { signal } = new AbortController();
const items = (...values: unknown[]) => ({ items: values.map((value) => ({ value })) });

it('adds up the series of an external metric', async () => {
  const path = '/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue?labelSelector=name=orders';
  const { client } = clientOf({ [path]: items('1500m', 2, '1k') });
  expect(await readClusterMetric(client, { ...question, metricSelector: 'name=orders' }, signal)).toBe(1003.5);
});

it('asks for an object, and for all pods of a selector, in the version that there is', async () => {
  const object = '/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/services/web/queue';
  const pods =
    '/apis/custom.metrics.k8s.io/v1beta1/namespaces/shop/pods/*/queue?labelSelector=app=web?metricLabelSelector=a=b';
  const { client, asked } = clientOf({ [object]: items('7'), [pods]: items('1', '-2', '4') });
  expect(await readClusterMetric(client, { ...question, object: 'services/web' }, signal)).toBe(7);
  const ofPods = { ...question, object: 'pods', podSelector: 'app=web', metricSelector: 'a=b' };
  expect(await readClusterMetric(client, ofPods, signal)).toBe(3);
  expect(asked).toEqual([object, pods.replace('v1beta1', 'v1beta2'), pods]);
});

it.each([
  [
    'no series',
    clientOf({ '/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue': items() }),
    'not-found',
    'has nothing of queue',
  ],
  ['no adapter', clientOf({}), 'not-found', 'no adapter serves that API'],
  ['no right', clientOf({}, 403), 'unauthorized', 'docs/kubernetes-metrics.md'],
  [
    'no number',
    clientOf({ '/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue': items('many') }),
    'bad-answer',
    '"many"',
  ],
])('is an error and never zero with %s', async (_what, { client }, code, message) => {
  const refusal = expect.objectContaining({ code, message: expect.stringContaining(message) });
  await expect(readClusterMetric(client, question, signal)).rejects.toEqual(refusal);
});
