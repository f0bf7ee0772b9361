import type { ReplicaRecord, RunningProcess } from './replicaRecords.ts';
import { pause } from './pause.ts';
import { findByEnvironment, isRunning } from './processTable.ts';
import type { Exit, SpawnedProcess } from './spawnReplica.ts';

const lookEveryMs = 100;
const never = new AbortController().signal;

/**
 * The process of an earlier agent's replica, when it still runs: the pid must have the start time that was noted, so
 * that a pid taken over by somebody else is not mistaken for it. When the earlier agent died in the instant between
 * the spawn and its note, the process is found by its environment.
 */
export function findProcess({ start, process: noted }: ReplicaRecord): (SpawnedProcess & { port: number }) | null {
  if (!noted) return null;
  const found =
    noted.pid === null ? findUnnoted(start.id, noted.port) : { pid: noted.pid, startTicks: noted.startTicks };
  if (!found || !isRunning(found.pid, found.startTicks)) return null;
  return {
    ...found,
    spawnedAtUs: noted.spawnedAtUs,
    port: noted.port,
    exited: untilEnded(found.pid, found.startTicks),
  };
}

function findUnnoted(id: string, port: number): (Pick<RunningProcess, 'startTicks'> & { pid: number }) | null {
  return findByEnvironment([`EBB_REPLICA=${id}`, `PORT=${port}`]);
}

/** Only a parent is told when a process ends, and how: an adopted one is looked at ten times a second. */
export async function untilEnded(pid: number, startTicks: number | null): Promise<Exit> {
  while (isRunning(pid, startTicks)) await pause(lookEveryMs, never);
  return { code: null, signal: null };
}
