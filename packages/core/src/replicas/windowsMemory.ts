import type { TriggerSpec } from '@ebb/documents';
import { type BehaviorMemory, behaviorFromJson, behaviorToJson, emptyBehaviorMemory } from './behavior.ts';
import { type CalendarMemory, calendarFromJson, calendarToJson } from './calendar.ts';
import type { PanicState } from './recommendation.ts';
import type { Json, Memory, WorkloadDecisionSpec } from './types.ts';
import { bucketWidthMs, emptyWindow, type Window, windowFromJson, windowToJson } from './window.ts';

/** What one trigger remembers of one class. */
export interface TriggerMemory {
  window: Window;
  panic: PanicState;
}

/** What the windows policy remembers between decisions. */
export interface WindowsMemory extends CalendarMemory {
  /** Replicas decided last, in all and by class. */
  replicas: number;
  classes: Record<string, number>;
  /** When the first decision was made, or the gate last opened: the keep-alive of an untouched workload counts from here. */
  openedAtMs: number;
  /** By `trigger/class`. */
  triggers: Map<string, TriggerMemory>;
  /** Triggers whose source was lost at their last reading. */
  lost: string[];
  behavior: BehaviorMemory;
}

const version = 1;
const policy = 'windows';

export const triggerKey = (trigger: TriggerSpec, className: string): string => `${trigger.name}/${className}`;

/** Memory as the policy works with it; null for the first decision, or when it is of another form. */
export function readWindowsMemory(memory: Memory | null, spec: WorkloadDecisionSpec): WindowsMemory | null {
  if (!memory || memory.policy !== policy || memory.version !== version) return null;
  if (typeof memory.replicas !== 'number' || typeof memory.openedAtMs !== 'number') return null;
  const { stableMs, panicMs } = spec.scaling.windows;
  const bucketMs = bucketWidthMs(stableMs, panicMs);
  const triggers = new Map<string, TriggerMemory>();
  for (const { name } of spec.classes) {
    for (const trigger of spec.scaling.triggers) {
      const key = triggerKey(trigger, name);
      const stored = asObject(asObject(memory.triggers)[key]);
      triggers.set(key, {
        window: windowFromJson(stored.w, bucketMs) ?? emptyWindow(bucketMs),
        panic: {
          sinceMs: typeof stored.p === 'number' ? stored.p : null,
          mostReplicas: typeof stored.m === 'number' ? stored.m : 0,
        },
      });
    }
  }
  return {
    replicas: memory.replicas,
    classes: numbersOf(memory.classes),
    openedAtMs: memory.openedAtMs,
    triggers,
    lost: Array.isArray(memory.lost) ? memory.lost.filter((name) => typeof name === 'string') : [],
    ...calendarFromJson(spec, memory['schedules'], memory['events']),
    behavior: behaviorFromJson(memory.behavior),
  };
}

export function firstWindowsMemory(spec: WorkloadDecisionSpec, nowMs: number, replicas: number): WindowsMemory {
  const bucketMs = bucketWidthMs(spec.scaling.windows.stableMs, spec.scaling.windows.panicMs);
  const triggers = new Map<string, TriggerMemory>();
  for (const { name } of spec.classes) {
    for (const trigger of spec.scaling.triggers) {
      triggers.set(triggerKey(trigger, name), {
        window: emptyWindow(bucketMs),
        panic: { sinceMs: null, mostReplicas: 0 },
      });
    }
  }
  return {
    replicas,
    classes: {},
    openedAtMs: nowMs,
    triggers,
    lost: [],
    schedules: [],
    events: [],
    behavior: emptyBehaviorMemory(),
  };
}

export function writeWindowsMemory(memory: WindowsMemory): Memory {
  const triggers: Record<string, Json> = {};
  for (const [key, { window, panic }] of memory.triggers) {
    triggers[key] = { w: windowToJson(window), p: panic.sinceMs, m: panic.mostReplicas };
  }
  return {
    version,
    policy,
    replicas: memory.replicas,
    classes: { ...memory.classes },
    openedAtMs: memory.openedAtMs,
    triggers,
    lost: [...memory.lost],
    ...calendarToJson(memory),
    behavior: behaviorToJson(memory.behavior),
  };
}

function asObject(json: Json | undefined): { [key: string]: Json } {
  return json !== null && typeof json === 'object' && !Array.isArray(json) ? json : {};
}

function numbersOf(json: Json | undefined): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, value] of Object.entries(asObject(json))) if (typeof value === 'number') found[name] = value;
  return found;
}
