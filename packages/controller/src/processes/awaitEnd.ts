/** Whether a process of this id exists. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

const pollMs = 20;

/** Waits until the process is gone; kills it when it still exists after the time. False when it had to be. */
export async function awaitEnd(pid: number | null, timeoutMs: number): Promise<boolean> {
  if (pid === null) return true;
  const endAtMs = performance.now() + timeoutMs;
  while (exists(pid)) {
    if (performance.now() >= endAtMs) {
      process.kill(pid, 'SIGKILL');
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return true;
}
