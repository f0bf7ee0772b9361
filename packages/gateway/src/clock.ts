/** Integer microseconds of the machine's monotonic clock: the same line in every process of one machine. */
export function nowUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000_000 + Math.floor(nanoseconds / 1000);
}

/** Resolves with `event`, or after `ms` where that takes longer; no timer is left then. */
export async function atMost(ms: number, event: Promise<void>): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([over, event]);
  clearTimeout(timer);
}
