import type { FromAgent, ToAgent } from '@ebb/core';
import { isAlive, listenLink, SocketInUseError, socketPath } from '@ebb/link';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { Agent } from './agent.ts';
import { lockDataDirectory } from './agentLock.ts';

/**
 * The agent: the only process of Ebb that starts others, kept small because a spawn blocks in proportion to the
 * memory of who spawns. `node main.js --data DIR`. SIGTERM and SIGINT end it and leave the replicas running.
 */
const exitUsage = 2;
const exitAlreadyRunning = 4;

function log(level: 'info' | 'warn' | 'error', message: string, data: Record<string, unknown> = {}): void {
  process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), level, message, ...data })}\n`);
}

function leave(code: number, message: string, data?: Record<string, unknown>): never {
  log('error', message, data);
  process.exit(code);
}

function readDataDirectory(): string {
  try {
    const { data } = parseArgs({ options: { data: { type: 'string' } } }).values;
    if (data) return resolve(data);
  } catch (error) {
    leave(exitUsage, error instanceof Error ? error.message : String(error));
  }
  return leave(exitUsage, 'usage: main.js --data DIR');
}

async function main(): Promise<void> {
  const dataDirectory = readDataDirectory();
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  const path = socketPath(dataDirectory, 'agent');
  if (!(await lockDataDirectory(dataDirectory)) || (await isAlive(path))) {
    leave(exitAlreadyRunning, 'another agent already runs on this data directory', { dataDirectory });
  }
  const agent = new Agent({ dataDirectory, log, onShutdown: () => void end() });
  // Before anybody can ask for a replica that still runs.
  const adopted = agent.adopt();
  const server = await listenLink<ToAgent, FromAgent>(
    path,
    { sender: `agent-${process.pid}`, epoch: Date.now() },
    (connection) => agent.serve(connection),
  ).catch((error: unknown) => {
    const code = error instanceof SocketInUseError ? exitAlreadyRunning : 1;
    return leave(code, error instanceof Error ? error.message : String(error), { path });
  });
  const end = async () => {
    agent.end();
    // A peer that does not close its side must not keep the agent.
    setTimeout(() => process.exit(0), 200).unref();
    await server.close();
    process.exit(0);
  };
  agent.look();
  process.on('SIGTERM', () => void end());
  process.on('SIGINT', () => void end());
  log('info', 'agent ready', { pid: process.pid, path, adopted, startMs: Math.round(performance.now()) });
}

// A spawn takes longer the larger the agent is. Left alone, its young heap grows to tens of megabytes of old probes.
setFlagsFromString('--semi-space-growth-factor=1');
// Whoever read the log may be gone; the agent goes on without.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
process.on('uncaughtException', (error) => log('error', 'unexpected error', { error: error.stack ?? String(error) }));
process.on('unhandledRejection', (error) => log('error', 'unexpected error', { error: String(error) }));
await main();
