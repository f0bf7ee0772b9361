const hourMs = 3_600_000;
/** As far back as a month's report with its forecast may look. */
const keptHours = 35 * 24;

/** Price × time of one clock hour, of what was paid and of the least that would have done; decimal strings, because sums are BigInt. */
interface LeastHour {
  hourMs: number;
  paidPriceMs: string;
  leastPriceMs: string;
}

/** In micro-units × milliseconds an hour. */
export interface LeastSpan {
  paidPriceMs: bigint;
  leastPriceMs: bigint;
}

/**
 * What a cluster's machines cost beside the lower bound of the plans that were in force. Where no bound is known yet, what is paid
 * counts as the least: nothing is claimed.
 */
export class LeastCost {
  #hours: LeastHour[] = [];
  #last: { atMs: number; paidMicro: number; leastMicro: number } | null = null;

  /** Takes up where an earlier engine has ended; the time between is not counted. */
  load(saved: unknown): void {
    // Written by `toSaved` alone.
    if (Array.isArray(saved)) this.#hours = saved as LeastHour[];
  }

  toSaved(): unknown {
    return this.#hours;
  }

  /** From now on so much is paid an hour, and so much would have to be. */
  note(nowMs: number, paidMicro: number, leastMicro: number | null): void {
    this.#count(nowMs);
    this.#last = { atMs: nowMs, paidMicro, leastMicro: Math.min(paidMicro, leastMicro ?? paidMicro) };
  }

  /** Hours that lie in the span in part count in that part. */
  between(fromMs: number, toMs: number, nowMs: number): LeastSpan {
    this.#count(nowMs);
    const span = { paidPriceMs: 0n, leastPriceMs: 0n };
    for (const hour of this.#hours) {
      // Of the present hour only what has passed is counted.
      const lengthMs = Math.min(hourMs, nowMs - hour.hourMs);
      const withinMs = Math.min(toMs, hour.hourMs + lengthMs) - Math.max(fromMs, hour.hourMs);
      if (withinMs <= 0) continue;
      const part = (text: string) => (BigInt(text) * BigInt(withinMs)) / BigInt(lengthMs);
      span.paidPriceMs += part(hour.paidPriceMs);
      span.leastPriceMs += part(hour.leastPriceMs);
    }
    return span;
  }

  #count(nowMs: number): void {
    const last = this.#last;
    if (!last) return;
    for (let atMs = last.atMs; atMs < nowMs; ) {
      const begin = Math.floor(atMs / hourMs) * hourMs;
      const untilMs = Math.min(nowMs, begin + hourMs);
      const hour = this.#hourAt(begin);
      const ms = BigInt(untilMs - atMs);
      hour.paidPriceMs = String(BigInt(hour.paidPriceMs) + BigInt(last.paidMicro) * ms);
      hour.leastPriceMs = String(BigInt(hour.leastPriceMs) + BigInt(last.leastMicro) * ms);
      atMs = untilMs;
    }
    this.#last = { ...last, atMs: Math.max(last.atMs, nowMs) };
  }

  #hourAt(begin: number): LeastHour {
    const known = this.#hours.at(-1);
    if (known?.hourMs === begin) return known;
    const hour = { hourMs: begin, paidPriceMs: '0', leastPriceMs: '0' };
    this.#hours.push(hour);
    if (this.#hours.length > keptHours) this.#hours.shift();
    return hour;
  }
}
