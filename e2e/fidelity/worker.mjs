// @ts-check
// A worker whose start and service take exactly as long as they are told, by timer: next to no CPU, so that a loaded
// machine disturbs the comparison as little as possible.
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const startMs = Number(process.env.START_MS);
const port = Number(process.env.PORT);
// What only waits is ended at once.
process.once('SIGTERM', () => process.exit(0));
await delay(startMs);

const server = createServer((request, response) => {
  // The machine's monotonic clock: the same line in every process.
  const beganUs = process.hrtime.bigint() / 1000n;
  const serviceMs = Number(new URL(request.url ?? '/', 'http://worker').searchParams.get('ms'));
  setTimeout(() => response.setHeader('x-began-us', String(beganUs)).end('done\n'), serviceMs);
});
// Longer than the gateway keeps its connections.
server.keepAliveTimeout = 75_000;
server.listen(port, '127.0.0.1');
