// @ts-check
import { createServer } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const port = Number(process.env.PORT ?? 8080);
const name = `${process.env.EBB_REPLICA ?? 'hello'} (pid ${process.pid})`;

let stopping = false;
let inFlight = 0;

const server = createServer((request, response) => {
  const [path = '/', query] = (request.url ?? '/').split('?', 2);
  // Gateways forward the path as it came, so only its end tells what is meant.
  const isProbe = path.endsWith('/healthz');
  const gone = new AbortController();
  inFlight += 1;
  // Comes after the last byte was handed to the system, or when the caller is gone.
  response.once('close', () => {
    inFlight -= 1;
    const status = response.writableFinished ? response.statusCode : 499;
    if (!isProbe) console.log(`${request.method} ${request.url} ${status}`);
    gone.abort();
    endIfDone();
  });
  if (stopping) response.setHeader('connection', 'close');
  const answer = isProbe ? probe : path.endsWith('/stream') ? stream : greet;
  answer(new URLSearchParams(query), response, gone.signal).catch((error) => {
    // Once the caller has gone there is nobody to tell.
    if (!gone.signal.aborted) response.destroy(error);
  });
});

/** @typedef {(query: URLSearchParams, response: import('node:http').ServerResponse, gone: AbortSignal) => Promise<void>} Answer */

/** @type {Answer} */
async function probe(_query, response) {
  response.setHeader('content-type', 'application/json').end('{"status":"ready"}\n');
}

/** @type {Answer} */
async function greet(query, response, gone) {
  await sleep(numberIn(query, 'ms', 0, 600_000), undefined, { signal: gone });
  if (stopping) response.setHeader('connection', 'close');
  response.setHeader('content-type', 'text/plain; charset=utf-8').end(`hello from ${name}\n`);
}

/** @type {Answer} */
async function stream(query, response, gone) {
  const chunks = numberIn(query, 'chunks', 5, 10_000);
  const ms = numberIn(query, 'ms', 100, 600_000);
  response.setHeader('content-type', 'text/event-stream').setHeader('cache-control', 'no-cache').flushHeaders();
  for (let chunk = 1; chunk <= chunks; chunk += 1) {
    if (chunk > 1) await sleep(ms, undefined, { signal: gone });
    response.write(`data: ${JSON.stringify({ chunk, of: chunks, from: name })}\n\n`);
  }
  response.end();
}

/** @param {URLSearchParams} query @param {string} key @param {number} otherwise @param {number} most */
function numberIn(query, key, otherwise, most) {
  const value = Number(query.get(key) ?? otherwise);
  return Number.isFinite(value) ? Math.min(Math.max(value, 0), most) : otherwise;
}

// Longer than a proxy keeps its connections, so that it is not this side that closes one as a request is under way.
server.keepAliveTimeout = 75_000;

function stop() {
  stopping = true;
  // Stops listening and no more. HTTP's own close also cuts connections whose answer is complete but not yet sent.
  NetServer.prototype.close.call(server);
  endIfDone();
}

function endIfDone() {
  if (stopping && inFlight === 0) process.exit(0);
}
process.once('SIGTERM', stop);
process.once('SIGINT', stop);

server.listen(port, '127.0.0.1', () => {
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  console.log(`${name} listens on http://127.0.0.1:${bound}`);
});
