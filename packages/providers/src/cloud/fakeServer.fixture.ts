import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Clock } from '@ebb/core';
import type { ProviderPorts } from '../contract.ts';
import { MemoryBook } from '../testing/memoryBook.ts';
import { type Json, objectAt } from './json.ts';
import { later } from './waiting.ts';

export interface FakeQuestion {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Json;
  headers: IncomingMessage['headers'];
}

export interface FakeAnswer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** What goes wrong, once with the first question that fits. */
export interface FakeFault {
  fits(question: FakeQuestion): boolean;
  /** `lost`: it is done and the connection breaks; `refused`: the connection breaks before anything is done. */
  what: 'lost' | 'refused' | FakeAnswer;
  /** Not once but until it is taken out of the list. */
  stays?: boolean;
}

/** A REST API on 127.0.0.1 that is asked over real connections. */
export class FakeServer {
  readonly asked: string[] = [];
  readonly faults: FakeFault[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #answer: (question: FakeQuestion) => FakeAnswer;

  constructor(answer: (question: FakeQuestion) => FakeAnswer) {
    this.#answer = answer;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => void this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** Puts a fault in place until the answer is called. */
  suffer(fault: FakeFault): () => void {
    const stays = { ...fault, stays: true };
    this.faults.push(stays);
    return () => void this.faults.splice(this.faults.indexOf(stays), 1);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => void this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    const written = await text(request);
    const question: FakeQuestion = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      body: request.headers['content-type']?.includes('form')
        ? Object.fromEntries(new URLSearchParams(written))
        : objectAt(written === '' ? {} : JSON.parse(written)),
      headers: request.headers,
    };
    this.asked.push(`${question.method} ${url.pathname}${url.search}`);
    const fault = this.faults.find(({ fits }) => fits(question));
    if (fault && fault.stays !== true) this.faults.splice(this.faults.indexOf(fault), 1);
    if (fault?.what === 'refused') return void request.socket.destroy();
    const answer = typeof fault?.what === 'object' ? fault.what : this.#answer(question);
    if (fault?.what === 'lost') return void request.socket.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
  }
}

/** The machine's own clock; time in tests of real connections passes by itself. */
export const realClock: Clock = {
  nowMs: () => Date.now(),
  nowUs: () => Math.round(performance.now() * 1000),
  at: (atMs, callback) => {
    const timer = setTimeout(callback, Math.max(0, atMs - Date.now()));
    return () => clearTimeout(timer);
  },
};

export function fakePorts(
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>>,
): ProviderPorts & { lines: string[] } {
  const lines: string[] = [];
  return {
    clock: realClock,
    log: (line) => lines.push(line),
    book: new MemoryBook(),
    secrets: ({ name }) => Promise.resolve(secrets[name] ?? null),
    lines,
  };
}

/** Resolves once the condition holds, looking again every few milliseconds; rejects after four seconds. */
export async function untilTrue(condition: () => boolean, what: string, mostMs = 4000): Promise<void> {
  const endMs = Date.now() + mostMs;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(`gave up waiting: ${what}`);
    await later(realClock, 3);
  }
}
