import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ebb, type RunningEbb, startEbb } from './ebbCommand.ts';

/**
 * What goes wrong on one machine, through the real processes: each fault must be said in words, change nothing else,
 * and lose nothing that was accepted.
 */
let running: RunningEbb;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-faults-'));
  writeFileSync(join(folder, 'worker.mjs'), worker);
  running = await startEbb([]);
});

afterAll(async () => {
  await running?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Answers after `?ms=`; `/die` sends half an answer and dies; SIGTERM lets what is in flight finish. */
const worker = `
import { createServer } from 'node:http';
const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://x');
  if (url.pathname.endsWith('/die')) {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('half of it', () => process.exit(1));
    return;
  }
  setTimeout(() => response.end('ok'), Number(url.searchParams.get('ms') ?? 0));
});
if (process.env.SILENT) { console.error('weights missing: model.bin'); setInterval(() => {}, 1000); }
else server.listen(Number(process.env.PORT), '127.0.0.1');
`;

interface Options {
  command?: string;
  env?: string;
  scaling?: string;
  probes?: string;
  serving?: string;
  port?: string;
}

function document(name: string, options: Options = {}): string {
  return `apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata: { name: ${name} }
spec:
  classes:
    - name: default
      command: ${options.command ?? '[node, worker.mjs]'}
      port: ${options.port ?? 'auto'}
      concurrency: 1
      env: ${options.env ?? '{}'}
  probes: ${options.probes ?? '{}'}
  serving: ${options.serving ?? '{}'}
  scaling: ${options.scaling ?? '{ maxReplicas: 1, keepAlive: 1s }'}
`;
}

async function apply(name: string, text: string) {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, text);
  return ebb(['apply', '-f', file, '--data', running.data]);
}

async function applied(name: string, options: Options = {}): Promise<void> {
  const result = await apply(name, document(name, options));
  expect(result, result.stderr).toMatchObject({ code: 0 });
}

const get = (path: string, init: RequestInit = {}) => fetch(`${running.gatewayUrl}${path}`, init);

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  return (await response.json()) as Record<string, unknown>;
}

interface Status {
  inFlight: number;
  held: number;
  requests: Record<string, number>;
  replicas: Record<string, number>;
}

async function statusOf(name: string): Promise<Status> {
  const headers = { authorization: `Bearer ${running.token}` };
  const response = await fetch(`${running.apiUrl}/api/v1/namespaces/default/workloads/${name}/status`, { headers });
  return (await response.json()) as Status;
}

/** Reads the status until it is as asked; the test's own time-out bounds it. */
async function until(name: string, holds: (status: Status) => boolean): Promise<Status> {
  for (;;) {
    const status = await statusOf(name);
    if (holds(status)) return status;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('documents', () => {
  it('with several faults are refused with each place, and nothing is changed', async () => {
    const text = document('bad', { scaling: '{ minReplicas: 5, maxReplicas: 2, keepAlife: 1s }' });
    const result = await apply('bad', text);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/bad\.yaml:13:\d+: error: .*minReplicas.*5.*2/);
    expect(result.stderr).toMatch(/bad\.yaml:13:\d+: error: .*keepAlife/);
    expect(result.stderr).toContain('did you mean "keepAlive"?');
    expect((await ebb(['get', 'workload', 'bad', '--data', running.data])).code).not.toBe(0);
  });

  it('that grow without end when they are read are refused quickly', async () => {
    const levels = Array.from({ length: 30 }, (_, i) => `l${i + 1}: &l${i + 1} [*l${i}, *l${i}, *l${i}, *l${i}]`);
    const bomb = ['l0: &l0 x', ...levels].join('\n');
    const result = await apply('bomb', bomb);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/bomb\.yaml:\d+:\d+: error: /);
  });

  it('with the route of another workload are refused with its name', async () => {
    await applied('first', { serving: '{ routes: [{ pathPrefix: /same }] }' });
    const result = await apply('second', document('second', { serving: '{ routes: [{ pathPrefix: /same }] }' }));
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/second\.yaml:\d+:\d+: error: .*first/);
    expect((await ebb(['get', 'workload', 'second', '--data', running.data])).code).not.toBe(0);
  });
});

describe('replicas', () => {
  it('whose command does not exist: the held request gets the reason', async () => {
    await applied('typo', { command: '[nodde, worker.mjs]' });
    const response = await get('/typo');
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await problemOf(response)).detail).toMatch(/command not found.*nodde/);
  });

  it('that never get ready are ended by the start-up budget; the last log lines are one command away', async () => {
    await applied('never', { env: '{ SILENT: "1" }', probes: '{ startup: { tcp: {}, budget: 1s } }' });
    const response = await get('/never');
    expect(response.status).toBe(503);
    expect(String((await problemOf(response)).detail)).toMatch(/1 ?s/);
    const logs = await ebb(['logs', 'never', '--data', running.data]);
    expect(logs.stdout).toContain('weights missing: model.bin');
  });

  it('on a fixed port that is taken: the reason names the port', async () => {
    const holder: Server = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    try {
      await applied('taken', { port: String(port) });
      const response = await get('/taken');
      expect(response.status).toBe(503);
      expect((await problemOf(response)).detail).toContain(String(port));
    } finally {
      holder.close();
    }
  });

  it('that die in the middle of an answer: the client sees it broken, and the next one is served', async () => {
    await applied('dies', { scaling: '{ maxReplicas: 1, keepAlive: 60s }' });
    expect(await (await get('/dies')).text()).toBe('ok');
    await expect(get('/dies/die').then((response) => response.text())).rejects.toThrow();
    const response = await get('/dies');
    expect(response.status).toBe(200);
    const status = await until('dies', ({ requests }) => (requests.succeeded ?? 0) + (requests.failed ?? 0) === 3);
    expect(status.requests).toMatchObject({ succeeded: 2, failed: 1 });
  });
});

describe('requests', () => {
  it('beyond the queue are refused at once, and every other one is answered', async () => {
    await applied('full', { serving: '{ buffer: { maxRequests: 3 } }' });
    const responses = await Promise.all(Array.from({ length: 8 }, () => get('/full?ms=50')));
    const statuses = responses.map((response) => response.status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(3);
    const refused = responses.filter((response) => response.status === 503);
    expect(refused.length).toBe(8 - statuses.filter((status) => status === 200).length);
    for (const response of refused) expect((await problemOf(response)).code).toBe('queue-full');
  });

  it('of a client that goes away while it is held are forgotten, not forwarded', async () => {
    await applied('gone', { env: '{ SILENT: "1" }', probes: '{ startup: { tcp: {}, budget: 20s } }' });
    const client = request(`${running.gatewayUrl}/gone`);
    client.on('error', () => {});
    client.end();
    await until('gone', (status) => status.held === 1);
    client.destroy();
    const status = await until('gone', (one) => one.held === 0);
    expect(status.requests).toMatchObject({ cancelled: 1, failed: 0 });
    expect((await ebb(['delete', 'workload', 'gone', '--data', running.data])).code).toBe(0);
  });

  it('that wait too long are refused with the reason', async () => {
    const probes = '{ startup: { tcp: {}, budget: 20s } }';
    await applied('slow', { env: '{ SILENT: "1" }', probes, serving: '{ timeouts: { hold: 500ms } }' });
    const response = await get('/slow');
    expect([503, 504]).toContain(response.status);
    expect((await problemOf(response)).code).toBe('hold-timeout');
  });

  it('for nobody are refused with how to name a workload', async () => {
    const response = await get('/nobody-serves-this');
    expect(response.status).toBe(404);
    expect(String((await problemOf(response)).detail)).toContain('x-ebb-workload');
  });
});

describe('a second Ebb', () => {
  it('on the same data folder is refused with the address of the first', async () => {
    const result = await ebb(['up', '--detach', '--data', running.data, '--api-port', '0', '--gateway-port', '0']);
    expect(result.code).toBe(4);
    expect(result.stderr).toContain(running.apiUrl);
  });

  it('on a port that is taken says which, and leaves nothing running', async () => {
    const data = join(folder, 'other', '.ebb');
    const port = new URL(running.gatewayUrl).port;
    const result = await ebb(['up', '--detach', '--data', data, '--api-port', '0', '--gateway-port', port]);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain(port);
    expect((await ebb(['status', '--data', data])).code).toBe(3);
  });
});
