import type { DispatchCounts } from '@ebb/core';

/** Requests that arrived, and how many of them were late. */
export interface OnTimeCounts {
  requests: number;
  late: number;
}

const slotMs = 300_000;
const hourMs = 3_600_000;

/** Adds up what gateways counted of requests that were late: since the workload was applied, and in the last hour. */
export class OnTimeMeter {
  readonly #total: OnTimeCounts;
  /** Of five minutes each, oldest first. */
  #slots: (OnTimeCounts & { slot: number })[] = [];

  constructor(total: OnTimeCounts = { requests: 0, late: 0 }) {
    this.#total = { ...total };
  }

  get total(): OnTimeCounts {
    return { ...this.#total };
  }

  /** Takes what a gateway's counts have risen by since `before`. */
  note(now: OnTimeCounts, before: OnTimeCounts, nowMs: number): void {
    const requests = Math.max(0, now.requests - before.requests);
    const late = Math.max(0, now.late - before.late);
    if (requests + late === 0) return;
    this.#total.requests += requests;
    this.#total.late += late;
    const slot = Math.floor(nowMs / slotMs);
    const last = this.#slots.at(-1);
    if (last && last.slot >= slot) {
      last.requests += requests;
      last.late += late;
      return;
    }
    this.#slots = [...this.#recent(nowMs), { slot, requests, late }];
  }

  /** To five minutes; an earlier control plane's hour is not in it. */
  lastHour(nowMs: number): OnTimeCounts {
    const sum = { requests: 0, late: 0 };
    for (const { requests, late } of this.#recent(nowMs)) {
      sum.requests += requests;
      sum.late += late;
    }
    return sum;
  }

  #recent(nowMs: number) {
    return this.#slots.filter(({ slot }) => (slot + 1) * slotMs > nowMs - hourMs);
  }
}

/** What one gateway has counted since it started, over all classes. */
export function onTimeCountsOf(counts: DispatchCounts): OnTimeCounts {
  const sum = { requests: 0, late: 0 };
  for (const { arrivals, late = 0 } of Object.values(counts.classes)) {
    sum.requests += arrivals;
    sum.late += late;
  }
  return sum;
}
