import type { Reading, Scaler } from '@ebb/core';
import type { EventSpec, ScheduleSpec } from '@ebb/documents';
import { Cron } from 'croner';
import { eventReader } from './event.ts';

export const scheduleScaler = {
  type: 'schedule',
  summary: 'Keeps a number of replicas between two times given as cron expressions in a time zone.',
} as const;

/** A schedule that cannot be evaluated. Documents are validated before, so that this is a last line of defence. */
export class ScheduleError extends Error {
  readonly schedule: string;
  readonly field: 'start' | 'end' | 'timezone';
  readonly value: string;

  constructor(schedule: string, field: ScheduleError['field'], value: string, reason: string) {
    super(`schedule "${schedule}": ${field} "${value}" is not valid: ${reason}`);
    this.schedule = schedule;
    this.field = field;
    this.value = value;
  }
}

/** From when to when an answer holds, in wall time. */
interface Phase {
  on: boolean;
  fromMs: number;
  /** Null: nothing changes any more. */
  untilMs: number | null;
}

const secondMs = 1000;
/** Starts that fall on an end open nothing and are passed over, so many at most. */
const longestSearch = 1000;

/**
 * Turns schedules into readings named `schedule:NAME`: `minReplicas` while one is on, else 0. A schedule is on from a
 * moment at which `start` fires until the next at which `end` does; where both fire at once it is off. Times that a
 * change to summer time skips fire at the first moment after the gap, times that occur twice fire once (croner's rule
 * for fixed times; a `*` or step in hours or minutes fires at every matching moment that exists).
 * `nextChangeMs` is on the clock of the `nowMs` that `read` is given. Throws `ScheduleError`.
 */
export function createScheduleScaler(
  schedules: ScheduleSpec[],
  { wallNowMs, events = [] }: { wallNowMs(): number; events?: EventSpec[] },
): Scaler {
  const readers = [...schedules.map(scheduleReader), ...events.map(eventReader)];
  return {
    async read(nowMs) {
      const wallMs = wallNowMs();
      return readers.map((read) => read(nowMs, wallMs));
    },
    async close() {},
  };
}

function scheduleReader(spec: ScheduleSpec): (nowMs: number, wallMs: number) => Reading {
  checkZone(spec);
  const start = parse(spec, 'start');
  const end = parse(spec, 'end');
  let phase: Phase | null = null;
  return (nowMs, wallMs) => {
    const known = phase && phase.fromMs <= wallMs && (phase.untilMs === null || wallMs < phase.untilMs);
    const current = known && phase ? phase : (phase = phaseAt(start, end, wallMs));
    const reading: Reading = {
      trigger: `schedule:${spec.name}`,
      class: null,
      value: current.on ? spec.minReplicas : 0,
      peak: null,
      spanMs: 0,
      atMs: nowMs,
      state: 'ok',
    };
    if (current.untilMs !== null) reading.nextChangeMs = nowMs + Math.max(0, Math.ceil(current.untilMs - wallMs));
    return reading;
  };
}

function phaseAt(start: Cron, end: Cron, wallMs: number): Phase {
  const startedMs = latest(start, wallMs);
  const endedMs = latest(end, wallMs);
  const on = startedMs !== null && (endedMs === null || startedMs > endedMs);
  const untilMs = on ? next(end, wallMs) : nextOpening(start, end, wallMs);
  return { on, fromMs: Math.max(startedMs ?? wallMs, endedMs ?? wallMs), untilMs };
}

/** The next start at which no end fires too. */
function nextOpening(start: Cron, end: Cron, wallMs: number): number | null {
  let atMs = next(start, wallMs);
  for (let tried = 0; atMs !== null && latest(end, atMs) === atMs; tried++) {
    if (tried === longestSearch) return null;
    atMs = next(start, atMs);
  }
  return atMs;
}

/** The latest moment at which it fires, up to and including the given one. */
function latest(cron: Cron, wallMs: number): number | null {
  const afterMs = (Math.floor(wallMs / secondMs) + 1) * secondMs;
  return cron.previousRuns(1, new Date(afterMs))[0]?.getTime() ?? null;
}

/** The first moment at which it fires, after the given one. */
function next(cron: Cron, wallMs: number): number | null {
  return cron.nextRun(new Date(wallMs))?.getTime() ?? null;
}

function parse(spec: ScheduleSpec, field: 'start' | 'end'): Cron {
  try {
    return new Cron(spec[field], { timezone: spec.timezone, mode: '5-part', paused: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
    throw new ScheduleError(spec.name, field, spec[field], reason);
  }
}

function checkZone({ name, timezone }: ScheduleSpec): void {
  try {
    Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch {
    throw new ScheduleError(name, 'timezone', timezone, 'no such time zone; use an IANA name such as Europe/Berlin');
  }
}
