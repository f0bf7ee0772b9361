import type { Reason } from '../explain/reasons.ts';
import type { ScheduleState } from './bounds.ts';
import { ceilCount } from './recommendation.ts';
import type { UsableReading } from './sanitizeReading.ts';
import type { WorkloadDecisionSpec } from './types.ts';
import type { WindowsMemory } from './windowsMemory.ts';

/**
 * Schedules and dated events. Zones and calendars are evaluated outside core (design §3a.3): here they are readings,
 * `schedule:NAME` with the minimum it asks for and `event:NAME` with 1 while it is on.
 */
export function isCalendarTrigger(trigger: string): boolean {
  return trigger.startsWith('schedule:') || trigger.startsWith('event:');
}

/** Remembers a calendar reading; one that the document does not name is passed over. */
export function takeCalendarReading(spec: WorkloadDecisionSpec, memory: WindowsMemory, reading: UsableReading): void {
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
export function calendarFloors(spec: WorkloadDecisionSpec, memory: WindowsMemory): ScheduleState[] {
  const events = spec.scaling.events.flatMap(({ name, minReplicas }) => {
    const state = memory.events.find((one) => one.name === name);
    return state?.on ? [{ name, minReplicas, nextChangeMs: state.nextChangeMs }] : [];
  });
  return [...memory.schedules, ...events];
}

/** Raises what the classes ask for by the largest factor of the events that are on. */
export function applyEventFactor(
  spec: WorkloadDecisionSpec,
  memory: WindowsMemory,
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
