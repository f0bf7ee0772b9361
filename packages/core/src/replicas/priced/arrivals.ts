/** Arrivals of the last moments: `[at, count]`, oldest first. */
export type ArrivalsMemory = [number, number][];

/** The rate of arrivals is read over this long, ms. */
export const rateWindowMs = 8_000;
/** No finer than so many parts of what is remembered. */
const parts = 24;

export function addArrivals(memory: ArrivalsMemory, nowMs: number, arrivals: number, keepMs: number): void {
  const last = memory.at(-1);
  if (arrivals > 0) {
    const width = keepMs / parts;
    if (last && nowMs - last[0] < width && keepMs > rateWindowMs * 2) last[1] += arrivals;
    else memory.push([nowMs, arrivals]);
  }
  while (memory.length > 0 && (memory[0] as [number, number])[0] <= nowMs - keepMs) memory.shift();
}

/** How many came within the last `windowMs`. */
export function arrivalsWithin(memory: ArrivalsMemory, nowMs: number, windowMs: number): number {
  let sum = 0;
  for (let index = memory.length - 1; index >= 0; index--) {
    const [atMs, count] = memory[index] as [number, number];
    if (atMs <= nowMs - windowMs) break;
    sum += count;
  }
  return sum;
}
