import { untilEnded } from './adopt.ts';
import { nowUs } from './monotonic.ts';
import {
  environmentHolds,
  findByOpenFile,
  hasProcessTable,
  isRunning,
  readProcessesSince,
  signalReaches,
} from './processTable.ts';
import type { RunRecord, RunRecords } from './runRecords.ts';
import { recordDescriptors } from './runWrapper.ts';
import type { SpawnedProcess } from './spawnReplica.ts';

/** The wrapper of a run: the leader of its process group. */
export type RunProcess = SpawnedProcess;

/**
 * The process of an earlier agent's run, when it still runs: found as a replica's is, by pid and start time, or by its
 * record, which it has open, when the earlier agent died in the instant between the spawn and its note.
 */
export function adoptRun({ seen, live, earlierBoot }: RunRecord, records: RunRecords): RunProcess | null {
  if (!live || earlierBoot) return null;
  const found = live.process ?? findUnnoted(seen.id, records);
  if (!found || !isRunning(found.pid, found.startTicks)) return null;
  return { ...found, exited: untilEnded(found.pid, found.startTicks) };
}

function findUnnoted(id: string, records: RunRecords): Omit<RunProcess, 'exited'> | null {
  const status = records.readStatus(id);
  if (!status || status.end) return null;
  const found = hasProcessTable
    ? findByOpenFile(records.fileOf(id), recordDescriptors)
    : status.pid && { pid: status.pid, startTicks: null };
  return found ? { pid: found.pid, startTicks: found.startTicks, spawnedAtUs: nowUs() } : null;
}

/** Whether processes of the run are left in the group of its wrapper, which has ended: nobody else's are meant. */
export function ownsGroup(group: number, id: string): boolean {
  if (!hasProcessTable || !signalReaches(-group)) return false;
  const members = readProcessesSince(0).filter((entry) => entry.group === group && !entry.ended);
  return members.some(({ pid }) => environmentHolds(pid, [`EBB_JOB=${id}`]));
}
