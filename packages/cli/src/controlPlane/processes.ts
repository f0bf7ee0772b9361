/** Whether a process with this id exists (and is not a zombie of ours). */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

const pollMs = 25;

/** Waits until none of the processes exists; false when some still do at the end of the time. */
export async function waitUntilGone(pids: number[], timeoutMs: number): Promise<boolean> {
  const endAt = performance.now() + timeoutMs;
  while (pids.some(isRunning)) {
    if (performance.now() >= endAt) return false;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return true;
}

/** Ends whole process groups where the process leads one, else the process. Gone ones are passed over. */
export function killNow(pids: number[]): number[] {
  return pids.filter((pid) => {
    if (!isRunning(pid)) return false;
    for (const target of [-pid, pid]) {
      try {
        process.kill(target, 'SIGKILL');
        return true;
      } catch {
        // Not the leader of a group, or gone by now.
      }
    }
    return false;
  });
}
