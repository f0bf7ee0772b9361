import { readdirSync, readFileSync } from 'node:fs';

/** Whether the group had anybody to receive the signal (0: nothing is sent, only asked). */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

/**
 * Whether a member of the group runs or is paused. One that has ended but was not yet collected by the system's first
 * process holds no port and no file: it does not count.
 */
export function isGroupAlive(group: number): boolean {
  if (!signalGroup(group, 0)) return false;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(readStat)
    .some((member) => member?.group === group && member.state !== 'Z');
}

/** Whether the process is held by SIGSTOP. */
export function isPaused(pid: number): boolean {
  return readStat(`${pid}`)?.state === 'T';
}

/** State and group of a process; undefined when it is gone. */
function readStat(pid: string): { readonly state: string | undefined; readonly group: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // pid (name, which may hold anything) state parent group …
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, group: Number(group) };
  } catch {
    return undefined;
  }
}
