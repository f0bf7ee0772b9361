import type { Reading } from '@ebb/core';
import { type RouteSpec, routeText, type WorkloadSpec } from '@ebb/documents';
import { withAppliedSizing } from './appliedSizing.ts';
import type { EngineContext } from './context.ts';
import { specEvent } from './journalSnapshot.ts';
import { cheapestClass, type KnownScaledObject, scaledDecisionSpec, scaledSpec } from './scaledObjects.ts';
import { MetricsFollower, metricsPolicyOf, type MetricsTarget } from './replicaMetrics/metricsFollower.ts';
import { readSchedules } from './schedules.ts';
import { TriggerReadings } from './triggerReadings.ts';
import { withUsableClasses } from './usableClasses.ts';
import { derivedFrom, revisionsOf, type WorkloadState } from './workloadState.ts';

/**
 * Has a workload decided by its own document or by the ScaledObject that names it, from now on. The journal gets what a
 * replay needs to go on from here.
 */
export function bindScaling(context: EngineContext, state: WorkloadState, own: WorkloadSpec): void {
  const { journal } = context;
  state.triggers?.close();
  state.triggers = null;
  state.metrics?.close();
  state.metrics = null;
  const { scaledObjects, httpRoutes } = context;
  state.scaledBy = state.removed ? null : (scaledObjects.scaling(state.key) ?? httpRoutes.scaling(state.key));
  const usable = withUsableClasses(context, state, own);
  state.leftOut = usable.leftOut;
  const routed = withRoutes(usable.spec, state.removed ? [] : httpRoutes.routesTo(own));
  const sized = withAppliedSizing(context, state, routed);
  // Amounts that are applied make no new revision.
  Object.assign(state, derivedFrom(sized), { revisions: revisionsOf(routed) });
  state.documentAmounts = new Map(routed.classes.map(({ name, resources }) => [name, resources]));
  if (state.scaledBy) openTriggers(context, state, state.scaledBy, sized);
  else if (!state.removed) followMetrics(context, state);
  // What was observed under the old spec is written before the new one.
  journal.forget(state.key);
  journal.prepare();
  journal.record('event', state.key, specEvent(state));
  readSchedules(context, state);
  context.touch(state, 'document');
}

/** Reads the replicas' own metrics from now on, where the policy goes by them. */
function followMetrics(context: EngineContext, state: WorkloadState): void {
  const asked = metricsPolicyOf(state.spec);
  if (!asked) return;
  const follower: MetricsFollower = new MetricsFollower({
    ...asked,
    ports: context.ports,
    targets: () => metricsTargets(state),
    onNews: () => {
      if (state.metrics === follower && !context.stopped) context.touch(state, 'reading');
    },
  });
  state.metrics = follower;
}

function metricsTargets(state: WorkloadState): MetricsTarget[] {
  return [...state.replicas.values()].flatMap(({ id, class: className, phase, seen }) => {
    const endpoint = phase === 'ready' ? seen?.endpoint : null;
    return endpoint ? [{ replica: id, class: className, ...endpoint }] : [];
  });
}

function withRoutes(own: WorkloadSpec, more: readonly RouteSpec[]): WorkloadSpec {
  if (more.length === 0) return own;
  const { routes } = own.serving;
  const known = new Set(routes.map(routeText));
  const added = more.filter((route) => !known.has(routeText(route)));
  return { ...own, serving: { ...own.serving, routes: [...routes, ...added] } };
}

function openTriggers(
  context: EngineContext,
  state: WorkloadState,
  { spec: object }: KnownScaledObject,
  own: WorkloadSpec,
): void {
  state.spec = scaledSpec(own, object);
  const cheapest = cheapestClass(own);
  const readings: TriggerReadings = new TriggerReadings({
    ports: context.ports,
    request: {
      kind: 'ScaledObject',
      key: object.key,
      triggers: object.triggers.map((trigger) => context.httpRoutes.triggerOf(trigger, object)),
      hasFormula: object.modifiers !== null,
      env: cheapest?.env ?? {},
      envFromHost: cheapest?.envFromHost ?? [],
    },
    watched: object.improvements,
    onNews: () => {
      if (state.triggers !== readings || context.stopped) return;
      followTargets(context, state);
      context.touch(state, 'reading');
    },
  });
  state.triggers = readings;
  state.decisionSpec = scaledDecisionSpec(own, object, readings.targets);
}

/** Where only a source knows what is aimed at, its first answer tells; a change of it is a change of the spec. */
function followTargets({ journal }: EngineContext, state: WorkloadState): void {
  const { decisionSpec, triggers } = state;
  if (decisionSpec.policy !== 'keda' || !triggers) return;
  const target = (reading: Reading | undefined) =>
    reading?.target !== undefined && reading.target > 0 ? reading.target : null;
  const changed = decisionSpec.triggers.filter((trigger) => {
    const told = target(triggers.latest.get(trigger.name));
    return told !== null && told !== trigger.target;
  });
  if (changed.length === 0) return;
  state.decisionSpec = {
    ...decisionSpec,
    triggers: decisionSpec.triggers.map((trigger) => ({
      ...trigger,
      target: target(triggers.latest.get(trigger.name)) ?? trigger.target,
    })),
  };
  journal.forget(state.key);
  journal.prepare();
  journal.record('event', state.key, specEvent(state));
}

/**
 * Whether the sources have said what the next decision rests on. Where they are polled, a decision that is due asks them
 * first; where they are followed, each must have been heard once.
 */
export function readingsAreThere(state: WorkloadState, nowMs: number, measuresPods: boolean): boolean {
  const { scaledBy, triggers, memory, decision, podUsage } = state;
  if (!scaledBy || !triggers) return true;
  // How many pods there are and what they use, or that it cannot be told: until then nothing is known to decide from.
  if (measuresPods && podUsage === null && triggers.hasResources) return false;
  if (scaledBy.spec.improvements) return triggers.isComplete;
  // Opened anew, as after a changed sign-in, they are asked at once.
  const isNew = triggers.readAtMs === null;
  const dueMs = memory?.policy === 'keda' && !isNew ? (decision?.revisitAtMs ?? 0) : 0;
  const isRead = () => triggers.readAtMs !== null && triggers.readAtMs >= dueMs;
  if (isRead() || (dueMs > 0 && nowMs < dueMs)) return true;
  triggers.ask();
  return isRead();
}

/** Workloads that a ScaledObject scaled or scales. */
export function scaledWorkloads(context: EngineContext, ...keys: (string | null)[]): WorkloadState[] {
  return keys.flatMap((key) => {
    const state = key === null ? undefined : context.workloads.get(key);
    return state && !state.removed ? [state] : [];
  });
}

/** Objects whose triggers sign in with what has changed are opened anew. */
export function usesAuthentication({ spec }: KnownScaledObject, namespace: string | null): boolean {
  const isNear = namespace === null || spec.key.namespace === namespace;
  return isNear && spec.triggers.some(({ authentication }) => authentication !== null);
}
