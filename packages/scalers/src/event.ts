import type { Reading } from '@ebb/core';
import type { EventSpec } from '@ebb/documents';
import { Cron } from 'croner';

export const eventScaler = {
  type: 'event',
  summary: 'Raises what demand asks for, or the minimum, between two dates in a time zone.',
} as const;

/**
 * Reads a dated event as `event:NAME`: 1 from its begin (less its lead) until it is over, else 0. A local time that a
 * change to summer time skips is the first moment after the gap. `nextChangeMs` is on the clock of `nowMs`.
 */
export function eventReader(spec: EventSpec): (nowMs: number, wallMs: number) => Reading {
  const fromMs = momentOf(spec.from, spec.timezone) - spec.leadMs;
  const toMs = momentOf(spec.to, spec.timezone);
  return (nowMs, wallMs) => {
    const reading: Reading = {
      trigger: `event:${spec.name}`,
      class: null,
      value: wallMs >= fromMs && wallMs < toMs ? 1 : 0,
      peak: null,
      spanMs: 0,
      atMs: nowMs,
      state: 'ok',
    };
    const changeMs = [fromMs, toMs].find((atMs) => atMs > wallMs);
    if (changeMs !== undefined) reading.nextChangeMs = nowMs + Math.ceil(changeMs - wallMs);
    return reading;
  };
}

/** The moment of a local time, in milliseconds since 1970. */
function momentOf(localTime: string, timezone: string): number {
  const found = new Cron(localTime, { timezone, paused: true }).nextRun(new Date(0));
  if (!found) throw new Error(`no such time in ${timezone}: ${localTime}`);
  return found.getTime();
}
