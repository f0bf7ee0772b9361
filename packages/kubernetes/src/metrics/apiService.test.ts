import { expect, it } from 'vitest';
import { KubernetesClient } from '../client/client.ts';
import type { TransportRequest } from '../client/transport.ts';
import { half, machineClock } from '../fake/fakeCluster.fixture.ts';
import { markLeader, trustCertificates } from './apiService.ts';

const name = 'v1beta1.external.metrics.k8s.io';
const ours = { namespace: 'ebb-system', name: 'ebb-external-metrics' };

function clientOf(there: unknown) {
  const written: { path: string; body: unknown }[] = [];
  const transport = {
    async send({ method, path, body }: TransportRequest) {
      if (method === 'PATCH') written.push({ path, body });
      const found = method === 'PATCH' ? { metadata: { name } } : there;
      return { status: found ? 200 : 404, retryAfterMs: null, text: JSON.stringify(found ?? {}) };
    },
    lines: async () => null,
    close() {},
  };
  return { written, client: new KubernetesClient({ transport, clock: machineClock(), random: half }) };
}

it('has the API server trust what it is given, and writes that once', async () => {
  const { client, written } = clientOf({ metadata: { name }, spec: { service: ours } });
  await trustCertificates(client, ours, ['one\n', 'two\n']);
  const caBundle = Buffer.from('one\ntwo\n').toString('base64');
  expect(written).toEqual([
    {
      path: `/apis/apiregistration.k8s.io/v1/apiservices/${name}`,
      body: expect.objectContaining({ spec: { caBundle } }),
    },
  ]);
  const again = clientOf({ metadata: { name }, spec: { service: ours, caBundle } });
  await trustCertificates(again.client, ours, ['one\n', 'two\n']);
  expect(again.written).toEqual([]);
});

it.each([
  [
    { metadata: { name }, spec: { service: { namespace: 'keda', name: 'adapter' } } },
    /served by the Service keda\/adapter already/,
  ],
  [{ metadata: { name }, spec: {} }, /served by the API server itself already/],
  [null, /there is no APIService .*: install Ebb with --external-metrics/],
])('leaves the API to whoever has it (%#)', async (there, message) => {
  const { client, written } = clientOf(there);
  await expect(trustCertificates(client, ours, ['one'])).rejects.toThrow(message);
  expect(written).toEqual([]);
});

it('marks the pod that leads and no other', async () => {
  const { client, written } = clientOf({ items: [{ metadata: { name: 'old', namespace: 'ebb-system' } }] });
  await markLeader(client, 'ebb-system', 'new');
  expect(written).toEqual([
    { path: '/api/v1/namespaces/ebb-system/pods/old', body: { metadata: { labels: { 'ebb.dev/leads': null } } } },
    { path: '/api/v1/namespaces/ebb-system/pods/new', body: { metadata: { labels: { 'ebb.dev/leads': 'true' } } } },
  ]);
});
