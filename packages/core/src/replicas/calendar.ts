import type { Reason } from '../explain/reasons.ts';
import type { ScheduleState } from './bounds.ts';
import { ceilCount } from './recommendation.ts';
import type { UsableReading } from './sanitizeReading.ts';
import type { Json, WorkloadDecisionSpec } from './types.ts';

/** What is known of the calendar of a workload. */
export interface CalendarMemory {
  schedules: ScheduleState[];
  /** Dated events that are on or known to come. */
  events: EventState[];
}

export interface EventState {
  name: string;
  on: boolean;
  nextChangeMs: number | null;
}

type CalendarSpec = Pick<WorkloadDecisionSpec, 'scaling'>;

/**
 * Schedules and dated events. Zones and calendars are evaluated outside core (design §3a.3): here they are readings,
 * `schedule:NAME` with the minimum it asks for and `event:NAME` with 1 while it is on.
 */
export function isCalendarTrigger(trigger: string): boolean {
  return trigger.startsWith('schedule:') || trigger.startsWith('event:');
}

/** Remembers a calendar reading; one that the document does not name is passed over. */
export function takeCalendarReading(spec: CalendarSpec, memory: CalendarMemory, reading: UsableReading): void {
  const colon = reading.trigger.indexOf(':');
  const name = reading.trigger.slice(colon + 1);
  const nextChangeMs = Number.isFinite(reading.nextChangeMs) ? (reading.nextChangeMs ?? null) : null;
  const isNamed = (one: { name: string }) => one.name === name;
  if (reading.trigger.startsWith('schedule:')) {
    if (!spec.scaling.schedules.some(isNamed)) return;
    memory.schedules = memory.schedules.filter((one) => !isNamed(one));
    memory.schedules.push({ name, minReplicas: Math.floor(reading.value), nextChangeMs });
  } else {
    if (!spec.scaling.events.some(isNamed)) return;
    memory.events = memory.events.filter((one) => !isNamed(one));
    memory.events.push({ name, on: reading.value > 0, nextChangeMs });
  }
}

/** Minimums that are in force now, of schedules and of events. */
export function calendarFloors(spec: CalendarSpec, memory: CalendarMemory): ScheduleState[] {
  const events = spec.scaling.events.flatMap(({ name, minReplicas }) => {
    const state = memory.events.find((one) => one.name === name);
    return state?.on ? [{ name, minReplicas, nextChangeMs: state.nextChangeMs }] : [];
  });
  return [...memory.schedules, ...events];
}

/** Raises what the classes ask for by the largest factor of the events that are on. */
export function applyEventFactor(
  spec: CalendarSpec,
  memory: CalendarMemory,
  asked: { name: string; replicas: number }[],
  reasons: Reason[],
): void {
  const on = spec.scaling.events.filter(({ name }) => memory.events.some((one) => one.name === name && one.on));
  const [largest] = on.sort((a, b) => b.factor - a.factor);
  if (!largest || largest.factor === 1) return;
  const before = asked.reduce((sum, share) => sum + share.replicas, 0);
  for (const share of asked) share.replicas = ceilCount(share.replicas * largest.factor);
  const replicas = asked.reduce((sum, share) => sum + share.replicas, 0);
  if (replicas === before) return;
  const { name: event, factor } = largest;
  reasons.push({ code: 'event-factor', stage: 'combine', data: { event, factor, wanted: before, replicas } });
}

/** Null where nothing of it changes by itself. */
export function nextCalendarChangeMs({ schedules, events }: CalendarMemory, nowMs: number): number | null {
  let next: number | null = null;
  for (const { nextChangeMs } of [...schedules, ...events]) {
    if (nextChangeMs !== null && nextChangeMs > nowMs) next = Math.min(next ?? nextChangeMs, nextChangeMs);
  }
  return next;
}

export function calendarToJson({ schedules, events }: CalendarMemory): { schedules: Json; events: Json } {
  return {
    schedules: schedules.map(({ name, minReplicas, nextChangeMs }) => ({ name, minReplicas, nextChangeMs })),
    events: events.map(({ name, on, nextChangeMs }) => ({ name, on, nextChangeMs })),
  };
}

/** Only what the document still names. */
export function calendarFromJson(
  { scaling }: CalendarSpec,
  schedules: Json | undefined,
  events: Json | undefined,
): CalendarMemory {
  const known = new Set(scaling.schedules.map(({ name }) => name));
  const knownEvents = new Set(scaling.events.map(({ name }) => name));
  return {
    schedules: entriesOf(schedules).flatMap(({ name, minReplicas, nextChangeMs }) => {
      if (typeof name !== 'string' || typeof minReplicas !== 'number' || !known.has(name)) return [];
      return [{ name, minReplicas, nextChangeMs: typeof nextChangeMs === 'number' ? nextChangeMs : null }];
    }),
    events: entriesOf(events).flatMap(({ name, on, nextChangeMs }) => {
      if (typeof name !== 'string' || !knownEvents.has(name)) return [];
      return [{ name, on: on === true, nextChangeMs: typeof nextChangeMs === 'number' ? nextChangeMs : null }];
    }),
  };
}

function entriesOf(json: Json | undefined): { [key: string]: Json }[] {
  if (!Array.isArray(json)) return [];
  return json.flatMap((entry) => (entry !== null && typeof entry === 'object' && !Array.isArray(entry) ? [entry] : []));
}
