import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Health {
  readonly isReady: boolean;
  readonly partitions: readonly number[];
  readonly answered: number;
}

/** `/healthz` while the process lives, `/readyz` while it is a member of the group. Returns its address. */
export async function serveHealth(port: number, health: () => Health): Promise<string> {
  const server = createServer((request, response) => {
    const isReadiness = request.url === '/readyz';
    const isKnown = isReadiness || request.url === '/healthz';
    const found = health();
    response.statusCode = !isKnown ? 404 : isReadiness && !found.isReady ? 503 : 200;
    response.setHeader('content-type', 'application/json');
    response.end(`${JSON.stringify(found)}\n`);
  });
  server.unref();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
