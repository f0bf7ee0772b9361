import type { Reason } from '../explain/reasons.ts';
import { applyBehavior, behaviorHorizonMs, rememberChange, rememberRecommendation } from './behavior.ts';
import { applyBounds } from './bounds.ts';
import { applyEventFactor, calendarFloors, isCalendarTrigger, takeCalendarReading } from './calendar.ts';
import { shareAmongClasses } from './classShares.ts';
import { passGate } from './gate.ts';
import { ceilCount, recommendByTrigger, round } from './recommendation.ts';
import { sanitizeReading } from './sanitizeReading.ts';
import type { ClassObservation, DecideResult, Decision, Memory, Observation, WorkloadDecisionSpec } from './types.ts';
import { addSample, emptyWindow, hasDemand, trimWindow } from './window.ts';
import {
  firstWindowsMemory,
  readWindowsMemory,
  triggerKey,
  type WindowsMemory,
  writeWindowsMemory,
} from './windowsMemory.ts';

const nobody: ClassObservation = { ready: 0, starting: 0, draining: 0, failed: 0, inFlight: 0, held: 0 };

/**
 * The policy of a Workload document: stable and panic windows of concurrency and request rate, what waits right now as
 * a floor, the scale-to-zero gate with keep-alive, behaviour rules, then the bounds.
 */
export function decideByWindows(
  spec: WorkloadDecisionSpec,
  stored: Memory | null,
  observation: Observation,
): DecideResult {
  const { nowMs } = observation;
  const reasons: Reason[] = [];
  const memory = readWindowsMemory(stored, spec) ?? beginMemory(spec, observation, reasons);
  const current = memory.replicas;

  takeReadings(spec, memory, observation, reasons);
  const asked = askClasses(spec, memory, observation, reasons);
  applyEventFactor(spec, memory, asked, reasons);
  const recommended = hold(memory, observation, asked, reasons);

  const demand = demandOf(observation);
  const gate = passGate({
    nowMs,
    current,
    recommended,
    demand,
    lastActiveAtMs: Math.max(memory.openedAtMs, observation.lastActiveAtMs ?? memory.openedAtMs),
    keepAliveMs: spec.scaling.keepAliveMs,
  });
  const blind = !observation.countsKnown || memory.lost.length > 0;
  // A lost source is never zero demand: the gate may open, but not close, while it is blind.
  const gated = blind ? Math.max(gate.replicas, current) : gate.replicas;
  if (!blind || gate.reason.code.startsWith('gate-open')) reasons.push(gate.reason);

  const horizonMs = behaviorHorizonMs(spec.scaling.behavior);
  rememberRecommendation(memory.behavior, nowMs, gated, horizonMs);
  const behaved = applyBehavior(spec.scaling.behavior, memory.behavior, nowMs, current, gated);
  reasons.push(...behaved.reasons);
  const bounded = applyBounds(spec.scaling, calendarFloors(spec, memory), current, behaved.replicas);
  reasons.push(...bounded.reasons);

  const { replicas } = bounded;
  const classes = shareAmongClasses(asked, replicas);
  rememberChange(memory.behavior, nowMs, replicas - current, horizonMs);
  if (current === 0 && replicas > 0) memory.openedAtMs = nowMs;
  // Demand that has been over for the whole keep-alive time must not size the next wake-up.
  if (current > 0 && replicas === 0) forgetDemand(memory);
  memory.replicas = replicas;
  memory.classes = classes;

  const decision: Decision = {
    classes,
    replicas,
    reasons,
    revisitAtMs: nextLook(spec, memory, observation, replicas, blind ? null : gate.closesAtMs, behaved.revisitAtMs),
  };
  return { decision, memory: writeWindowsMemory(memory) };
}

function forgetDemand(memory: WindowsMemory): void {
  for (const remembered of memory.triggers.values()) {
    remembered.window = emptyWindow(remembered.window.bucketMs);
    remembered.panic = { sinceMs: null, mostReplicas: 0 };
  }
}

/** The first decision of a workload starts from what it should begin with, or from what already runs. */
function beginMemory(spec: WorkloadDecisionSpec, observation: Observation, reasons: Reason[]): WindowsMemory {
  const running = Object.values(observation.classes).reduce((sum, seen) => sum + seen.ready + seen.starting, 0);
  const replicas = Math.max(running, spec.scaling.initialReplicas);
  reasons.push({
    code: 'first-decision',
    stage: 'reading',
    data: { running, initialReplicas: spec.scaling.initialReplicas },
  });
  return firstWindowsMemory(spec, observation.nowMs, replicas);
}

function takeReadings(
  spec: WorkloadDecisionSpec,
  memory: WindowsMemory,
  observation: Observation,
  reasons: Reason[],
): void {
  const { nowMs } = observation;
  for (const reading of [...observation.readings].sort((a, b) => a.atMs - b.atMs)) {
    const sanitized = sanitizeReading(reading, nowMs);
    const name = reading.class === null ? reading.trigger : `${reading.trigger}/${reading.class}`;
    if ('unusable' in sanitized) {
      reasons.push({ code: 'reading-unusable', stage: 'reading', data: { trigger: name, why: sanitized.unusable } });
      if (!isCalendarTrigger(reading.trigger) && !memory.lost.includes(name)) memory.lost.push(name);
      continue;
    }
    const { usable } = sanitized;
    if (isCalendarTrigger(usable.trigger)) {
      takeCalendarReading(spec, memory, usable);
      continue;
    }
    memory.lost = memory.lost.filter((lost) => lost !== name);
    const trigger = spec.scaling.triggers.find((candidate) => candidate.name === reading.trigger);
    const className = reading.class ?? spec.classes[0]?.name;
    const remembered =
      trigger && className !== undefined ? memory.triggers.get(triggerKey(trigger, className)) : undefined;
    if (!remembered) continue;
    if (!addSample(remembered.window, usable.atMs, usable.spanMs, usable.value)) {
      reasons.push({ code: 'reading-out-of-order', stage: 'reading', data: { trigger: name, atMs: usable.atMs } });
    }
  }
  for (const { window } of memory.triggers.values()) trimWindow(window, nowMs, spec.scaling.windows.stableMs);
}

interface AskedClass {
  name: string;
  replicas: number;
}

/** What each class's triggers and its requests of this moment ask for. */
function askClasses(
  spec: WorkloadDecisionSpec,
  memory: WindowsMemory,
  observation: Observation,
  reasons: Reason[],
): AskedClass[] {
  const { nowMs } = observation;
  const asked = spec.classes.map(({ name, concurrency }) => {
    const observed = observation.classes[name] ?? nobody;
    let most = 0;
    for (const trigger of spec.scaling.triggers) {
      const remembered = memory.triggers.get(triggerKey(trigger, name));
      if (!remembered) continue;
      const { windows } = spec.scaling;
      const result = recommendByTrigger({ trigger, className: name, ...remembered, windows, observed, nowMs });
      remembered.panic = result.panic;
      reasons.push(...result.reasons);
      most = Math.max(most, result.replicas);
    }
    const now = askByPresentDemand(observed, concurrency);
    if (now > most) {
      const { inFlight, held } = observed;
      reasons.push({
        code: 'present-demand',
        stage: 'recommendation',
        data: { class: name, inFlight, held, concurrency, replicas: now },
      });
    }
    return { name, replicas: Math.max(most, now) };
  });
  const total = asked.reduce((sum, share) => sum + share.replicas, 0);
  if (asked.length > 1) reasons.push({ code: 'sum-of-classes', stage: 'combine', data: { replicas: total } });
  return asked;
}

/**
 * Slots for the requests that are here now. While somebody is held a window's mean is too slow an answer; and a busy
 * replica must not be taken away because a mean has fallen below what is in flight.
 */
function askByPresentDemand(observed: ClassObservation, concurrency: number): number {
  const demand = observed.inFlight + observed.held;
  if (demand === 0) return 0;
  return concurrency === 0 ? 1 : ceilCount(demand / concurrency);
}

/** The sum of the classes; never below the last decision while a source is lost. */
function hold(memory: WindowsMemory, observation: Observation, asked: AskedClass[], reasons: Reason[]): number {
  const sum = asked.reduce((total, share) => total + share.replicas, 0);
  if (observation.countsKnown && memory.lost.length === 0) return sum;
  const held = Math.max(sum, memory.replicas);
  if (!observation.countsKnown)
    reasons.push({ code: 'counts-missing', stage: 'combine', data: { wanted: sum, replicas: held } });
  for (const trigger of memory.lost) {
    reasons.push({ code: 'source-lost', stage: 'combine', data: { trigger, wanted: sum, replicas: held } });
  }
  // A class keeps what it had, so that the shares still add up.
  for (const share of asked) share.replicas = Math.max(share.replicas, memory.classes[share.name] ?? 0);
  return held;
}

function demandOf(observation: Observation): number {
  return Object.values(observation.classes).reduce(
    (sum, seen) => sum + Math.max(0, seen.inFlight) + Math.max(0, seen.held),
    0,
  );
}

/** When time alone could next change the answer. */
function nextLook(
  spec: WorkloadDecisionSpec,
  memory: WindowsMemory,
  { nowMs }: Observation,
  replicas: number,
  closesAtMs: number | null,
  behaviorAtMs: number | null,
): number | null {
  const times: number[] = [];
  if (closesAtMs !== null) times.push(closesAtMs);
  if (behaviorAtMs !== null) times.push(behaviorAtMs);
  for (const { nextChangeMs } of [...memory.schedules, ...memory.events])
    if (nextChangeMs !== null && nextChangeMs > nowMs) times.push(nextChangeMs);
  if (replicas > 0) {
    for (const { window, panic } of memory.triggers.values()) {
      // Means move only at the edge of a bucket.
      const moving = hasDemand(window) || panic.sinceMs !== null;
      if (moving) times.push((Math.floor(nowMs / window.bucketMs) + 1) * window.bucketMs);
    }
  }
  const later = times.filter((at) => at > nowMs);
  return later.length > 0 ? round(Math.min(...later)) : null;
}
