import type { Cause, ClassObservation, Driver, Observation } from '@ebb/core';
import type { ScalingSpec, SloLlmTrigger, SloPolicyTrigger } from '@ebb/documents';
import type { DemandSignal } from './demand.ts';
import { isHeard, type GatewayLink } from './gatewayLink.ts';
import { learnedMs } from './learnedColdStart.ts';
import { kedaObservation } from './kedaObservation.ts';
import { causeOrder, type WorkloadState } from './workloadState.ts';

/** What `decide` is told now. Consumes the readings that are new since the last observation. */
export function observe(
  state: WorkloadState,
  gateways: Iterable<GatewayLink>,
  causes: ReadonlySet<Cause>,
  nowMs: number,
  found: Driver['found'],
): Observation {
  const links = [...gateways];
  state.observedAtMs = nowMs;
  state.observedHeld = state.demand.held();
  state.readingDueMs = null;
  const classNames = state.spec.classes.map((one) => one.name);
  const lastActiveAtMs = state.demand.lastActiveAtMs(nowMs);
  if (lastActiveAtMs !== null) state.lastActiveAtMs = Math.max(state.lastActiveAtMs ?? 0, lastActiveAtMs);
  const keda = kedaObservation(state, found);
  const flow = observeFlow(state, nowMs);
  state.metrics?.follow();
  return {
    nowMs,
    causes: causeOrder.filter((cause) => causes.has(cause)),
    readings: [
      ...state.demand.readings(state.scaledBy ? [] : measuredSignals(state.spec.scaling), classNames, nowMs),
      ...state.schedules.readings.splice(0),
      ...(state.metrics?.takeReadings() ?? []),
    ],
    classes: Object.fromEntries(classNames.map((name) => [name, observeClass(state, name)])),
    lastActiveAtMs: state.lastActiveAtMs,
    countsKnown: links.length > 0 && links.every((link) => isHeard(link, nowMs)),
    ...(keda ? { keda } : {}),
    ...(flow ? { flow } : {}),
  };
}

/** Policies of other origins have no triggers in the document: they read both signals by the names of their kinds. */
const bothSignals: readonly DemandSignal[] = [
  { name: 'concurrency', type: 'concurrency' },
  { name: 'requestRate', type: 'requestRate' },
];

function measuredSignals({ policy, triggers }: ScalingSpec): readonly DemandSignal[] {
  if (!policy || policy.type === 'windows') return triggers;

  return policy.type === 'slo' ? [...bothSignals, ...policy.triggers.filter(isFromGateway)] : bothSignals;
}

/** The others are read from the replicas. */
function isFromGateway(trigger: SloPolicyTrigger): trigger is Exclude<SloPolicyTrigger, SloLlmTrigger> {
  return trigger.type === 'responseTime' || trigger.type === 'queueWait' || trigger.type === 'throughput';
}

/** Only what is decided by prices is decided from it. */
function observeFlow(state: WorkloadState, nowMs: number): Observation['flow'] | null {
  if (state.decisionSpec.policy === 'priced') {
    const names = state.spec.classes.map(({ name }) => name);
    return state.demand.flow(new Map(names.map((name) => [name, learnedMs(state.coldStarts.learned[name])])), nowMs);
  }
  state.demand.dropFlow();
  return null;
}

function observeClass(state: WorkloadState, className: string): ClassObservation {
  const observed: ClassObservation = { ready: 0, starting: 0, draining: 0, failed: 0, ...state.demand.of(className) };
  for (const replica of state.replicas.values()) {
    if (replica.class !== className) continue;
    switch (replica.phase) {
      case 'ready':
        observed.ready++;
        break;
      case 'pending':
      case 'starting':
        if (replica.isOverdue) observed.failed++;
        else observed.starting++;
        break;
      case 'draining':
      case 'stopping':
        observed.draining++;
        break;
      case 'backoff':
      case 'failed':
        observed.failed++;
        break;
      case 'gone':
        break;
    }
  }
  return observed;
}
