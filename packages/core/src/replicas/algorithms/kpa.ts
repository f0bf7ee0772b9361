import type { Reason } from '../../explain/reasons.ts';
import type { DecideResult, Memory, Observation } from '../types.ts';
import type { DemandSegment } from './demand.ts';
import { activatorCount } from './kpaActivator.ts';
import { beginGate, gateFromJson, gateToJson, type KpaGate, passKpaGate, unknownScale } from './kpaGate.ts';
import { beginPanic, delayFromJson, initialExcessBurst, type KpaDelay, type KpaPanic, kpaScale } from './kpaScale.ts';
import { type KpaDecisionSpec, type KpaSettings, kpaPanicWindowMs, kpaTickMs } from './kpaSettings.ts';
import {
  emptyKpaWindow,
  isKpaWindowEmpty,
  type KpaWindow,
  kpaAverage,
  kpaWindowFromJson,
  kpaWindowToJson,
  recordKpa,
} from './kpaWindow.ts';
import { numberOr, objectOf, shortened } from './storedJson.ts';
import { type TickingRules, tickingPolicy, type Turn, type TurnOutcome } from './tickingPolicy.ts';

interface KpaState {
  /** What the window holds. */
  metric: KpaSettings['metric'];
  window: KpaWindow;
  /** The bucket that is being filled: its mean is not final. */
  open: { index: number; valueMs: number; coveredMs: number };
  panic: KpaPanic;
  delay: KpaDelay;
  gate: KpaGate;
  /** What the autoscaler wanted last; -1: it has had no data. */
  desired: number;
  excessBurstCapacity: number;
}

/**
 * Knative's Pod Autoscaler, complete: windows, rates, panic, delay, burst capacity and the gate, every two seconds.
 * Both of its loops (autoscaler and reconciler) act on the one grid here. A request that finds it at zero is answered
 * at once, as by the activator's poke.
 */
export function decideByKpa(spec: KpaDecisionSpec, stored: Memory | null, observation: Observation): DecideResult {
  return (spec.metric === 'rps' ? decideByRequestRate : decideByConcurrency)(spec, stored, observation);
}

const rules: TickingRules<KpaDecisionSpec, KpaState> = {
  policy: 'kpa',
  version: 1,
  demand: 'concurrency',
  actsAtOnce: true,
  tickMs: () => kpaTickMs,
  begin(spec, counted, nowMs) {
    const running = counted.ready + counted.starting;
    const replicas = Math.max(running, spec.initialScale);
    const state: KpaState = {
      metric: spec.metric,
      window: emptyKpaWindow(spec.stableWindowMs, kpaPanicWindowMs(spec)),
      open: { index: -1, valueMs: 0, coveredMs: 0 },
      panic: beginPanic(counted.ready, nowMs),
      delay: [],
      gate: beginGate(replicas, nowMs),
      desired: unknownScale,
      excessBurstCapacity: initialExcessBurst(spec),
    };
    return { replicas, state };
  },
  write: ({ metric, window, open, panic, delay, gate, desired, excessBurstCapacity }) => ({
    metric,
    window: kpaWindowToJson(window),
    open: { ...open },
    panicSinceMs: panic.sinceMs,
    mostPods: panic.mostPods,
    delay: delay.map((entry) => [...entry]),
    gate: gateToJson(gate),
    desired,
    excessBurstCapacity,
  }),
  read(spec, stored, nowMs) {
    const gate = gateFromJson(objectOf(stored.gate));
    if (!gate || stored.metric !== spec.metric) return null;
    const open = objectOf(stored.open);
    return {
      metric: spec.metric,
      window: kpaWindowFromJson(objectOf(stored.window), spec.stableWindowMs, kpaPanicWindowMs(spec), nowMs),
      open: {
        index: numberOr(open.index, -1),
        valueMs: numberOr(open.valueMs, 0),
        coveredMs: numberOr(open.coveredMs, 0),
      },
      panic: { sinceMs: numberOr(stored.panicSinceMs, null), mostPods: numberOr(stored.mostPods, 0) },
      delay: delayFromJson(stored.delay),
      gate,
      desired: numberOr(stored.desired, unknownScale),
      excessBurstCapacity: numberOr(stored.excessBurstCapacity, 0),
    };
  },
  take: (_spec, state, segment) => feed(state, segment),
  isUrgent: (_spec, state, { counted }) =>
    counted.held + counted.inFlight > 0 && (state.desired === 0 || state.gate.replicas === 0),
  act: turnKpa,
};

const decideByConcurrency = tickingPolicy(rules);
const decideByRequestRate = tickingPolicy({ ...rules, demand: 'requestRate' });

/** A bucket's value is the mean over the part of it that was measured, so that the running second is not cut short. */
function feed(state: KpaState, segment: DemandSegment): void {
  const { window, open } = state;
  const { bucketMs } = window;
  let startMs = Math.max(segment.fromMs, segment.atMs - window.sizes.stable * bucketMs);
  while (startMs < segment.atMs) {
    const index = Math.floor(startMs / bucketMs);
    const endMs = Math.min(segment.atMs, (index + 1) * bucketMs);
    const coveredMs = endMs - startMs;
    if (open.index === index && window.last === index) {
      open.valueMs = shortened(open.valueMs + segment.value * coveredMs);
      open.coveredMs += coveredMs;
      window.values[window.values.length - 1] = shortened(open.valueMs / open.coveredMs);
    } else {
      recordKpa(window, startMs, segment.value);
      open.index = index;
      open.valueMs = shortened(segment.value * coveredMs);
      open.coveredMs = coveredMs;
    }
    startMs = endMs;
  }
}

function turnKpa(spec: KpaDecisionSpec, state: KpaState, turn: Turn): TurnOutcome {
  const { nowMs, counted, observation, reasons } = turn;
  const reachable = observation.kpa?.reachable ?? true;
  const ready = counted.ready;
  // What ends now lies in the second before: a turn on a whole second sees that second complete.
  const seenMs = nowMs - 1;
  if (isKpaWindowEmpty(state.window, seenMs)) {
    const replicas = state.gate.replicas;
    reasons.push({ code: 'kpa-no-data', stage: 'recommendation', data: { windowMs: spec.stableWindowMs, replicas } });
  } else {
    const stable = kpaAverage(state.window, 'stable', seenMs, spec.aggregation);
    const panic = kpaAverage(state.window, 'panic', seenMs, spec.aggregation);
    const scaled = kpaScale(spec, state.panic, state.delay, { nowMs, stable, panic, ready, reachable }, reasons);
    state.panic = scaled.panic;
    state.desired = scaled.desired;
    state.excessBurstCapacity = scaled.excessBurstCapacity;
  }
  const { desired, excessBurstCapacity } = state;
  const activatorAnswers = observation.kpa?.activatorAnswers ?? true;
  state.gate = passKpaGate(
    spec,
    state.gate,
    { nowMs, desired, excessBurstCapacity, ready, reachable, activatorAnswers },
    reasons,
  );
  reasons.push(pathReason(spec, state, ready));
  const { replicas } = state.gate;
  return isAtRest(state) ? { replicas, revisitAtMs: null } : { replicas };
}

/** Where requests go: through the activator while there is less spare capacity than the burst that is planned for. */
function pathReason(spec: KpaDecisionSpec, state: KpaState, ready: number): Reason {
  return {
    code: 'kpa-path',
    stage: 'gate',
    data: {
      phase: state.gate.phase,
      proxied: state.gate.proxySinceMs !== null,
      excessBurstCapacity: state.excessBurstCapacity,
      activators: activatorCount(spec, ready),
    },
  };
}

/** At zero and wanting none: only new demand changes that, never time. */
function isAtRest({ gate, desired }: KpaState): boolean {
  return gate.replicas === 0 && gate.phase === 'Inactive' && desired <= 0;
}
