/** What `npm start` measured before it came to this command; times in wall-clock milliseconds. */
export interface Launch {
  startedAtMs: number;
  installMs: number;
  buildMs: number;
}

/** Reads `$EBB_LAUNCH`, which `npm start` sets; null when the command was started by itself or the text is no such thing. */
export function readLaunch(env: Record<string, string | undefined>): Launch | null {
  try {
    const value: unknown = JSON.parse(env.EBB_LAUNCH ?? 'null');
    if (typeof value !== 'object' || value === null) return null;
    const { startedAtMs, installMs, buildMs } = { startedAtMs: null, installMs: null, buildMs: null, ...value };
    if (typeof startedAtMs !== 'number' || typeof installMs !== 'number' || typeof buildMs !== 'number') return null;
    return { startedAtMs, installMs, buildMs };
  } catch {
    return null;
  }
}
