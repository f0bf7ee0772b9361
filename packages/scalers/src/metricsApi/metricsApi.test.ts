import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blackHole, refusedPort } from '../../../testing/src/services/index.ts';
import { readSettings } from '../contract/readSettings.ts';
import { describeSource, readOnce, testContext } from '../contract/sourceConformance.fixture.ts';
import { openTrigger, type TriggerValues } from '../runtime/openTrigger.ts';
import { metricsApi } from './metricsApi.ts';

/** A real interface of some application: what it answers is what a test says. */
class Application {
  status = 200;
  body = '';
  readonly asked: { method: string; url: string }[] = [];
  readonly #server: Server;
  #port = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      this.asked.push({ method: request.method ?? '', url: request.url ?? '' });
      if (request.headers.authorization === 'Bearer wrong-secret')
        return void response.writeHead(401).end('who are you?');
      if (request.url === '/nothing') return void response.writeHead(404).end();
      response.writeHead(this.status).end(this.body);
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve) =>
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      }),
    );
  }

  get port(): number {
    return this.#port;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

function values(port: number, changes: Record<string, string> = {}, auth: Record<string, string> = {}): TriggerValues {
  return {
    metadata: { url: `http://127.0.0.1:${port}/stats`, valueLocation: 'queue.größe', targetValue: '5', ...changes },
    auth,
    env: {},
  };
}

describeSource('metrics-api', {
  definition: metricsApi,
  async start() {
    const application = new Application();
    await application.listen();
    const hole = await blackHole();
    let length = 0;
    const show = () => {
      application.body = JSON.stringify({ queue: { größe: length, 'ö.🚀': '3' } });
    };
    return {
      values: values(application.port),
      activatesAbove5: values(application.port, { activationTargetValue: '5' }),
      async set(count) {
        length = count;
        show();
      },
      async truth() {
        const answer = (await (await fetch(`http://127.0.0.1:${application.port}/stats`)).json()) as {
          queue: { größe: number };
        };
        return answer.queue.größe;
      },
      wrongName: {
        values: values(application.port, { url: `http://127.0.0.1:${application.port}/nothing` }),
        is: 'not-found',
      },
      wrongSignIn: {
        values: values(application.port, { authMode: 'bearer' }, { token: 'wrong-secret' }),
        is: 'unauthorized',
      },
      unicode: values(application.port, { valueLocation: 'queue.ö\\.🚀' }),
      blackHole: values(hole.port),
      refused: values(await refusedPort()),
      async restart() {
        await application.stop();
        await application.listen();
      },
      async close() {
        await hole.stop();
        await application.stop();
      },
    };
  },
});

describe('metrics-api', () => {
  const application = new Application();
  beforeAll(() => application.listen());
  afterAll(() => application.stop());

  async function read(body: string, changes: Record<string, string>, status = 200) {
    Object.assign(application, { body, status });
    const context = testContext();
    const source = openTrigger(metricsApi, values(application.port, changes), context);
    try {
      return await readOnce(source, context);
    } finally {
      await source.close();
      expect(context.connections.size).toBe(0);
    }
  }

  it.each<[string, string, string, number]>([
    ['json', '{"a":{"b":[1,{"c":"500m"}]}}', 'a.b.1.c', 0.5],
    ['json', '{"jobs":[{"s":"w"},{"s":"r"},{"s":"w"}]}', 'jobs.#(s=="w")#|#', 2],
    ['json', '{"a":-3}', 'a', 0],
    ['yaml', 'a:\n  - b: 1k\n', 'a.0.b', 1000],
    ['xml', '<s><a>7</a></s>', 's.a', 7],
    ['prometheus', 'jobs{q="a"} 1\njobs{q="b"} 2', 'jobs{q="b"}', 2],
    ['prometheus', 'jobs NaN\n', 'jobs', 0],
  ])('reads %s %s at %s', async (format, body, valueLocation, value) => {
    expect((await read(body, { format, valueLocation })).value).toBe(value);
  });

  it.each([
    ['{"a":1}', 'b', 200, 'not-found'],
    ['{"a":true}', 'a', 200, 'bad-answer'],
    ['{"a":"many"}', 'a', 200, 'bad-answer'],
    ['{"a":[1,2]}', 'a', 200, 'bad-answer'],
    ['<html>', 'a', 200, 'bad-answer'],
    ['', 'a', 200, 'bad-answer'],
    ['{"a":1}', 'a', 206, 'bad-answer'],
    ['{"a":1}', 'a', 500, 'bad-answer'],
    ['{"a":1}', 'a', 403, 'unauthorized'],
  ])('%s at %s with status %d is %s', async (body, valueLocation, status, code) => {
    await expect(read(body, { valueLocation }, status)).rejects.toMatchObject({
      code,
      message: expect.stringContaining('/stats'),
    });
  });

  it.each([
    [{ valueLocation: 'a.@this' }, 'valueLocation', /modifiers/],
    [{ valueLocation: 'jobs{q=~"x"}', format: 'prometheus' }, 'valueLocation', /=~/],
    [{ aggregateFromKubeServiceEndpoints: 'true' }, 'aggregateFromKubeServiceEndpoints', /Kubernetes service/],
    [{ authMode: 'bearer' }, 'authMode', /bearerToken/],
  ])('refuses %j', (changes, parameter, message) => {
    const { metadata, auth } = values(1, changes);
    const { settings, problems } = readSettings(metricsApi.parameters, { metadata, auth, env: {} });
    expect(problems).toEqual([]);
    expect(metricsApi.check?.(settings, { metadata, auth })).toEqual([
      { parameter, message: expect.stringMatching(message) },
    ]);
  });

  it('gives up after its own time', async () => {
    const hole = await blackHole();
    const context = testContext({ timeoutMs: 60_000 });
    const source = openTrigger(metricsApi, values(hole.port, { timeout: '150ms' }), context);
    const startedMs = performance.now();
    await expect(readOnce(source, context)).rejects.toMatchObject({ code: 'timeout' });
    expect(performance.now() - startedMs).toBeLessThan(2000);
    await source.close();
    await hole.stop();
  });

  it('only ever asks with GET', () => {
    expect(new Set(application.asked.map(({ method }) => method))).toEqual(new Set(['GET']));
  });

  it('has the name that KEDA gives it', () => {
    const { metadata, auth } = values(1);
    const { settings } = readSettings(metricsApi.parameters, { metadata, auth, env: {} });
    expect(metricsApi.metricName(settings)).toBe('metric-api-queue.größe');
    expect(metricsApi.target(settings)).toEqual({ target: 5, activationTarget: 0 });
  });
});
