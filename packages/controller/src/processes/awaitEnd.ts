import { readFileSync } from 'node:fs';

/**
 * Whether a process of this id runs. One that has ended but was never waited for does not: in a container whose first
 * process is no init, adopted processes stay in the table for ever.
 */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; the state is the first word after it.
    return !/^\) [ZX]/.test(stat.slice(stat.lastIndexOf(')')));
  } catch {
    return true;
  }
}

const pollMs = 20;

/** Waits until the process is gone; kills it when it still runs after the time. False when it had to be. */
export async function awaitEnd(pid: number | null, timeoutMs: number): Promise<boolean> {
  // 0 and 1 would mean this very process group, and everything.
  if (pid === null || pid <= 1) return true;
  const endAtMs = performance.now() + timeoutMs;
  while (isRunning(pid)) {
    if (performance.now() >= endAtMs) {
      killNow(pid);
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return true;
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in this very moment.
  }
}
