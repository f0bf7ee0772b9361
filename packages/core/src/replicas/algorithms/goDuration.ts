const unitsMs: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 };

/**
 * Go's `time.ParseDuration`: `1m30s`, `1.5h`, `-5s`, `0`; milliseconds, with a fraction where the text is finer. Null
 * where the text is not one. (Ebb's own documents are stricter about units and order.)
 */
export function parseGoDuration(text: string): number | null {
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ms|us|µs|ns|h|m|s))+|0)$/.exec(text);
  if (!match) return null;
  let totalMs = 0;
  for (const [, number = '', unit = ''] of (match[2] ?? '').matchAll(/(\d+\.?\d*|\.\d+)(ms|us|µs|ns|h|m|s)/g)) {
    totalMs += Number(number) * (unitsMs[unit] ?? Number.NaN);
  }
  if (!Number.isFinite(totalMs) || totalMs > Number.MAX_SAFE_INTEGER) return null;
  return match[1] === '-' ? 0 - totalMs : totalMs;
}
