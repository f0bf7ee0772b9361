import type { PodSample, SizingSample } from '@ebb/core';

/** As often as a Vertical Pod Autoscaler samples, which its confidence counts by. */
const minuteMs = 60_000;

interface Minute {
  /** Number of the minute since 1970. */
  minute: number;
  /** Latest sample that was counted. */
  atMs: number;
  cpuSum: number;
  cpuCount: number;
  memoryBytes: number;
}

/**
 * Turns what a metrics API says of pods every few seconds into one sample a minute for each container: the mean of its CPU use in
 * thousandths of a core, and the most memory. A sample that was told before counts once.
 */
export class UsageMinutes {
  readonly #minutes = new Map<string, Minute>();
  /** What was last seen of each container, by `pod container`. */
  readonly #latest = new Map<string, { cpuMilli: number; memoryBytes: number }>();

  /** The samples of minutes that are over. `containers`: those that are sized. */
  take(samples: readonly PodSample[], containers: ReadonlySet<string> | null): SizingSample[] {
    const over: SizingSample[] = [];
    for (const { name: pod, atMs, containers: measured } of samples) {
      for (const { name, usage } of measured) {
        if (containers && !containers.has(name)) continue;
        const sample = this.#takeOne(pod, name, atMs, usage);
        if (sample) over.push(sample);
      }
    }
    return over;
  }

  /** What a container used when it was last measured; null: not known. */
  latest(pod: string, container: string): { cpuMilli: number; memoryBytes: number } | null {
    return this.#latest.get(`${pod} ${container}`) ?? null;
  }

  /** Forgets pods that are not among those. */
  keep(pods: ReadonlySet<string>): void {
    for (const map of [this.#minutes, this.#latest]) {
      for (const id of map.keys()) if (!pods.has(id.slice(0, id.indexOf(' ')))) map.delete(id);
    }
  }

  #takeOne(pod: string, container: string, atMs: number, usage: Record<string, number>): SizingSample | null {
    const id = `${pod} ${container}`;
    const minute = Math.floor(atMs / minuteMs);
    const open = this.#minutes.get(id);
    if (open && atMs <= open.atMs) return null;
    const cpuMilli = usage.cpu ?? null;
    // In thousandths of a byte, as all quantities of a metrics API.
    const memoryBytes = Math.round((usage.memory ?? 0) / 1000);
    this.#latest.set(id, { cpuMilli: cpuMilli ?? 0, memoryBytes });
    if (open && open.minute === minute) {
      open.atMs = atMs;
      open.cpuSum += cpuMilli ?? 0;
      open.cpuCount += cpuMilli === null ? 0 : 1;
      open.memoryBytes = Math.max(open.memoryBytes, memoryBytes);
      return null;
    }
    this.#minutes.set(id, { minute, atMs, cpuSum: cpuMilli ?? 0, cpuCount: cpuMilli === null ? 0 : 1, memoryBytes });
    return open ? sampleOf(pod, container, open) : null;
  }
}

function sampleOf(pod: string, container: string, { atMs, cpuSum, cpuCount, memoryBytes }: Minute): SizingSample {
  const cpu = cpuCount === 0 ? {} : { cpuMilli: Math.round(cpuSum / cpuCount) };
  return { type: 'usage', container, replica: pod, atMs, memoryBytes, ...cpu };
}
