import type { Clock, Random } from '@ebb/core';
import { KubernetesClient } from '../client/client.ts';
import { httpTransport } from '../client/transport.ts';
import { FakeApiServer } from './fakeApiServer.fixture.ts';

/** Real time: what a fake server answers comes over real sockets. */
export function machineClock(skewMs = 0): Clock & { close(): void } {
  const timers = new Set<NodeJS.Timeout>();
  return {
    nowMs: () => Date.now() + skewMs,
    nowUs: () => Number(process.hrtime.bigint() / 1000n),
    at(atMs, callback) {
      const timer = setTimeout(
        () => {
          timers.delete(timer);
          callback();
        },
        Math.max(0, atMs - skewMs - Date.now()),
      );
      timers.add(timer);
      return () => {
        clearTimeout(timer);
        timers.delete(timer);
      };
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

export const half: Random = { next: () => 0.5 };

export interface FakeCluster {
  server: FakeApiServer;
  client: KubernetesClient;
  clock: Clock;
  close(): Promise<void>;
}

export async function startFakeCluster(): Promise<FakeCluster> {
  const server = await FakeApiServer.start();
  const clock = machineClock();
  const transport = httpTransport({ server: server.url });
  const client = new KubernetesClient({ transport, clock, random: half });
  return {
    server,
    client,
    clock,
    async close() {
      transport.close();
      clock.close();
      await server.close();
    },
  };
}

export function deployment(
  name: string,
  replicas: number,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const labels = { app: name };
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'worker' }] } },
      ...more,
    },
  };
}
