import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { BadImage, type ImageType, imageTypeOf, readSize } from '../../upscaler/images.mjs';
import { longestSide } from '../job/limits.ts';
import type { Task } from '../queue/task.ts';
import { NotStored, type Storage } from '../storage/storage.ts';
import type { Board } from './board.ts';
import { mostPictures } from './gallery.ts';

export interface PageServerOptions {
  board: Board;
  storage: Storage;
  publish(task: Task): Promise<void>;
}

const mostBytes = 4 * 1024 * 1024;
const longestName = 120;
const longestPrompt = 1000;
const heartbeatMs = 15_000;

const page = new URL('../page/', import.meta.url);
const samples = new URL('../../upscaler/images/', import.meta.url);
const houseStyle = new URL('../../../packages/dashboard/page/style.css', import.meta.url);
const sampleNames = readdirSync(samples).filter((name) => /\.(png|jpg)$/.test(name));

/** A request that is refused; the message says why. */
class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The page and what it calls. `listen` it on 127.0.0.1. */
export function createPageServer(options: PageServerOptions): Server {
  return createServer((request, response) => {
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('cache-control', 'no-store');
    handle(options, request, response).catch((error: unknown) => {
      const isRefused = error instanceof Refused;
      const status = isRefused ? error.status : error instanceof NotStored ? 404 : 500;
      if (status === 500) console.error(`page: ${request.method} ${request.url}: ${String(error)}`);
      if (response.headersSent) return void response.destroy();
      json(response, status, { message: error instanceof Error ? error.message : String(error) });
    });
  });
}

async function handle(options: PageServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  checkCaller(request);
  const { pathname } = new URL(request.url ?? '/', 'http://page');
  const route = `${request.method} ${pathname}`;
  switch (route) {
    case 'GET /': {
      response.setHeader(
        'content-security-policy',
        "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'",
      );
      return send(response, 'text/html; charset=utf-8', readFileSync(new URL('index.html', page)));
    }
    case 'GET /style.css': {
      const styles = [houseStyle, new URL('style.css', page)].map((file) => readFileSync(file));
      return send(response, 'text/css; charset=utf-8', Buffer.concat(styles));
    }
    case 'GET /state':
      return json(response, 200, options.board.state());
    case 'GET /events':
      return follow(options.board, request, response);
    case 'GET /samples':
      return json(response, 200, sampleNames);
    case 'POST /pictures':
      return submit(options, request, response);
  }
  const script = /^\/([a-z]+\.js)$/i.exec(pathname)?.[1];
  if (script && readdirSync(page).includes(script)) {
    return send(response, 'text/javascript; charset=utf-8', readFileSync(new URL(script, page)));
  }
  const sample = /^\/samples\/([^/]+)$/.exec(pathname)?.[1];
  if (request.method === 'GET' && sample && sampleNames.includes(sample)) {
    return send(
      response,
      extname(sample) === '.png' ? 'image/png' : 'image/jpeg',
      readFileSync(new URL(sample, samples)),
    );
  }
  const [, id = '', part = ''] = /^\/pictures\/([A-Za-z0-9-]+)\/(original|result)$/.exec(pathname) ?? [];
  const task = options.board.gallery.find(id)?.task;
  const key = part === 'original' ? task?.input : task?.output;
  if (request.method !== 'GET' || !key) throw new Refused(404, `there is no ${pathname}`);
  const bytes = await options.storage.get(key);
  response.setHeader('cache-control', 'private, max-age=3600');
  send(response, bytes[0] === 0xff ? 'image/jpeg' : 'image/png', bytes);
}

/** Only this page: not another site's script, nor another name that points at 127.0.0.1. */
function checkCaller({ headers }: IncomingMessage): void {
  const name = (headers.host ?? '').replace(/:\d+$/, '');
  if (name !== '127.0.0.1' && name !== 'localhost')
    throw new Refused(403, 'this page answers to 127.0.0.1 and localhost');
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) {
    throw new Refused(403, 'pages of other sites may not use this one');
  }
}

/** Stores the picture, then publishes its message: whoever takes the message finds the picture. */
async function submit(
  { board, storage, publish }: PageServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (board.gallery.unfinished >= mostPictures) throw new Refused(429, `${mostPictures} pictures wait already`);
  const id = randomUUID();
  const prompt = headerText(request, 'x-prompt').slice(0, longestPrompt);
  const name = (headerText(request, 'x-name') || prompt || 'picture').slice(0, longestName);
  const bytes = await readBody(request);
  let input: string | null = null;
  let size: { width: number; height: number } | null = null;
  if (bytes.length > 0 || prompt === '') {
    const type = imageTypeOf(request.headers['content-type']);
    if (!type) throw new Refused(415, 'a picture must be image/png or image/jpeg');
    size = checkedSize(bytes, type);
    input = `${id}/original.${type === 'image/png' ? 'png' : 'jpg'}`;
    await storage.put(input, bytes, type);
  }
  const task: Task = { id, name, input, output: `${id}/result.png`, prompt, submittedAt: Date.now() };
  // Before it is published: a Job may be faster than the broker's confirmation.
  board.gallery.submitted(task, size);
  try {
    await publish(task);
  } catch (error) {
    board.gallery.withdrawn(id);
    throw new Refused(503, error instanceof Error ? error.message : String(error));
  }
  json(response, 202, { id });
}

function checkedSize(bytes: Buffer, type: ImageType): { width: number; height: number } {
  try {
    const size = readSize(bytes, type);
    if (Math.max(size.width, size.height) > longestSide) {
      throw new Refused(413, `no side may be longer than ${longestSide} px; it is ${size.width}x${size.height}`);
    }
    return size;
  } catch (error) {
    if (error instanceof BadImage) throw new Refused(400, error.message);
    throw error;
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length <= mostBytes) parts.push(part);
    // One that is a little too long is read to its end, so that its sender hears why.
    else if (length > 8 * mostBytes) request.destroy();
  }
  if (length > mostBytes) throw new Refused(413, `a picture may have at most ${mostBytes} bytes`);
  return Buffer.concat(parts);
}

/** Headers hold ASCII only, so these come percent-encoded. */
function headerText({ headers }: IncomingMessage, name: string): string {
  const value = headers[name];
  if (typeof value !== 'string') return '';
  try {
    return decodeURIComponent(value);
  } catch {
    throw new Refused(400, `the header ${name} must be percent-encoded`);
  }
}

/** The state, now and at every change, as server-sent events. One that is slow gets the latest, not all. */
async function follow(board: Board, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let isFull = false;
  const tell = () => {
    if (!isFull) isFull = !response.write(`data: ${JSON.stringify(board.state())}\n\n`);
  };
  response.on('drain', () => {
    isFull = false;
    tell();
  });
  const unlisten = board.listen(tell);
  const heartbeat = setInterval(() => response.write(':\n\n'), heartbeatMs);
  tell();
  await once(request.socket, 'close');
  clearInterval(heartbeat);
  unlisten();
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function send(response: ServerResponse, type: string, body: Buffer): void {
  response.writeHead(200, { 'content-type': type, 'content-length': body.length }).end(body);
}
