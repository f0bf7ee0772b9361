import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDispatcher, type GatewayWorkload } from '@ebb/core';
import { startGateway } from '@ebb/gateway';
import { type Answer, describeGatewayConformance } from '@ebb/testing/conformance';
import { vi } from 'vitest';
import { connectGateway } from './gatewayLink.ts';

function workload(key: string): GatewayWorkload {
  return {
    key,
    classes: [{ name: 'default', accepts: null }],
    serving: {
      routes: [],
      timeouts: { holdMs: 10_000, responseMs: 10_000, requestMs: 0, idleMs: 0 },
      buffer: { maxRequests: 100, maxBodyBytes: 1_000_000, maxTotalBytes: 1_000_000 },
      balancing: 'leastConnections',
      affinity: null,
      deferrable: null,
      drainMs: 10_000,
    },
    endpoints: [],
    unavailable: null,
  };
}

const log = (): void => {};

async function listen(server: Server): Promise<{ host: string; port: number }> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { host: '127.0.0.1', port };
}

describeGatewayConformance('the gateway behind its link', async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'ebb-test-'));
  const gateway = await startGateway({
    dataDirectory,
    host: '127.0.0.1',
    port: 0,
    dispatcher: createDispatcher(1),
    log,
    shutdownMs: 0,
  });
  const link = connectGateway({ dataDirectory, epoch: 1, log });
  await link.connected(5_000);
  link.release();
  const servers: Server[] = [];

  const request = async (key: string): Promise<Answer> => {
    for (;;) {
      const answer = await fetch(`${gateway.url}/`, { headers: { 'x-ebb-workload': key } });
      await answer.arrayBuffer();
      // What was configured is still on its way.
      if (answer.status !== 404) return { status: answer.status, replica: answer.headers.get('x-ebb-replica') };
    }
  };

  return {
    port: link,
    workload,
    async replica(_id, answerAfterMs) {
      const server = createServer((_request, response) => void setTimeout(() => response.end('ok'), answerAfterMs));
      servers.push(server);
      return listen(server);
    },
    async dead() {
      const server = createServer();
      const place = await listen(server);
      server.close();
      await once(server, 'close');
      return place;
    },
    request,
    until: (condition, what) =>
      vi.waitFor(
        () => {
          if (!condition()) throw new Error(`waited in vain for ${what}`);
        },
        { timeout: 10_000, interval: 2 },
      ),
    async close() {
      await link.close();
      await gateway.stop('the test is over');
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
});
