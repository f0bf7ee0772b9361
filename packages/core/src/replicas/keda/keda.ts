import type { Reason } from '../../explain/reasons.ts';
import { decideByHpa } from '../hpa/hpa.ts';
import { defaultHpaBehavior } from '../hpa/hpaSpec.ts';
import type { HpaBehavior, HpaDecisionSpec } from '../hpa/types.ts';
import type { DecideResult, Json, Memory, Observation } from '../types.ts';
import {
  type AdapterMetric,
  adapterMetrics,
  countFailures,
  type FailureCounts,
  type FormulaEvaluator,
} from './metrics.ts';
import { type OperatorStep, operatorStep } from './operatorStep.ts';
import { lastMissedMs, type Rest, restLookMs, restOf, withMissedSyncs } from './rest.ts';
import type { KedaDecisionSpec, KedaObservation, KedaReading } from './types.ts';

/**
 * A ScaledObject, decided as KEDA and its HPA decide it: the operator's poll moves between 0 and 1 (or idle and
 * minimum), the HPA's sync between 1 and N with KEDA's external metrics. Each acts on its own grid.
 */
export function decideByKeda(
  evaluate: FormulaEvaluator,
): (spec: KedaDecisionSpec, stored: Memory | null, observation: Observation) => DecideResult {
  return (spec, stored, observation) => {
    const { nowMs, keda } = observation;
    const memory = readMemory(stored) ?? {
      nextPollMs: nowMs,
      lastActiveMs: keda?.lastActiveAtMs === undefined ? null : Math.min(keda.lastActiveAtMs, nowMs),
      failures: {},
      values: {},
      hpa: null,
      replicas: null,
      rest: null,
    };
    catchUp(spec, memory, nowMs);
    // A shorter interval holds at once: KEDA begins its loop anew when the object is changed.
    memory.nextPollMs = Math.min(memory.nextPollMs, nowMs + spec.pollingIntervalMs);
    if (!keda) return unobserved(spec, memory, nowMs);
    const reasons: Reason[] = [];
    const { seen, isHeld } = withLastValues(spec, keda, memory, nowMs, reasons);
    let current = keda.specReplicas;
    let step: OperatorStep | null = null;

    const isReactive = spec.improvements?.reactive === true;
    let awakeUntilMs: number | null = null;

    if (nowMs >= memory.nextPollMs || isReactive) {
      memory.failures = countFailures(spec.triggers, seen, memory.failures);
      step = stepwise(spec, poll(spec, seen, isHeld, memory, nowMs, evaluate), current);
      reasons.push(stepReason(step, current));
      if (step.write !== null) current = step.write;
      awakeUntilMs = step.cooldownEndsMs;
      memory.nextPollMs = nowMs + spec.pollingIntervalMs;
    }

    // The operator and the HPA share one scale: at zero the HPA is asleep, and a pause of the object removes it.
    const asleep = current === 0 || spec.pause.paused || spec.pause.replicas !== null;
    const isHpaTurn = step === null || step.write === null || isReactive;
    if (!asleep && isHpaTurn) {
      const metrics = adapterMetrics(spec, seen, memory.failures, evaluate);
      for (const metric of metrics) if (metric.isFallback) reasons.push(fallbackReason(metric));
      // News are acted on when they come; the grid is for what time alone changes.
      const isNews = isReactive && (keda.fresh?.length ?? 0) > 0;
      const before: Memory | null = isNews && memory.hpa ? { ...memory.hpa, nextSyncMs: nowMs } : memory.hpa;
      const result = decideByHpa(hpaSpec(spec, metrics), before, {
        ...observation,
        hpa: {
          specReplicas: current,
          statusReplicas: seen.statusReplicas,
          pods: seen.pods ?? readyPods(seen.readyReplicas),
          metrics: metrics.map((metric) => metric.reading),
        },
      });
      memory.hpa = result.memory;
      memory.rest =
        isReactive && step && awakeUntilMs === null
          ? restOf(spec, {
              before: current,
              after: result.decision.replicas,
              step,
              reasons: [...reasons, ...result.decision.reasons],
            })
          : null;
      reasons.push(...result.decision.reasons);
      if (result.decision.reasons.every((reason) => reason.code !== 'hpa-between-syncs'))
        current = result.decision.replicas;
    } else if (asleep) {
      memory.hpa = null;
      memory.rest = null;
    }
    if (reasons.length === 0) {
      const data = { replicas: current, inMs: Math.max(0, memory.nextPollMs - nowMs) };
      reasons.push({ code: 'keda-between-polls', stage: 'reading', data });
    }
    memory.replicas = current;
    return {
      decision: {
        classes: { [spec.class ?? 'default']: current },
        replicas: current,
        reasons,
        revisitAtMs: isReactive ? nextReactiveLook(memory, nowMs, current, awakeUntilMs) : nextLook(memory, nowMs),
      },
      memory: writeMemory(memory),
    };
  };
}

/**
 * Whether any trigger is active (strictly above its activation value), and whether any could not be read. `isHeld`: a value is the last
 * one of a source that is lost.
 */
function poll(
  spec: KedaDecisionSpec,
  keda: KedaObservation,
  isHeld: boolean,
  memory: KedaMemory,
  nowMs: number,
  evaluate: FormulaEvaluator,
): OperatorStep {
  const readings = spec.triggers
    .filter((trigger) => !trigger.resource)
    .map((trigger) => ({ trigger, reading: keda.readings[trigger.name] }));
  const isError = readings.some(({ reading }) => reading === undefined || 'error' in reading);
  let isActive = readings.some(
    ({ trigger, reading }) =>
      reading !== undefined && 'value' in reading && (reading.active ?? reading.value > trigger.activationTarget),
  );
  if (spec.modifiers && !isError) {
    const values = Object.fromEntries(
      readings.map(({ trigger, reading }) => [trigger.name, reading && 'value' in reading ? reading.value : null]),
    );
    try {
      isActive = (evaluate(spec.modifiers.formula, values) ?? 0) > spec.modifiers.activationTarget;
    } catch {
      isActive = false;
    }
  }
  // A failing source with a fallback that is due keeps what runs awake, and wakes it under Ebb's own rules.
  const dueFallback =
    spec.fallback &&
    isError &&
    Object.values(memory.failures).some((count) => count > (spec.fallback?.failureThreshold ?? 0));
  if (spec.improvements && dueFallback && (spec.fallback?.replicas ?? 0) > 0) isActive = true;
  if (isActive || spec.forceActivation) memory.lastActiveMs = nowMs;
  const input = {
    nowMs,
    current: keda.specReplicas,
    isActive,
    isError,
    lastActiveMs: memory.lastActiveMs,
    createdAtMs: keda.createdAtMs,
  };
  const step = operatorStep(spec, input);
  // A last value keeps what runs. That nothing was there when the source was lost does not say that nothing is there now.
  const isDown = step.code === 'keda-deactivates' || step.code === 'keda-cools-down';
  return isHeld && isDown ? operatorStep(spec, { ...input, isError: true }) : step;
}

/** Under Ebb's own rules the HPA brings the count down by its policies first; only the last replica is the operator's. */
function stepwise(spec: KedaDecisionSpec, step: OperatorStep, current: number): OperatorStep {
  if (!spec.improvements?.stepwiseToZero || step.code !== 'keda-deactivates' || current <= 1) return step;
  return { write: null, code: 'keda-steps-down', cooldownEndsMs: null };
}

function hpaSpec(spec: KedaDecisionSpec, metrics: AdapterMetric[]): HpaDecisionSpec {
  return {
    policy: 'hpa',
    workload: spec.workload,
    minReplicas: Math.max(1, spec.minReplicas),
    maxReplicas: spec.maxReplicas,
    metrics: metrics.map((metric) => metric.metric),
    behavior: pausedBehavior(spec),
    controller: spec.controller,
  };
}

/** Pausing one direction disables it in the HPA. */
function pausedBehavior(spec: KedaDecisionSpec): HpaBehavior | null {
  const { scaleIn, scaleOut } = spec.pause;
  if (!scaleIn && !scaleOut) return spec.behavior;
  const base = spec.behavior ?? defaultHpaBehavior(spec.controller);
  return {
    scaleUp: scaleOut ? { ...base.scaleUp, selectPolicy: 'Disabled' } : base.scaleUp,
    scaleDown: scaleIn ? { ...base.scaleDown, selectPolicy: 'Disabled' } : base.scaleDown,
  };
}

/** Where only counts are known, the ready replicas stand for ready pods. */
function readyPods(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    name: `replica-${index}`,
    phase: 'Running' as const,
    ready: { status: 'True' as const, lastTransitionMs: 0 },
  }));
}

/** Under Ebb's own rules a lost source keeps its last value for a while: `isHeld` when one does. */
function withLastValues(
  spec: KedaDecisionSpec,
  keda: KedaObservation,
  memory: KedaMemory,
  nowMs: number,
  reasons: Reason[],
): { seen: KedaObservation; isHeld: boolean } {
  const maxAgeMs = spec.improvements?.lastValueMaxAgeMs ?? 0;
  const readings: Record<string, KedaReading> = {};
  let isHeld = false;
  for (const [trigger, reading] of Object.entries(keda.readings)) {
    readings[trigger] = reading;
    if ('value' in reading) memory.values[trigger] = [reading.value, nowMs];
    else {
      const last = memory.values[trigger];
      if (!last || maxAgeMs === 0 || nowMs - last[1] > maxAgeMs) continue;
      readings[trigger] = { value: last[0] };
      isHeld = true;
      reasons.push({
        code: 'keda-last-value',
        stage: 'reading',
        data: { trigger, value: last[0], ageMs: nowMs - last[1] },
      });
    }
  }
  return { seen: { ...keda, readings }, isHeld };
}

function stepReason(step: OperatorStep, current: number): Reason {
  const data: Reason['data'] = { current, replicas: step.write ?? current };
  if (step.cooldownEndsMs !== null) data.cooldownEndsMs = step.cooldownEndsMs;
  return { code: step.code, stage: 'gate', data };
}

function fallbackReason(metric: AdapterMetric): Reason {
  return { code: 'keda-fallback', stage: 'combine', data: { trigger: metric.trigger } };
}

function nextLook(memory: KedaMemory, nowMs: number): number {
  const hpaAtMs = memory.hpa && typeof memory.hpa.nextSyncMs === 'number' ? memory.hpa.nextSyncMs : memory.nextPollMs;
  return Math.max(nowMs + 1, Math.min(memory.nextPollMs, hpaAtMs));
}

/** At zero nothing but a reading changes anything; awake, the HPA's next sync and the end of the cool-down do. */
function nextReactiveLook(
  memory: KedaMemory,
  nowMs: number,
  current: number,
  awakeUntilMs: number | null,
): number | null {
  if (current === 0) return null;
  const syncAtMs = memory.hpa && typeof memory.hpa.nextSyncMs === 'number' ? memory.hpa.nextSyncMs : null;
  const hpaAtMs = syncAtMs === null || !memory.rest ? syncAtMs : Math.max(syncAtMs, nowMs + restLookMs);
  const times = [hpaAtMs, awakeUntilMs === null ? null : awakeUntilMs + 1].filter((time) => time !== null);
  return times.length === 0 ? null : Math.max(nowMs + 1, Math.min(...times));
}

function unobserved(spec: KedaDecisionSpec, memory: KedaMemory, nowMs: number): DecideResult {
  const replicas = memory.replicas ?? 0;
  const reasons: Reason[] = [{ code: 'hpa-no-observation', stage: 'reading', data: { replicas } }];
  return {
    decision: {
      classes: { [spec.class ?? 'default']: replicas },
      replicas,
      reasons,
      revisitAtMs: nextLook(memory, nowMs),
    },
    memory: writeMemory(memory),
  };
}

/** Takes in the syncs that were left out at rest, as if they had been made: each would have said the same. */
function catchUp(spec: KedaDecisionSpec, memory: KedaMemory, nowMs: number): void {
  const { rest, hpa } = memory;
  if (!rest || !hpa) return;
  const { syncPeriodMs } = spec.controller;
  const missedMs = lastMissedMs(hpa, syncPeriodMs, nowMs);
  if (missedMs === null) return;
  memory.hpa = withMissedSyncs(hpa, rest.proposal, missedMs, syncPeriodMs);
  if (rest.active) memory.lastActiveMs = missedMs;
  for (const value of Object.values(memory.values)) value[1] = missedMs;
}

interface KedaMemory {
  nextPollMs: number;
  lastActiveMs: number | null;
  failures: FailureCounts;
  /** Last good value of each trigger and when it was read. */
  values: Record<string, [number, number]>;
  hpa: Memory | null;
  replicas: number | null;
  rest: Rest;
}

const version = 1;

function writeMemory(memory: KedaMemory): Memory {
  return {
    version,
    policy: 'keda',
    nextPollMs: memory.nextPollMs,
    lastActiveMs: memory.lastActiveMs,
    failures: { ...memory.failures },
    values: Object.fromEntries(Object.entries(memory.values).map(([name, value]) => [name, [...value]])),
    hpa: memory.hpa,
    replicas: memory.replicas,
    ...(memory.rest ? { rest: { ...memory.rest } } : {}),
  };
}

function readMemory(memory: Memory | null): KedaMemory | null {
  if (!memory || memory.version !== version || typeof memory.nextPollMs !== 'number') return null;
  const entries = (json: Json | undefined): [string, Json][] =>
    json !== null && typeof json === 'object' && !Array.isArray(json) ? Object.entries(json) : [];
  const hpa = memory.hpa;
  return {
    nextPollMs: memory.nextPollMs,
    lastActiveMs: typeof memory.lastActiveMs === 'number' ? memory.lastActiveMs : null,
    failures: Object.fromEntries(entries(memory.failures).map(([name, count]) => [name, Number(count)])),
    values: Object.fromEntries(
      entries(memory.values).flatMap(([name, pair]) =>
        Array.isArray(pair) ? [[name, [Number(pair[0]), Number(pair[1])] as [number, number]]] : [],
      ),
    ),
    hpa: hpa !== null && typeof hpa === 'object' && !Array.isArray(hpa) ? (hpa as unknown as Memory) : null,
    replicas: typeof memory.replicas === 'number' ? memory.replicas : null,
    rest: readRest(memory.rest),
  };
}

/** Not yet in what older versions wrote. */
function readRest(rest: Json | undefined): Rest {
  if (rest === null || typeof rest !== 'object' || Array.isArray(rest)) return null;
  const { proposal, active } = rest;
  return typeof proposal === 'number' ? { proposal, active: active === true } : null;
}
