import type { SloObjectiveSpec } from '@ebb/documents';
import { sanitizeReading } from '../sanitizeReading.ts';
import type { Json, Observation } from '../types.ts';
import { type Combine, type DemandLine, emptyLine, lineFromJson, lineToJson, takeReadings } from './demand.ts';
import type { SloSettings } from './sloSettings.ts';
import {
  addToBudget,
  budgetFromJson,
  budgetToJson,
  emptyBudget,
  type SloBudget,
  takeBudgetReadings,
} from './sloBudget.ts';
import { capacityFromJson, capacityToJson, type SloCapacity, unknownCapacity } from './sloCapacity.ts';
import type { SloTrigger } from './sloTriggers.ts';
import { type JsonObject, objectOf } from './storedJson.ts';

/** What the policy `slo` remembers for replicas' own metrics and for an error budget. */
export interface SloMore {
  /** Replicas that could not be read, and why one of them could not. */
  missing: DemandLine;
  why: string;
  /** Tokens generated and first tokens a second, and requests in the servers' queues; of all replicas. */
  tokens: DemandLine;
  answers: DemandLine;
  waiting: DemandLine;
  capacity: SloCapacity;
  /** By trigger; empty without an objective. */
  budgets: Record<string, SloBudget>;
}

/** Readings beside those of the triggers: replicas that could not be read, and what is in `SloMore`. */
export const missingReading = 'metrics:missing';
export const tokensReading = 'metrics:tokens';
export const answersReading = 'metrics:answers';
export const waitingReading = 'metrics:waiting';

const readLines = {
  missing: missingReading,
  tokens: tokensReading,
  answers: answersReading,
  waiting: waitingReading,
} as const;
const lineNames = ['missing', 'tokens', 'answers', 'waiting'] as const;

type Spec = SloSettings & { classes: readonly string[] };

/** Null where the document has neither metrics nor an objective. */
export function moreOf(spec: SloSettings, nowMs: number): SloMore | null {
  const { objective, metricsIntervalMs } = spec;
  if (!objective && metricsIntervalMs === undefined) return null;
  return {
    missing: emptyLine(nowMs),
    why: '',
    tokens: emptyLine(nowMs),
    answers: emptyLine(nowMs),
    waiting: emptyLine(nowMs),
    capacity: unknownCapacity(nowMs),
    budgets: objective ? budgetsOf(spec, () => emptyBudget(objective)) : {},
  };
}

/** Takes what an observation has beside the triggers' own signals. `requests` a second are what a time stands for. */
export function takeMore(spec: Spec, more: SloMore, observation: Observation, requests: number | null): void {
  const { nowMs, readings } = observation;
  for (const name of lineNames) takeReadings(more[name], readLines[name], 'sum', spec.classes, observation, []);
  const failing = readings.filter(({ trigger, value }) => trigger === missingReading && value !== 0);
  const told = failing.find(({ message }) => message !== undefined)?.message;
  if (told !== undefined) more.why = told.slice(0, longestWhy);
  for (const trigger of spec.triggers) {
    const budget = more.budgets[trigger.name];
    if (!budget) continue;
    if (isFromReplicas(trigger)) takeBudgetReadings(budget, trigger.name, ofClasses(spec, observation), nowMs);
    else takeGatewayTimes(spec, budget, trigger, observation, requests ?? 0);
  }
}

const longestWhy = 200;

function ofClasses({ classes }: Spec, { readings }: Observation): Observation['readings'] {
  return readings.filter((reading) => reading.class === null || classes.includes(reading.class));
}

/** The gateway tells means: where one is over the mark, the requests that it stands for count as late. */
function takeGatewayTimes(
  spec: Spec,
  budget: SloBudget,
  trigger: SloTrigger,
  observation: Observation,
  requests: number,
): void {
  if (trigger.type !== 'responseTime' && trigger.type !== 'queueWait') return;
  for (const reading of ofClasses(spec, observation)) {
    if (reading.trigger !== trigger.name) continue;
    const sanitized = sanitizeReading(reading, observation.nowMs);
    if ('unusable' in sanitized) continue;
    const { value, spanMs, atMs } = sanitized.usable;
    const timed = (requests * spanMs) / 1000;
    addToBudget(budget, reading.class ?? '', atMs, timed, value > trigger.aboveMs ? timed : 0);
  }
}

const isFromReplicas = ({ type }: SloTrigger) => type === 'timeToFirstToken' || type === 'interTokenLatency';
const isFelt = (trigger: SloTrigger) =>
  isFromReplicas(trigger) || trigger.type === 'responseTime' || trigger.type === 'queueWait';

/** A reading may be this many intervals old, at least three seconds, before it is none. */
const freshIntervals = 3;

/** The newest value of a line, over classes; null when it is no longer fresh. */
export function latestOf(line: DemandLine, combine: Combine, nowMs: number, intervalMs = 1000): number | null {
  const freshMs = Math.max(3000, intervalMs * freshIntervals);
  const values = Object.entries(line.values)
    .filter(([name]) => nowMs - (line.atMs[name] ?? Number.NEGATIVE_INFINITY) <= freshMs)
    .map(([, value]) => value);
  if (values.length === 0) return null;
  return combine === 'sum' ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values);
}

function budgetsOf(spec: SloSettings, make: (name: string) => SloBudget): Record<string, SloBudget> {
  return Object.fromEntries(spec.triggers.filter(isFelt).map(({ name }) => [name, make(name)]));
}

export function moreToJson({ why, capacity, budgets, ...lines }: SloMore): JsonObject {
  const written = Object.entries(budgets).map(([name, budget]): [string, Json] => [name, budgetToJson(budget)]);
  return {
    ...Object.fromEntries(lineNames.map((name) => [name, lineToJson(lines[name])])),
    why,
    capacity: capacityToJson(capacity),
    budgets: Object.fromEntries(written),
  };
}

export function moreFromJson(spec: Spec, json: JsonObject, nowMs: number): SloMore | null {
  const more = moreOf(spec, nowMs);
  if (!more) return null;
  const stored = objectOf(json.budgets);
  const read = (name: string, objective: SloObjectiveSpec) =>
    budgetFromJson(objectOf(stored[name]), objective, spec.classes);
  const { objective } = spec;
  return {
    missing: lineFromJson(objectOf(json.missing), spec.classes),
    tokens: lineFromJson(objectOf(json.tokens), spec.classes),
    answers: lineFromJson(objectOf(json.answers), spec.classes),
    waiting: lineFromJson(objectOf(json.waiting), spec.classes),
    why: typeof json.why === 'string' ? json.why : '',
    capacity: capacityFromJson(objectOf(json.capacity), nowMs),
    budgets: objective ? budgetsOf(spec, (name) => read(name, objective)) : {},
  };
}
