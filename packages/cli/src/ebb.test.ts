import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isRunning } from './controlPlane/processes.ts';
import { checkableText } from './document.fixture.ts';
import { type Outcome, runMain } from './runMain.fixture.ts';

/** The real command, as built (`npm test` builds first), with a real control plane, gateway, agent and worker. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
const entry = join(root, 'packages', 'cli', 'bin', 'ebb.mjs');
const longestMs = 60_000;

const worker = `
import { createServer } from 'node:http';
console.log('worker is loading');
const server = createServer((incoming, outgoing) => {
  console.log('asked for ' + incoming.url);
  outgoing.end('hello from ' + process.env.EBB_REPLICA);
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;

let folder = '';
const data = () => join(folder, 'data');

const environment = () => ({ ...process.env, EBB_DATA: data(), NO_COLOR: '1' });

function ebb(...words: string[]): Promise<Outcome> {
  const env = environment();
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, ...words], { cwd: folder, env, timeout: longestMs }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
    });
  });
}

/** What needs no process of its own, in this one: starting a Node for each would take most of the time. */
const ask = (...words: string[]) => runMain(words, folder, { EBB_DATA: data(), NO_COLOR: '1' });

/** Asks until the answer is as wanted, for at most ten seconds. */
async function until<Value>(ask: () => Promise<Value>, wanted: (value: Value) => boolean): Promise<Value> {
  const endAt = performance.now() + 10_000;
  for (;;) {
    const value = await ask();
    if (wanted(value) || performance.now() > endAt) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** `ebb up` in front, with what it has written so far. */
function upInFront(...words: string[]): { child: ChildProcess; text: () => string } {
  const args = [entry, 'up', '--api-port', '0', '--gateway-port', '0', ...words];
  const child = spawn(process.execPath, args, { cwd: folder, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  let written = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      written += text;
    });
  }
  return { child, text: () => written };
}

function controlPlanePid(): number {
  return JSON.parse(readFileSync(join(data(), 'control.json'), 'utf8')).pid;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-e2e-'));
  writeFileSync(join(folder, 'worker.mjs'), worker);
  writeFileSync(join(folder, 'hello.yaml'), checkableText('hello', `[${process.execPath}, worker.mjs]`));
});

afterAll(async () => {
  await ebb('down');
  rmSync(folder, { recursive: true, force: true });
}, longestMs);

test(
  'a life: up, apply, ask, look, explain, delete, down',
  async () => {
    const started = await ebb('up', '--detach', '--api-port', '0', '--gateway-port', '0', '--json');
    expect(started).toMatchObject({ code: 0 });
    const { pid, apiUrl } = JSON.parse(started.out);
    expect(isRunning(pid)).toBe(true);
    expect((await fetch(`${apiUrl}/api/v1/status`)).status).toBe(401);

    const second = await ebb('up', '--detach', '--api-port', '0', '--gateway-port', '0');
    expect(second.code).toBe(4);
    expect(second.err).toContain(`an Ebb already runs on ${data()}`);
    expect(isRunning(pid)).toBe(true);

    const dry = await ask('apply', '-f', 'hello.yaml', '--dry-run');
    expect(dry).toMatchObject({ code: 0, out: 'workload/hello created (dry run)\n' });
    expect(JSON.parse((await ask('get', 'wl', '--json')).out).items).toEqual([]);
    expect(await ask('apply', '-f', 'hello.yaml')).toMatchObject({ code: 0, out: 'workload/hello created\n' });
    expect(await ask('apply', '-f', 'hello.yaml')).toMatchObject({ code: 0, out: 'workload/hello unchanged\n' });

    const { status, metadata } = JSON.parse((await ask('get', 'workload', 'hello', '-o', 'json')).out);
    expect(metadata.name).toBe('hello');
    const answer = await fetch(status.url);
    expect(await answer.text()).toMatch(/^hello from /);

    const now = JSON.parse((await ask('status', '--json')).out);
    expect(now.workloads[0].replicas).toMatchObject({ ready: 1, failed: 0 });
    expect((await ebb('status')).out).toMatch(/● hello {2}wanted 1 of .* 1 ready/);
    expect((await ask('get', 'wl')).out).toMatch(/^NAME .*\nhello +1\/1 /);
    expect((await ask('get', 'wl', '-o', 'yaml')).out).toContain('kind: WorkloadList');

    const logs = await until(
      () => ask('logs', 'hello'),
      ({ out }) => out.includes('asked for'),
    );
    expect(logs.out).toContain('worker is loading');
    const lines = (await ask('logs', 'hello', '--json', '--tail', '1')).out.trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toHaveProperty('replica');

    const explained = await ask('explain', 'hello');
    expect(explained.code).toBe(0);
    expect(explained.out.split('\n').length).toBeGreaterThan(2);
    expect(JSON.parse((await ask('explain', 'hello', '--json')).out).lines.length).toBeGreaterThan(0);

    const recommended = await ask('recommend', 'hello');
    expect(recommended).toMatchObject({ code: 0, err: '' });
    expect(recommended.out).toMatch(/Nothing has been measured yet|Too little to go by/);
    expect(JSON.parse((await ask('recommend', '--json')).out).items[0].classes[0].class).toBe('default');
    expect((await ask('recommend', 'helo')).err).toContain('Did you mean "hello"?');

    const paid = JSON.parse((await ask('cost', '--since', '1h', '--json')).out);
    expect(paid.groups.map(({ name }: { name: string }) => name)).toEqual(['default/hello']);
    expect(paid.groups[0].replicaSeconds).toBeGreaterThan(0);
    expect((await ask('cost', '--by', 'class', '--csv')).out).toMatch(
      /^group,currency,cost_micro.*\ndefault\/hello\/default,/,
    );
    expect((await ask('cost', '--by', 'nodes')).err).toContain('Did you mean "node"?');

    const misspelt = await ask('explain', 'helo');
    expect(misspelt).toMatchObject({ code: 1, out: '' });
    expect(misspelt.err).toContain('there is no workload "helo". Did you mean "hello"?');

    expect(await ask('delete', 'workload', 'hello')).toMatchObject({ code: 0, out: 'workload/hello deleted\n' });
    expect((await ask('delete', 'workload', 'hello')).code).toBe(1);
    expect((await ebb('version', '--json')).out).toContain('"running": "');

    const stopped = await ebb('down', '--json');
    expect(stopped.code).toBe(0);
    expect(JSON.parse(stopped.out)).toMatchObject({ left: [], processes: ['gateway', 'agent', 'control plane'] });
    expect(isRunning(pid)).toBe(false);
    expect(existsSync(join(data(), 'control.json'))).toBe(false);
    expect((await ebb('down')).code).toBe(3);
  },
  longestMs * 2,
);

test(
  'in front: says where, starts a control plane that died again, and ends everything at Ctrl-C',
  async () => {
    const { child, text } = upInFront('hello.yaml');
    const shows = (words: string) =>
      until(
        async () => text(),
        (all) => all.includes(words),
      );
    try {
      expect(await shows('try ')).toMatch(/serving after .*\nlive page {2}http.*\/\nrequests {3}http/);
      expect(text()).not.toContain('token=');
      const url = /curl (\S+)/.exec(text())?.[1] ?? '';
      const answer = await (await fetch(url)).text();
      expect(await shows('is ready: spawn')).toContain('wants 0 → 1: ');

      const pid = controlPlanePid();
      process.kill(pid, 'SIGKILL');
      await shows('it is started again');
      await until(
        async () => controlPlanePid(),
        (now) => now !== pid,
      );
      const again = await until(
        () => ask('status', '--json'),
        ({ code }) => code === 0,
      );
      const { workloads, gateway, agent } = JSON.parse(again.out);
      // The replica was taken over, not replaced.
      expect(await (await fetch(url)).text()).toBe(answer);

      const left = [gateway.pid, agent.pid, workloads[0].replicaList[0].pid, controlPlanePid()];
      child.kill('SIGINT');
      const [code] = await once(child, 'exit');
      expect(code).toBe(0);
      expect(text()).toContain('stopped 1 replica, the gateway, the agent and the control plane; documents stay in');
      expect(left.filter(isRunning)).toEqual([]);
    } finally {
      child.kill('SIGKILL');
    }
  },
  longestMs,
);

test(
  'a taken port is named, with who has it, and nothing stays behind',
  async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    try {
      const taken = await ebb('up', '--detach', '--api-port', '0', '--gateway-port', String(port), '--data', 'other');
      expect(taken.code).toBe(1);
      expect(taken.err).toContain(`port ${port} of the gateway is taken by`);
      expect(taken.err).toContain(`(pid ${process.pid})`);
      expect(taken.err).toContain('--gateway-port PORT');
      expect((await ask('status', '--data', 'other')).code).toBe(3);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  },
  longestMs,
);

test(
  'what a control plane that died left behind is ended by down',
  async () => {
    const started = await ebb('up', 'hello.yaml', '--detach', '--api-port', '0', '--gateway-port', '0', '--json');
    expect(started.code).toBe(0);
    const { gateway, agent } = JSON.parse((await ask('status', '--json')).out);
    const pid = controlPlanePid();
    process.kill(pid, 'SIGKILL');
    await until(
      async () => isRunning(pid),
      (running) => !running,
    );
    expect((await ask('status')).err).toContain('has died; what it started may still run');
    const stopped = await ebb('down');
    expect(stopped).toMatchObject({ code: 0 });
    expect([gateway.pid, agent.pid].filter(isRunning)).toEqual([]);
  },
  longestMs,
);

test(
  'the demo: real pictures through a real model, 0 → 1 → N → 0, and nothing left',
  async () => {
    const document = join(root, 'examples', 'upscaler', 'workload.yaml');
    const { code, out, err } = await ebb('up', document, '--demo', '--json', '--api-port', '0', '--gateway-port', '0');
    expect(err).toContain('came back as');
    const summary = JSON.parse(out);
    expect(summary).toMatchObject({ ok: true, leftRunning: [], requests: { failed: 0, problems: [] } });
    expect(summary.requests.answered).toBeGreaterThanOrEqual(13);
    expect(summary.replicas).toMatchObject({ peak: expect.any(Number), backToZero: true });
    expect(summary.replicas.peak).toBeGreaterThan(1);
    for (const stage of ['spawn', 'load', 'ready', 'ebb', 'total'])
      expect(summary.coldStartMs[stage]).toBeGreaterThan(0);
    expect(BigInt(summary.cost.usedMicro)).toBeLessThan(BigInt(summary.cost.alwaysOnMicro));
    expect(code).toBe(0);
  },
  longestMs * 2,
);
