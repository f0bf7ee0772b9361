import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { expect, it } from 'vitest';
import { KubernetesClient } from '../client/client.ts';
import type { TransportRequest } from '../client/transport.ts';
import { textAt } from '../client/values.ts';
import { half } from '../fake/fakeCluster.fixture.ts';
import { HandClock } from '../fake/handClock.fixture.ts';
import { newServingCertificate } from './derCertificate.ts';
import { ExternalMetricsApi } from './externalMetricsApi.ts';

const service = { namespace: 'ebb-system', name: 'ebb-external-metrics' };
const dayMs = 86_400_000;

function started(clock: HandClock) {
  let caBundle = '';
  const log: string[] = [];
  const bundles: string[][] = [];
  const authority = newServingCertificate(['front-proxy'], clock.nowMs(), 3650).certificate;
  const transport = {
    async send({ method, path, body }: TransportRequest) {
      if (method === 'PATCH') {
        caBundle = textAt(body, 'spec', 'caBundle') ?? '';
        const text = Buffer.from(caBundle, 'base64').toString();
        bundles.push(text.match(/-----BEGIN[^]+?-----END CERTIFICATE-----\n/g) ?? []);
      }
      const answer = path.includes('configmaps')
        ? { metadata: { name: 'a' }, data: { 'requestheader-client-ca-file': authority } }
        : { metadata: { name: 'b' }, spec: { service, caBundle } };
      return { status: 200, retryAfterMs: null, text: JSON.stringify(answer) };
    },
    lines: async () => null,
    close() {},
  };
  const api = new ExternalMetricsApi({
    client: new KubernetesClient({ transport, clock, random: half }),
    ...{ host: '127.0.0.1', port: 0, service, podName: null },
    facts: { nowMs: () => clock.nowMs(), workload: () => null, scaledObject: () => null, specOf: () => null },
    mayWrite: () => true,
    log: (_level, message) => log.push(message),
  });
  return { api, bundles, log };
}

/** The certificate that it shows now. */
function shown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw).toString());
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

it('renews its certificate while it runs, and is trusted with the new one before it shows it', async () => {
  const clock = new HandClock(Date.now());
  const { api, bundles, log } = started(clock);
  try {
    await api.start();
    const port = api.port ?? 0;
    const [[first = ''] = []] = bundles;
    expect(await shown(port)).toBe(first);
    await clock.sleep(59 * dayMs);
    expect(bundles).toHaveLength(1);
    await clock.sleep(2 * dayMs);
    expect(await shown(port)).toBe(first);
    await clock.pass(31_000);
    expect(bundles.map((each) => each.length)).toEqual([1, 2, 1]);
    const [, both, [second = ''] = []] = bundles;
    expect(both).toEqual([first, second]);
    expect(second).not.toBe(first);
    expect(await shown(port)).toBe(second);
    expect(log).toEqual([]);
  } finally {
    await api.close();
  }
});
