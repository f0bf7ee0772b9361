import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FromGateway, ToGateway } from '@ebb/core';
import { connectLink, socketPath } from '@ebb/link';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, ControlPlane, objectOf, portOf, testReplica } from '../test/harness.ts';
import { endpointAt, gatewayWorkload } from '../test/workload.ts';

// The built process, as the control plane starts it.
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

function dataDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ebb-gateway-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function start(...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const exit = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  const line = async (message: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const found = stdout.split('\n').find((text) => text.includes(`"message":"${message}"`));
      if (found) return objectOf(found);
      if (child.exitCode !== null) throw new Error(`ended: ${stderr}`);
      await once(child.stdout!, 'data');
    }
  };
  return { child, exit, line };
}

describe('the gateway process', () => {
  it('serves, and ends with 0 on SIGTERM, leaving only its socket’s folder behind', async () => {
    const data = dataDirectory();
    const gateway = start('--data', data, '--port', '0');
    const { url } = await gateway.line('started');
    const port = Number(new URL(String(url)).port);
    const control = new ControlPlane(
      await connectLink<FromGateway, ToGateway>(socketPath(data, 'gateway'), { sender: 'control', epoch: 1 }),
    );
    const replica = await testReplica((_incoming, response) => response.end('from the replica'));
    control.send({ type: 'sync', workloads: [gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })] });
    await control.until('counts');
    expect((await ask(port, '/w')).text).toBe('from the replica');
    expect(await control.until('hello')).toMatchObject({ url, pid: gateway.child.pid });
    gateway.child.kill('SIGTERM');
    expect(await gateway.exit).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(data)).toEqual(['run']);
  });

  it('says in one line that the port is taken, and ends with 3', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const port = portOf(server);
    const data = dataDirectory();
    const { code, stderr, stdout } = await start('--data', data, '--port', String(port)).exit;
    expect(code).toBe(3);
    expect(stderr).toMatch(new RegExp(`^ebb gateway: port ${port} on 127\\.0\\.0\\.1 is taken[^\\n]*\\n$`));
    expect(stdout).toBe('');
    expect(existsSync(join(data, 'run', 'gateway.sock'))).toBe(false);
  });

  it('refuses to run twice on one data folder', async () => {
    const data = dataDirectory();
    const first = start('--data', data, '--port', '0');
    await first.line('started');
    const { code, stderr } = await start('--data', data, '--port', '0').exit;
    expect(code).toBe(4);
    expect(stderr).toMatch(/^ebb gateway: already running/);
    first.child.kill('SIGTERM');
    expect((await first.exit).code).toBe(0);
  });

  it.each([
    [[], '--data is missing'],
    [['--data', 'x', '--port', 'http'], '--port must be 0 to 65535, found "http"'],
    [['--data', 'x', '--prot', '1'], "Unknown option '--prot'"],
  ])('says what is wrong with %j', async (args, message) => {
    const { code, stderr } = await start(...args).exit;
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain('usage:');
  });
});
