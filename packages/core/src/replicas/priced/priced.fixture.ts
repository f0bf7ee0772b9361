import type { ScalingSpec } from '@ebb/documents';
import type { ClassObservation, FlowObservation, Memory, Observation } from '../types.ts';
import { noFlow } from '../noFlow.ts';
import { testSpec } from '../windows.fixture.ts';
import { decideByPriced } from './priced.ts';
import type { PricedDecisionSpec } from './pricedSpec.ts';

export function pricedSpec(
  scaling: Partial<ScalingSpec> = {},
  more: Partial<PricedDecisionSpec> = {},
): PricedDecisionSpec {
  const { workload, scaling: base } = testSpec({ maxReplicas: 1_000, ...scaling });
  return {
    policy: 'priced',
    workload,
    classes: [{ name: 'default', concurrency: 8, pricePerHourMicro: 0 }],
    scaling: base,
    onTimeMs: 5_000,
    onTimeShare: null,
    costOfLatenessMicro: null,
    ...more,
  };
}

export function pricedObservation(
  nowMs: number,
  seen: Partial<ClassObservation> = {},
  flow: Partial<FlowObservation> = {},
): Observation {
  const classes = { default: { ready: 0, starting: 0, draining: 0, failed: 0, inFlight: 0, held: 0, ...seen } };
  const busy = classes.default.inFlight + classes.default.held > 0;
  return {
    nowMs,
    causes: [],
    readings: [],
    classes,
    lastActiveAtMs: busy ? nowMs : null,
    countsKnown: true,
    flow: { default: { ...quietFlow, ...flow } },
  };
}

export const quietFlow: FlowObservation = { ...noFlow, spanMs: 1_000, coldStartMs: 60_000 };

/** A request: when it comes and how long its service is, seconds. */
export type Load = readonly (readonly [atSeconds: number, serviceSeconds: number])[];

export interface Driven {
  /** `[second, replicas asked for]` at each change. */
  changes: [number, number][];
  replicaSeconds: number;
  late: number;
  memory: Memory;
}

/** Drives the policy by one-second steps: replicas of `slots`, usable a cold start after they were asked for, first come first served. */
export function drive(spec: PricedDecisionSpec, load: Load, spanSeconds: number, coldStartSeconds = 60): Driven {
  const slots = spec.classes[0]?.concurrency ?? 1;
  let memory: Memory | null = null;
  let next = 0;
  let replicas: { readyAt: number }[] = [];
  const waiting: [at: number, service: number][] = [];
  let running: { endsAt: number; waited: number; service: number }[] = [];
  const driven: Driven = { changes: [], replicaSeconds: 0, late: 0, memory: { version: 0, policy: '' } };
  let revisitAtMs = 0;
  for (let second = 0; second < spanSeconds; second++) {
    const flow = { ...quietFlow, coldStartMs: 1000 * coldStartSeconds };
    for (; next < load.length && (load[next]?.[0] ?? 0) < second; next++) {
      const [at, service] = load[next] ?? [0, 0];
      waiting.push([at, service]);
      flow.arrivals++;
    }
    for (const done of running.filter(({ endsAt }) => endsAt <= second)) {
      flow.answered++;
      flow.serviceMs += 1000 * done.service;
      flow.waitMs += 1000 * done.waited;
    }
    running = running.filter(({ endsAt }) => endsAt > second);
    const ready = replicas.filter(({ readyAt }) => readyAt <= second).length;
    while (waiting.length > 0 && running.length < ready * slots) {
      const [at, service] = waiting.shift() ?? [0, 0];
      const waited = second - at;
      if (waited > spec.onTimeMs / 1000 + 1) driven.late++;
      running.push({ endsAt: second + service, waited, service });
    }
    driven.replicaSeconds += replicas.length;
    const isBusy = waiting.length + running.length + flow.arrivals + flow.answered > 0;
    if (!isBusy && 1000 * second < revisitAtMs) continue;
    flow.peak = waiting.length + running.length;
    flow.inFlightWaitMs = 1000 * running.reduce((sum, { waited }) => sum + waited, 0);
    flow.oldestHeldMs = waiting[0] ? 1000 * (second - waiting[0][0]) : 0;
    const seen = { ready, starting: replicas.length - ready, inFlight: running.length, held: waiting.length };
    const answer = decideByPriced(spec, memory, pricedObservation(epochMs + 1000 * second, seen, flow));
    memory = answer.memory;
    const wanted = answer.decision.replicas;
    revisitAtMs = (answer.decision.revisitAtMs ?? Number.POSITIVE_INFINITY) - epochMs;
    if (wanted !== replicas.length) driven.changes.push([second, wanted]);
    while (replicas.length < wanted) replicas.push({ readyAt: second + coldStartSeconds });
    if (replicas.length > wanted) replicas = replicas.slice(0, wanted);
  }
  if (memory) driven.memory = memory;
  return driven;
}

/** Midnight (UTC) of a Thursday. */
export const epochMs = 1_767_225_600_000;
