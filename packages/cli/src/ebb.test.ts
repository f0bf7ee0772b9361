import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isRunning } from './controlPlane/processes.ts';
import { checkableText } from './documentFixture.ts';

/** The real command, as built, with a real control plane, gateway, agent and worker. */
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

interface Outcome {
  code: number;
  out: string;
  err: string;
}

function ebb(...words: string[]): Promise<Outcome> {
  const env = { ...process.env, EBB_DATA: data(), NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, ...words], { cwd: folder, env, timeout: longestMs }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
    });
  });
}

/** Asks until the answer is as wanted, for at most ten seconds. */
async function until<Value>(ask: () => Promise<Value>, wanted: (value: Value) => boolean): Promise<Value> {
  const endAt = performance.now() + 10_000;
  for (;;) {
    const value = await ask();
    if (wanted(value) || performance.now() > endAt) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-e2e-'));
  writeFileSync(join(folder, 'worker.mjs'), worker);
  writeFileSync(join(folder, 'hello.yaml'), checkableText('hello', `[${process.execPath}, worker.mjs]`));
  const tsc = join(root, 'node_modules', 'tsgo', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-b', join(root, 'packages', 'cli')], { stdio: 'inherit' });
}, 120_000);

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

    const dry = await ebb('apply', '-f', 'hello.yaml', '--dry-run');
    expect(dry).toMatchObject({ code: 0, out: 'workload/hello created (dry run)\n' });
    expect(JSON.parse((await ebb('get', 'wl', '--json')).out).items).toEqual([]);
    expect(await ebb('apply', '-f', 'hello.yaml')).toMatchObject({ code: 0, out: 'workload/hello created\n' });
    expect(await ebb('apply', '-f', 'hello.yaml')).toMatchObject({ code: 0, out: 'workload/hello unchanged\n' });

    const { status, metadata } = JSON.parse((await ebb('get', 'workload', 'hello', '-o', 'json')).out);
    expect(metadata.name).toBe('hello');
    const answer = await fetch(status.url);
    expect(await answer.text()).toMatch(/^hello from /);

    const now = JSON.parse((await ebb('status', '--json')).out);
    expect(now.workloads[0].replicas).toMatchObject({ ready: 1, failed: 0 });
    expect((await ebb('status')).out).toMatch(/● hello {2}wanted 1 of .* 1 ready/);
    expect((await ebb('get', 'wl')).out).toMatch(/^NAME .*\nhello +1\/1 /);
    expect((await ebb('get', 'wl', '-o', 'yaml')).out).toContain('kind: WorkloadList');

    const logs = await until(
      () => ebb('logs', 'hello'),
      ({ out }) => out.includes('asked for'),
    );
    expect(logs.out).toContain('worker is loading');
    const lines = (await ebb('logs', 'hello', '--json', '--tail', '1')).out.trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toHaveProperty('replica');

    const explained = await ebb('explain', 'hello');
    expect(explained.code).toBe(0);
    expect(explained.out.split('\n').length).toBeGreaterThan(2);
    expect(JSON.parse((await ebb('explain', 'hello', '--json')).out).lines.length).toBeGreaterThan(0);

    const misspelt = await ebb('explain', 'helo');
    expect(misspelt).toMatchObject({ code: 1, out: '' });
    expect(misspelt.err).toContain('there is no workload "helo". Did you mean "hello"?');

    expect(await ebb('delete', 'workload', 'hello')).toMatchObject({ code: 0, out: 'workload/hello deleted\n' });
    expect((await ebb('delete', 'workload', 'hello')).code).toBe(1);
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
