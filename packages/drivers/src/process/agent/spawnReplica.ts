import type { ReplicaStart } from '@ebb/core';
import { spawn } from 'node:child_process';
import { expand, replicaEnvironment } from './environment.ts';
import { nowUs } from './monotonic.ts';
import { readProcess } from './processTable.ts';
import { resolveCommand } from './resolveCommand.ts';

export interface Exit {
  /** Null when a signal ended it, or when nobody could see how it ended (adopted). */
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface SpawnedProcess {
  pid: number;
  startTicks: number | null;
  spawnedAtUs: number;
  exited: Promise<Exit>;
}

/** What a start resolves to once its port is known. */
export interface SpawnPlan {
  file: string;
  args: string[];
  environment: Record<string, string>;
}

/** Environment, arguments and program of a start. Throws `StartRefusedError` when it cannot be run. */
export function planSpawn(
  start: ReplicaStart,
  port: number,
  host: NodeJS.ProcessEnv,
  gpus?: Record<string, string>,
): SpawnPlan {
  const environment = replicaEnvironment(start, port, host, gpus);
  const [name = '', ...args] = start.command.map((argument) => expand(argument, environment));
  return { file: resolveCommand(name, environment['PATH'] ?? '', start.workingDirectory), args, environment };
}

/**
 * Starts the process in a session and group of its own, without a shell, its output going straight into the given
 * files (`status`: descriptor 3). Rejects when the system refuses (no more processes, arguments too long).
 */
export async function spawnReplica(
  plan: SpawnPlan,
  workingDirectory: string,
  output: { stdout: number; stderr: number; status?: number },
): Promise<SpawnedProcess> {
  const child = spawn(plan.file, plan.args, {
    cwd: workingDirectory,
    env: plan.environment,
    detached: true,
    stdio: ['ignore', output.stdout, output.stderr, ...(output.status === undefined ? [] : [output.status])],
  });
  const spawnedAtUs = nowUs();
  const { pid } = child;
  if (pid === undefined) {
    return new Promise((_, reject) => {
      child.once('error', reject);
    });
  }
  child.on('error', () => {}); // A signal that came too late; the exit tells.
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  return { pid, startTicks: readProcess(pid)?.startTicks ?? null, spawnedAtUs, exited };
}
