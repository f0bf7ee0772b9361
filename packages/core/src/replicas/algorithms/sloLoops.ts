import type { Reason } from '../../explain/reasons.ts';
import type { SloSettings } from './sloSettings.ts';
import { type BudgetState, budgetState } from './sloBudget.ts';
import { floorOf, followLength, learn } from './sloCapacity.ts';
import { latestOf, type SloMore } from './sloMore.ts';
import { deadTimeEnd, type SloChange } from './sloTriggers.ts';

/** What the replicas' metrics say beside the signals. */
export interface ReadMore {
  /** Replicas that could not be read; null: nothing has been heard of any of them. */
  missing: number | null;
  /** Generated, and begun to be answered, a second; null: not published. */
  tokens: number | null;
  answers: number | null;
  /** Requests in the servers' own queues. */
  waiting: number | null;
}

export interface WorstBudget extends BudgetState {
  trigger: string;
}

export interface LoopsInput {
  nowMs: number;
  current: number;
  ready: number;
  change: SloChange | null;
  startTimeMs: number;
  windowMs: number;
  /** What the triggers ask for: the fast loop. */
  wanted: number;
  isBroken: boolean;
  /** Something is asked, and a trigger says how it goes. */
  isMeasured: boolean;
  /** Requests a second; null: not known. */
  requests: number | null;
  /** What had piled up is getting less. */
  isDraining: boolean;
  read: ReadMore | null;
  budget: WorstBudget | null;
}

export function readMore(spec: SloSettings, more: SloMore, nowMs: number): ReadMore | null {
  const { metricsIntervalMs } = spec;
  if (metricsIntervalMs === undefined) return null;
  const latest = (line: SloMore['missing']) => latestOf(line, 'sum', nowMs, metricsIntervalMs);
  const { missing, tokens, answers, waiting } = more;
  return {
    missing: latest(missing),
    tokens: latest(tokens),
    answers: latest(answers),
    waiting: latest(waiting),
  };
}

/** So much more must be answered than is asked for a queue to be getting shorter, and more than chance can make of it. */
const drainShare = 1.05;

/** How long what has piled up, here and in the servers, takes at the present pace; null where it is not getting shorter. */
export function drainOf(
  read: ReadMore | null,
  requests: number | null,
  held: number,
  windowMs: number,
): { remainingMs: number } | null {
  const { answers = null, waiting = null } = read ?? {};
  if (answers === null || waiting === null || requests === null) return null;
  const chance = 2 * Math.sqrt((answers + requests) / Math.max(1, windowMs / 1000));
  const ahead = answers - requests;
  if (answers <= requests * drainShare || ahead <= chance) return null;
  return { remainingMs: Math.round(((waiting + held) * 1000) / ahead) };
}

const severity = { plenty: 0, steady: 1, spent: 2, burning: 3 } as const;

/** The budget that stands worst of those of the triggers; null without an objective. */
export function budgetOf({ objective }: SloSettings, more: SloMore | null, nowMs: number): WorstBudget | null {
  if (!objective || !more) return null;
  let worst: WorstBudget | null = null;
  for (const [trigger, budget] of Object.entries(more.budgets)) {
    const state = { trigger, ...budgetState(budget, objective, nowMs) };
    const isWorse =
      worst === null ||
      severity[state.verdict] > severity[worst.verdict] ||
      (state.verdict === worst.verdict && state.left < worst.left);
    if (isWorse) worst = state;
  }
  return worst;
}

/** With plenty left, shrinking takes steps twice as large. */
export const isEager = (budget: WorstBudget | null): boolean => budget?.verdict === 'plenty';

/**
 * The slow loop under the fast one: triggers raise and lower at once what they see, and beneath stands a floor of what the
 * demand needs by what a replica has been seen to do. Nothing shrinks while replicas cannot be read, or while the error
 * budget is being burnt.
 */
export function bothLoops(spec: SloSettings, more: SloMore, input: LoopsInput, reasons: Reason[]): number {
  const { current, read, budget } = input;
  let { wanted } = input;
  if (read) wanted = overFloor(more, input, wanted, reasons);
  if (budget) reasons.push(budgetReason(spec, budget));
  // Zero replicas have nothing to read.
  if (read && read.missing !== 0 && input.ready > 0) {
    const why = read.missing === null ? 'none has been read lately' : more.why || 'no reason was given';
    const data = { missing: read.missing ?? input.ready, ready: input.ready, why, replicas: Math.max(wanted, current) };
    reasons.push({ code: 'slo-metrics-missing', stage: 'combine', data });
    wanted = Math.max(wanted, current);
  }
  if (wanted < current && budget && (budget.verdict === 'burning' || budget.verdict === 'spent')) {
    const data = { verdict: budget.verdict, wanted, replicas: current };
    reasons.push({ code: 'slo-budget-holds', stage: 'combine', data });
    wanted = current;
  }
  return wanted;
}

function overFloor(more: SloMore, input: LoopsInput, wanted: number, reasons: Reason[]): number {
  const { current, requests, windowMs } = input;
  const { capacity } = more;
  learnNow(more, input);
  const floor = requests === null ? null : floorOf(capacity, requests, windowMs);
  if (!floor) return wanted;
  const least = wanted < current ? Math.min(current, floor.keep) : floor.grow;
  if (least <= wanted) return wanted;
  const demand = wanted < current ? floor.kept : floor.demand;
  const data = { demand, unit: capacity.unit, capacity: floor.capacity, wanted, replicas: least };
  reasons.push({ code: 'slo-floor', stage: 'combine', data });
  return least;
}

/** Demand beneath this share of that of several windows is on its way down. */
const steadyShare = 0.75;

/** Once a window, while every replica that was asked for works and the last change has shown. */
function learnNow(more: SloMore, input: LoopsInput): void {
  const { nowMs, current, ready, change, startTimeMs, windowMs, isBroken, requests, read } = input;
  const { capacity } = more;
  const isSettled = nowMs >= deadTimeEnd({ windowMs }, { change, startTimeMs }, -1);
  const isDue = nowMs - capacity.learnedAtMs >= windowMs;
  if (!isSettled || !isDue || !input.isMeasured || current === 0 || ready !== current || requests === null) return;
  const tokens = read?.tokens ?? null;
  const answers = read?.answers ?? null;
  if (tokens !== null && (answers !== null || !isBroken)) followLength(capacity, tokens, answers ?? requests);
  // What had piled up is slow at any pace, and so is what is still told of callers who have gone.
  const isLeaving = requests < (capacity.slowRequests ?? 0) * steadyShare;
  if (isBroken && (input.isDraining || isLeaving)) return;
  if (capacity.unit === 'requests') learn(capacity, { nowMs, load: requests / ready, isBroken });
  else if (tokens !== null) learn(capacity, { nowMs, load: tokens / ready, isBroken });
}

function budgetReason({ objective }: SloSettings, budget: WorstBudget): Reason {
  const { trigger, timed, late, left, burnLong, longMs, verdict } = budget;
  const { share = 1, windowMs = 0 } = objective ?? {};
  const allowed = Math.round((1 - share) * 1e6) / 1e4;
  const leftPercent = Math.round(left * 1000) / 10;
  const data = {
    trigger,
    leftPercent,
    allowedPercent: allowed,
    windowMs,
    timed,
    late,
    burn: burnLong,
    longMs,
    verdict,
  };
  return { code: 'slo-budget', stage: 'combine', data };
}
