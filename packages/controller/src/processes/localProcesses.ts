import { createRequire } from 'node:module';
import { socketPath } from '@ebb/link';
import type { DataDirectory } from '../dataDirectory.ts';
import { StartError } from '../exitCodes.ts';
import type { Log } from '../log.ts';
import { type Ending, LocalProcess } from './localProcess.ts';

export interface LocalProcesses {
  gateway: LocalProcess;
  agent: LocalProcess;
  /** Starts (or finds) both at once. */
  start(): Promise<void>;
  /** The work's result; rejects with a `StartError` when one of the processes ends before. */
  whileAlive<Result>(work: Promise<Result>): Promise<Result>;
}

export interface LocalProcessesOptions {
  directory: DataDirectory;
  host: string;
  gatewayPort: number;
  log: Log;
}

const require = createRequire(import.meta.url);
const portTaken = 3;

/** The gateway needs nothing of the user's environment but where things are; secrets in it stay out of the data path. */
const gatewayVariables = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'NODE_EXTRA_CA_CERTS'];

export function localProcesses({ directory, host, gatewayPort, log }: LocalProcessesOptions): LocalProcesses {
  const cache = { NODE_COMPILE_CACHE: directory.compileCache };
  const gateway = new LocalProcess({
    name: 'gateway',
    module: require.resolve('@ebb/gateway/process'),
    args: ['--data', directory.path, '--host', host, '--port', String(gatewayPort)],
    env: { ...Object.fromEntries(gatewayVariables.map((name) => [name, process.env[name]])), ...cache },
    logFile: directory.gatewayLog,
    socket: socketPath(directory.path, 'gateway'),
    log,
  });
  const agent = new LocalProcess({
    name: 'agent',
    module: require.resolve('@ebb/drivers/agent'),
    args: ['--data', directory.path],
    // Whole: documents name variables of it (`envFromHost`) that are passed on to replicas.
    env: { ...process.env, ...cache },
    logFile: directory.agentLog,
    socket: socketPath(directory.path, 'agent'),
    log,
  });
  return {
    gateway,
    agent,
    async start() {
      await Promise.all([gateway.start(), agent.start()]);
    },
    whileAlive: (work) =>
      Promise.race([
        work,
        gateway.ended().then((ending) => refuse('gateway', ending, directory.gatewayLog)),
        agent.ended().then((ending) => refuse('agent', ending, directory.agentLog)),
      ]),
  };
}

function refuse(name: string, { code, signal, lastLine }: Ending, logFile: string): never {
  const words = lastLine?.replace(/^ebb gateway: /, '') ?? `no word of why; see ${logFile}`;
  if (name === 'gateway' && code === portTaken) throw new StartError('portTaken', words);
  throw new StartError('failed', `the ${name} ended while it started (${signal ?? `exit code ${code}`}): ${words}`);
}
