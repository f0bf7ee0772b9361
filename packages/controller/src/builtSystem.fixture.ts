import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

export interface Ready {
  event: 'ready';
  pid: number;
  apiUrl: string;
  gatewayUrl: string;
  startMs: number;
}

/** A control plane of its own, from the built files, as `ebb up` starts it. */
export class BuiltControlPlane {
  readonly child: ChildProcess;
  readonly dataDirectory: string;
  errors = '';
  #output = '';
  readonly #ended: Promise<unknown>;

  constructor(dataDirectory: string, args: string[] = []) {
    this.dataDirectory = dataDirectory;
    const ports = ['--api-port', '0', '--gateway-port', '0'];
    this.child = spawn(process.execPath, [main, '--data', dataDirectory, ...ports, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, EBB_TEST_SECRET: 'hidden-value' },
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
    this.#ended = once(this.child, 'exit');
    onTestFinished(async () => {
      if (this.isRunning()) this.child.kill('SIGTERM');
      await this.#ended;
    });
  }

  isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async ready(): Promise<Ready> {
    while (!this.#output.includes('\n')) {
      if (!this.isRunning()) throw new Error(`the control plane ended: ${this.errors}`);
      await Promise.race([once(this.child.stdout ?? this.child, 'data'), this.#ended]);
    }
    return JSON.parse(this.#output.split('\n')[0] ?? '') as Ready;
  }

  async exitCode(): Promise<number | null> {
    await this.#ended;
    return this.child.exitCode;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#ended;
  }
}

const server = `
  const { createServer } = require('node:http');
  createServer((request, response) => response.end(JSON.stringify({ pid: process.pid, path: request.url })))
    .listen(process.env.PORT, '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));`;

/** A workload of a small inline worker that answers with its own process id. */
export function helloDocument(spec: Record<string, unknown> = {}): string {
  const classes = [{ name: 'default', command: [process.execPath, '-e', server], env: { SECRET: 'hidden-value' } }];
  const serving = { routes: [{ pathPrefix: '/hello' }] };
  const metadata = { name: 'hello' };
  return JSON.stringify({
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'Workload',
    metadata,
    spec: { classes, serving, ...spec },
  });
}

export function originIn(dataDirectory: string): string {
  return join(dataDirectory, 'hello.json');
}
