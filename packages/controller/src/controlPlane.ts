import { openDataDirectory } from './dataDirectory.ts';
import { lockDataDirectory } from './lock.ts';
import type { Log } from './log.ts';
import { localProcesses } from './processes/localProcesses.ts';
import { readVersion } from './version.ts';
import { writeFileAtomic } from './writeFileAtomic.ts';

export interface ControlPlaneOptions {
  dataDirectory: string;
  /** Where the gateway listens; default 127.0.0.1. The API is always on loopback. */
  host?: string;
  /** 0: any free one. */
  apiPort: number;
  gatewayPort: number;
  /** Serve the live page at `/`; default true. */
  page?: boolean;
  metricsOpen?: boolean;
  /** Prices of machines in place of the built-in list: a CSV or JSON file. */
  catalogue?: string | null;
  log: Log;
}

export interface StopOptions {
  /** End the control plane only: gateway, agent and replicas stay, and the next start adopts them. */
  leaveRunning?: boolean;
}

export interface ControlPlane {
  apiUrl: string;
  gatewayUrl: string;
  version: string;
  /** The same promise when asked again. */
  stop(options?: StopOptions): Promise<void>;
  /** Goes on with a stop that waits for replicas to drain, without waiting longer. */
  hurry(): void;
  /** Resolves when it has stopped, whoever asked. */
  stopped: Promise<void>;
}

/**
 * Takes the data folder, starts (or finds) gateway and agent, adopts what runs, and serves the API. Rejects with a
 * `StartError` for what the user can mend; then nothing that it started is left.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const startedAt = Date.now();
  const directory = openDataDirectory(options.dataDirectory);
  const lock = lockDataDirectory(directory.lock, startedAt);
  const { host = '127.0.0.1', gatewayPort, log } = options;
  const processes = localProcesses({ directory, host, gatewayPort, log });
  try {
    // They take as long to start as the rest of this process takes to load: both at once.
    await processes.start();
    const { serve } = await import('./serve.ts');
    const version = readVersion();
    const running = await serve({ directory, processes, version, ...options });
    const { apiUrl, gatewayUrl } = running;
    lock.describe(apiUrl);
    const control = { pid: process.pid, apiUrl, gatewayUrl, startedAt, version };
    writeFileAtomic(directory.control, `${JSON.stringify(control)}\n`);
    return { ...running, version, stopped: running.stopped.finally(() => lock.release()) };
  } catch (error) {
    await Promise.all([processes.gateway.kill(), processes.agent.kill()]);
    lock.release();
    throw error;
  }
}
