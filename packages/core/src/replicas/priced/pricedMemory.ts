import { type BehaviorMemory, behaviorFromJson, behaviorToJson, emptyBehaviorMemory } from '../behavior.ts';
import { type CalendarMemory, calendarFromJson, calendarToJson } from '../calendar.ts';
import type { Json, Memory } from '../types.ts';
import type { ClassState } from './classState.ts';
import { gapFields, kept, type Level, minuteFields, openFields } from './level.ts';
import type { PricedDecisionSpec } from './pricedSpec.ts';

/** What the policy `priced` remembers between decisions. */
export interface PricedMemory extends CalendarMemory {
  replicas: number;
  /** When the first decision was made, or the last replica was asked for at zero. */
  openedAtMs: number;
  /** What was found running of each class when it was begun while counts were missing; null: there have been counts. */
  foundBlind: Map<string, number> | null;
  classes: Map<string, ClassState>;
  /** Of the forecasters; null: nothing yet. */
  forecast: Json;
  /** How much dearer lateness has become by a promised share that was missed. */
  lateScale: number;
  behavior: BehaviorMemory;
}

const version = 1;
const policy = 'priced';

export function firstPricedMemory(nowMs: number, replicas: number): PricedMemory {
  return {
    replicas,
    openedAtMs: nowMs,
    foundBlind: null,
    classes: new Map(),
    forecast: null,
    lateScale: 1,
    schedules: [],
    events: [],
    behavior: emptyBehaviorMemory(),
  };
}

/** Memories that this process has written: they need no second look. What they say never hangs on this. */
const trusted = new WeakSet<object>();

/** Memory as the policy works with it, a copy; null for the first decision, or when it is of another form. */
export function readPricedMemory(memory: Memory | null, spec: PricedDecisionSpec): PricedMemory | null {
  if (!memory || memory.policy !== policy || memory.version !== version) return null;
  if (typeof memory['replicas'] !== 'number' || typeof memory['openedAtMs'] !== 'number') return null;
  const classes = new Map<string, ClassState>();
  const stored = memory['classes'];
  if (stored !== null && typeof stored === 'object' && !Array.isArray(stored)) {
    const isTrusted = trusted.has(memory);
    for (const [name, json] of Object.entries(stored)) {
      const state = classFromJson(json, isTrusted);
      if (state) classes.set(name, state);
    }
  }
  return {
    replicas: memory['replicas'],
    openedAtMs: memory['openedAtMs'],
    foundBlind: countsOf(memory['foundBlind']),
    classes,
    forecast: memory['forecast'] ?? null,
    lateScale: typeof memory['lateScale'] === 'number' ? memory['lateScale'] : 1,
    ...calendarFromJson(spec, memory['schedules'], memory['events']),
    behavior: behaviorFromJson(memory['behavior']),
  };
}

export function writePricedMemory(memory: PricedMemory): Memory {
  const classes: Record<string, Json> = {};
  for (const [name, state] of memory.classes) classes[name] = classToJson(state);
  const written: Memory = {
    version,
    policy,
    replicas: memory.replicas,
    openedAtMs: memory.openedAtMs,
    ...(memory.foundBlind ? { foundBlind: Object.fromEntries(memory.foundBlind) } : {}),
    classes,
    forecast: memory.forecast,
    lateScale: Math.round(memory.lateScale * 1e6) / 1e6,
    ...calendarToJson(memory),
    behavior: behaviorToJson(memory.behavior),
  };
  trusted.add(written);
  return written;
}

function countsOf(json: Json | undefined): Map<string, number> | null {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return null;
  return new Map(Object.entries(json).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}

function classToJson({ replicas, atMs, coldStartMs, service, arrivals, levels, starting }: ClassState): Json {
  return [
    replicas,
    atMs,
    coldStartMs,
    [kept(service.sum), kept(service.count), kept(service.elapsed), service.inFlight],
    arrivals,
    starting,
    levels.map(levelToJson),
  ];
}

function levelToJson({ t, q, r, s, c, p, n, f, k, l, o, g, h }: Level): Json[] {
  const verdict = l ? [l.on ? 1 : 0, l.was ? 1 : 0, l.atMs] : null;
  return [t, q, r, s, c, p, n, f, k as [number, number], verdict, o as number[], g as number[], h as number[]];
}

function classFromJson(json: Json, isTrusted: boolean): ClassState | null {
  if (!Array.isArray(json)) return null;
  const [replicas, atMs, coldStartMs, service, arrivals, starting, levels] = json;
  if (typeof replicas !== 'number' || typeof atMs !== 'number' || !Array.isArray(levels)) return null;
  const [sum = 0, count = 0, elapsed = 0, inFlight = 0] = numbers(service, isTrusted);
  return {
    replicas,
    atMs,
    coldStartMs: typeof coldStartMs === 'number' ? coldStartMs : null,
    service: { sum, count, elapsed, inFlight },
    arrivals: pairs(arrivals, isTrusted),
    levels: levels.map((level) => levelFromJson(level, isTrusted)),
    starting: pairs(starting, isTrusted),
  };
}

function levelFromJson(json: Json, isTrusted: boolean): Level {
  const [t, q, r, s, c, p, n, f, k, verdict, open, gaps, minutes] = Array.isArray(json) ? json : [];
  const [on, was, lookAtMs] = verdict ? numbers(verdict, isTrusted) : [];
  return {
    t: typeof t === 'number' ? t : null,
    q: numberOf(q),
    r: numberOf(r),
    s: numberOf(s),
    c: numberOf(c),
    p: typeof p === 'number' ? p : null,
    n: numberOf(n),
    f: numberOf(f),
    k: clockScores(k, isTrusted),
    l: lookAtMs === undefined ? null : { on: on === 1, was: was === 1, atMs: lookAtMs },
    o: entries(open, openFields, isTrusted),
    g: entries(gaps, gapFields, isTrusted),
    h: entries(minutes, minuteFields, isTrusted),
  };
}

function clockScores(json: Json | undefined, isTrusted: boolean): Level['k'] {
  const [soft = 0, sharp = 0] = numbers(json, isTrusted);
  return [soft, sharp];
}

function numberOf(json: Json | undefined): number {
  return typeof json === 'number' ? json : 0;
}

/** Numbers of a list; of one that this process wrote, the list itself. */
function numbers(json: Json | undefined, isTrusted: boolean): readonly number[] {
  if (isTrusted) return json as number[];
  return Array.isArray(json) ? json.filter((one) => typeof one === 'number') : [];
}

/** Whole entries of a flat list. */
function entries(json: Json | undefined, fields: number, isTrusted: boolean): readonly number[] {
  const found = numbers(json, isTrusted);
  return found.length % fields === 0 ? found : [];
}

function pairs(json: Json | undefined, isTrusted: boolean): [number, number][] {
  if (!Array.isArray(json)) return [];
  return json.flatMap((one): [number, number][] => {
    const [first, second] = numbers(one, isTrusted);
    return first === undefined || second === undefined ? [] : [[first, second]];
  });
}
