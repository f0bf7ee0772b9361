// @ts-check
import { createServer, STATUS_CODES } from 'node:http';
import { Server as NetServer } from 'node:net';
import { Worker } from 'node:worker_threads';
import { BadImage, imageTypeOf, readSize } from './images.mjs';

/** @typedef {import('node:http').IncomingMessage} Request */
/** @typedef {import('node:http').ServerResponse} Response */
/** @typedef {import('./inference.mjs').Outcome} Outcome */

const port = numberFrom('PORT', 8080);
const longestSide = numberFrom('UPSCALER_MAX_SIDE', 256);
const mostBytes = numberFrom('UPSCALER_MAX_BODY_BYTES', 4 * 1024 * 1024);

/** @param {string} name @param {number} otherwise */
function numberFrom(name, otherwise) {
  const text = process.env[name] ?? String(otherwise);
  // A limit that is no number would limit nothing.
  if (!/^\d+$/.test(text)) throw new Error(`${name} must be a whole number, not "${text}"`);
  return Number(text);
}

/** @param {string} host */
const usage = (host) => `Enlarges a picture four times.

  curl --data-binary @picture.png -H 'content-type: image/png' -o large.png http://${host}/upscale

PNG or JPEG, no side longer than ${longestSide} px, at most ${mostBytes} bytes.
`;

/** A refusal that the caller is told about as problem+json. */
class Refusal extends Error {
  /** @param {number} status @param {string} detail @param {Record<string, string>} headers */
  constructor(status, detail, headers = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

/** From the start of the process until the model had run once. @type {number | undefined} */
let loadMs;
let stopping = false;
let inFlight = 0;
let lastJob = 0;
let inferenceCount = 0;
let inferenceSeconds = 0;
let tensors = 0;
/** @type {Map<number, (outcome: Outcome) => void>} */
const waiting = new Map();
/** @type {Map<number, number>} */
const answersByStatus = new Map();

const inference = new Worker(new URL('./inference.mjs', import.meta.url));
inference.on('message', (/** @type {Outcome | 'loaded'} */ message) => {
  if (message === 'loaded') {
    loadMs = Math.round(performance.now());
    console.log(`ready ${loadMs} ms after the start of the process`);
    return;
  }
  waiting.get(message.id)?.(message);
  waiting.delete(message.id);
});
inference.on('error', (error) => {
  // Without its model the process is of no use: whoever runs it should see it end.
  console.error(error);
  process.exit(1);
});

/** @type {Record<string, { method: string, answer: (request: Request, response: Response) => Promise<void> | void }>} */
const routes = {
  '/': {
    method: 'GET',
    answer: (request, response) =>
      send(response, 200, 'text/plain; charset=utf-8', usage(request.headers.host ?? `127.0.0.1:${port}`)),
  },
  '/healthz': {
    method: 'GET',
    answer: (_request, response) => {
      const status = stopping ? 'stopping' : loadMs === undefined ? 'loading' : 'ready';
      sendJson(response, status === 'ready' ? 200 : 503, { status, loadMs });
    },
  },
  '/metrics': {
    method: 'GET',
    answer: (_request, response) => send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', metrics()),
  },
  '/upscale': { method: 'POST', answer: upscale },
};

const server = createServer((request, response) => {
  const startedAt = performance.now();
  const [path = '/'] = (request.url ?? '/').split('?', 1);
  inFlight += 1;
  // Comes after the last byte was handed to the system, or when the caller is gone.
  response.once('close', () => {
    inFlight -= 1;
    count(path, request, response, performance.now() - startedAt);
    endIfDone();
  });
  void answer(path, request, response);
});

/** @param {string} path @param {Request} request @param {Response} response @param {number} tookMs */
function count(path, request, response, tookMs) {
  // Probes and scrapes come every second and would drown the rest.
  if (path === '/healthz' || path === '/metrics') return;
  const status = response.writableFinished ? response.statusCode : 499;
  answersByStatus.set(status, (answersByStatus.get(status) ?? 0) + 1);
  const size = String(response.getHeader('x-image-size') ?? '-');
  console.log(`${new Date().toISOString()} ${request.method} ${path} ${status} ${Math.round(tookMs)} ms ${size}`);
}

/** @param {string} path @param {Request} request @param {Response} response */
async function answer(path, request, response) {
  try {
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (!route) throw new Refusal(404, `there is nothing at ${path}; GET / tells how to use this`);
    if (request.method !== route.method) {
      throw new Refusal(405, `${path} takes ${route.method}`, { allow: route.method });
    }
    await route.answer(request, response);
  } catch (error) {
    if (response.destroyed) return;
    if (!(error instanceof Refusal)) console.error(error);
    const { status, message, headers } =
      error instanceof Refusal ? error : new Refusal(500, 'the picture could not be enlarged');
    const problem = { type: 'about:blank', title: STATUS_CODES[status], status, detail: message };
    sendJson(response, status, problem, { ...headers, 'content-type': 'application/problem+json' });
  }
}

/** @param {Request} request @param {Response} response */
async function upscale(request, response) {
  const type = imageTypeOf(request.headers['content-type']);
  if (!type) {
    const found = request.headers['content-type'] ?? 'nothing';
    throw new Refusal(415, `content-type must be image/png or image/jpeg, not ${found}`);
  }
  if (loadMs === undefined) {
    throw new Refusal(503, 'the model is still loading', { 'retry-after': '1' });
  }
  const bytes = await readBody(request);
  checkSize(bytes, type);
  const outcome = await infer(bytes, type, response);
  if ('cancelled' in outcome) return;
  if ('badImage' in outcome) throw new Refusal(400, outcome.badImage);
  if ('failed' in outcome) throw new Error(outcome.failed);
  inferenceCount += 1;
  inferenceSeconds += outcome.inferenceMs / 1000;
  tensors = outcome.tensors;
  send(response, 200, 'image/png', outcome.png, {
    'x-inference-ms': outcome.inferenceMs.toFixed(1),
    'x-image-size': `${outcome.width}x${outcome.height}`,
  });
}

/** @param {Request} request @returns {Promise<Buffer>} */
function readBody(request) {
  return new Promise((resolve, reject) => {
    /** @type {Buffer[]} */
    const chunks = [];
    let length = 0;
    // What is too much is read and dropped: most clients look for the answer only after they have sent everything.
    request.on('data', (/** @type {Buffer} */ chunk) => {
      length += chunk.length;
      if (length <= mostBytes) chunks.push(chunk);
      else reject(new Refusal(413, `the body may have at most ${mostBytes} bytes`));
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
  });
}

/** @param {Buffer} bytes @param {import('./images.mjs').ImageType} type */
function checkSize(bytes, type) {
  try {
    const { width, height } = readSize(bytes, type);
    if (Math.max(width, height) > longestSide) {
      throw new Refusal(413, `no side may be longer than ${longestSide} px; it is ${width}x${height}`);
    }
  } catch (error) {
    throw error instanceof BadImage ? new Refusal(400, error.message) : error;
  }
}

/**
 * @param {Buffer} bytes @param {import('./images.mjs').ImageType} type @param {Response} response
 * @returns {Promise<Outcome>}
 */
function infer(bytes, type, response) {
  lastJob += 1;
  const id = lastJob;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    inference.postMessage({ id, bytes, type }, []);
    // The caller has gone: the rest of the work would be for nobody.
    response.once('close', () => inference.postMessage({ id, cancel: true }, []));
  });
}

/** @param {Response} response @param {number} status @param {unknown} value @param {Record<string, string>} headers */
function sendJson(response, status, value, headers = {}) {
  send(response, status, 'application/json', `${JSON.stringify(value)}\n`, headers);
}

/**
 * @param {Response} response @param {number} status @param {string} type @param {string | Uint8Array} body
 * @param {Record<string, string>} headers
 */
function send(response, status, type, body, headers = {}) {
  if (stopping) response.setHeader('connection', 'close');
  response.setHeader('content-type', type);
  response.setHeader('content-length', Buffer.byteLength(body));
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.statusCode = status;
  response.end(body);
}

function metrics() {
  const lines = ['# TYPE upscaler_requests_total counter'];
  for (const [status, count] of answersByStatus) lines.push(`upscaler_requests_total{code="${status}"} ${count}`);
  lines.push('# TYPE upscaler_requests_waiting gauge', `upscaler_requests_waiting ${waiting.size}`);
  lines.push('# TYPE upscaler_inference_seconds summary');
  lines.push(
    `upscaler_inference_seconds_sum ${inferenceSeconds}`,
    `upscaler_inference_seconds_count ${inferenceCount}`,
  );
  // Grows only if a run leaks.
  lines.push('# TYPE upscaler_tensors gauge', `upscaler_tensors ${tensors}`);
  if (loadMs !== undefined) lines.push('# TYPE upscaler_load_seconds gauge', `upscaler_load_seconds ${loadMs / 1000}`);
  return `${lines.join('\n')}\n`;
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

// Listening comes first, so that the replica counts as started while the model still loads.
server.listen(port, '127.0.0.1', () => {
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  console.log(`${process.env.EBB_REPLICA ?? 'upscaler'} (pid ${process.pid}) listens on http://127.0.0.1:${bound}`);
});
