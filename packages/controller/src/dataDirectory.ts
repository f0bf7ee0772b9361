import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StartError } from './exitCodes.ts';

/** What lies where in the data folder. */
export interface DataDirectory {
  path: string;
  database: string;
  token: string;
  /** What Secrets are sealed with. */
  sealingKey: string;
  /** Written when the control plane serves, removed at a clean stop. */
  control: string;
  lock: string;
  gatewayLog: string;
  agentLog: string;
  /** Compiled code of the three processes, so that a start need not compile it again. */
  compileCache: string;
}

/** Makes the folder (for the owner only) where there is none. Throws `StartError`. */
export function openDataDirectory(given: string): DataDirectory {
  const path = resolve(given);
  try {
    mkdirSync(join(path, 'logs'), { recursive: true, mode: 0o700 });
    mkdirSync(join(path, 'run'), { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StartError('storeUnusable', `the data folder ${path} cannot be used: ${messageOf(error)}`, error);
  }
  const { mode } = statSync(path);
  if (mode & 0o022) {
    throw new StartError(
      'storeUnusable',
      `others may write to the data folder ${path}: run chmod go-w on it, or use another one`,
    );
  }
  return {
    path,
    database: join(path, 'ebb.db'),
    token: join(path, 'token'),
    sealingKey: join(path, 'sealing-key'),
    control: join(path, 'control.json'),
    lock: join(path, 'run', 'control.lock'),
    gatewayLog: join(path, 'logs', 'gateway.log'),
    agentLog: join(path, 'logs', 'agent.log'),
    compileCache: join(path, 'cache'),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
