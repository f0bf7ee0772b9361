import { allocate, type Cause, chooseVictims, decide, type Decision, type Grant } from '@ebb/core';
import { allocationRequests } from './allocation.ts';
import { mayStart, provenAfterMs } from './activation.ts';
import { askAgainMs } from './askAgain.ts';
import { expectedColdStartMs } from './coldStarts.ts';
import { conditionsOf } from './conditions.ts';
import { type EngineContext, recordAction } from './context.ts';
import { statusOfDecision } from './decisionStatus.ts';
import { touchDependents } from './dependents.ts';
import { gatewayWorkload } from './gatewayWorkload.ts';
import { observe } from './observation.ts';
import { type DrainCause, planReplicas } from './plan.ts';
import { askDriver, drainReplica, startReplica, stopReplica, takeBack, tellDriverToStop } from './replicaActions.ts';
import { exists, isHeldOnTo, type Replica } from './replicaSet.ts';
import { markOverdue } from './unready.ts';
import { unavailableReason } from './unavailable.ts';
import { readingsAreThere } from './scaling.ts';
import { scheduleWakeUp } from './wakeUp.ts';
import type { WorkloadState } from './workloadState.ts';

/**
 * One round: decide for each touched workload, share what is scarce among all, then bring replicas, gateway and timers
 * to what was granted. Everything here happens in one turn; nothing waits for journal, store or driver.
 */
export function reconcile(context: EngineContext, touched: ReadonlyMap<WorkloadState, ReadonlySet<Cause>>): void {
  const affected = new Set<WorkloadState>();
  const anew: WorkloadState[] = [];
  for (const [state, causes] of touched) {
    affected.add(state);
    if (state.removed || context.quiescing) continue;
    alone(context, state, () => {
      markOverdue(context, state);
      if (decideFor(context, state, causes)) anew.push(state);
    });
  }
  for (const state of grantAll(context, affected)) affected.add(state);
  for (const state of anew) {
    const decision = statusOfDecision(state);
    if (decision) context.feed.send({ type: 'decision', at: decision.at, workload: state.key, decision });
  }
  for (const state of affected) alone(context, state, () => act(context, state));
}

/** What breaks for one workload is not the others' affair. */
function alone(context: EngineContext, state: WorkloadState, step: () => void): void {
  try {
    step();
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    context.ports.log('error', 'a workload could not be reconciled', { workload: state.key, error: what });
  }
}

/** Whether the decision says something else than the one before. */
function decideFor(context: EngineContext, state: WorkloadState, causes: ReadonlySet<Cause>): boolean {
  const nowMs = context.ports.clock.nowMs();
  const { driver } = context.ports;
  if (!readingsAreThere(state, nowMs, driver.measuresPods === true)) return false;
  context.journal.prepare();
  const observation = observe(state, context.gateways.values(), causes, nowMs, driver.found);
  state.classHint.note(state.spec, observation.flow, nowMs);
  const { decision, memory } = decide(state.decisionSpec, state.memory, observation);
  state.memory = memory;
  state.decision = decision;
  state.observedGeneration = state.stored.generation;
  context.unsaved(state);
  context.feed.changed(state.key, false);
  const sequence = context.journal.decided(state.key, observation, decision);
  if (sequence !== null) {
    state.decisionSequence = sequence;
    state.decidedAtMs = nowMs;
  }
  tell(state, decision);
  return sequence !== null;
}

/** Policies with a grid of their own that were asked in between say only when they look next. */
const betweenCodes = ['hpa-between-syncs', 'keda-between-polls', 'between-turns'];

function tell(state: WorkloadState, decision: Decision): void {
  const { told, decidedAtMs: atMs, decisionSequence: sequence } = state;
  const isBetween = decision.reasons.some(({ code }) => betweenCodes.includes(code));
  const isSame = told !== null && JSON.stringify(told.decision.classes) === JSON.stringify(decision.classes);
  if (told && isBetween && isSame) return;
  const codes = (one: Decision) => one.reasons.map(({ code }) => code).join(' ');
  const goesOn = told !== null && isSame && codes(told.decision) === codes(decision);
  state.told = goesOn ? { ...told, decision } : { decision, atMs, sequence };
}

/** Returns the workloads whose grant is another one than before. */
function grantAll(context: EngineContext, touched: ReadonlySet<WorkloadState>): WorkloadState[] {
  const limits = context.money.limits();
  const { requests, states } = allocationRequests(context, touched, limits);
  const { grants, memory } = allocate(requests, limits, context.allocationMemory);
  context.allocationMemory = memory;
  const changed: WorkloadState[] = [];
  for (const grant of grants) {
    const state = states.get(grant.workload);
    if (!state) continue;
    const given = state.neededBy === null ? grant : withDependentReason(grant, state.neededBy);
    const isNew = shapeOf(state.grant) !== shapeOf(given);
    state.grant = given;
    if (!isNew) continue;
    changed.push(state);
    context.journal.record('grant', state.key, { grant: given, because: state.decisionSequence });
  }
  return changed;
}

function shapeOf(grant: Grant | null): string {
  return JSON.stringify([grant?.classes, grant?.reasons.map((reason) => reason.code)]);
}

function withDependentReason(grant: Grant, dependent: string): Grant {
  return { ...grant, reasons: [...grant.reasons, { code: 'needed-by', stage: 'grant', data: { dependent } }] };
}

/** Brings replicas, gateway and timers of one workload to its grant. */
function act(context: EngineContext, state: WorkloadState): void {
  if (!context.adopted || context.stopped) return;
  forgiveProven(context, state);
  scale(context, state);
  const nowMs = context.ports.clock.nowMs();
  for (const replica of state.replicas.values()) {
    if (replica.phase === 'draining') endDrain(context, state, replica);
    const { refusedAtMs } = replica;
    if (refusedAtMs === null || nowMs < refusedAtMs + askAgainMs || !context.driverConnected) continue;
    if (replica.phase === 'pending') askDriver(context, state, replica);
    else if (!replica.ended) tellDriverToStop(context, state, replica);
  }
  tellNumber(context, state);
  refuseOrServe(context, state);
  configureGateway(context, state);
  conditionsOf(context, state);
  scheduleWakeUp(context, state);
  if (state.removed && ![...state.replicas.values()].some(exists)) {
    context.alarms.set(state, null);
    context.hasLeft(state);
  }
}

function scale(context: EngineContext, state: WorkloadState): void {
  const nowMs = context.ports.clock.nowMs();
  const replicas = [...state.replicas.values()];
  const ending: DrainCause | undefined = state.removed
    ? 'workload-removed'
    : context.quiescing
      ? 'shutdown'
      : undefined;
  if (!ending && !state.grant) return;
  const plan = planReplicas({
    desired: ending ? {} : (state.grant?.classes ?? {}),
    revisions: state.revisions,
    update: state.spec.update,
    replicas,
    mayStart: (className) => context.driverConnected && mayStart(state.activation.get(className) ?? null, nowMs),
    victims: (candidates, count) => victimIds(state, candidates, count),
    ...(ending ? { cause: ending } : {}),
  });
  for (const id of plan.takeBack) withReplica(state, id, (replica) => takeBack(context, state, replica));
  for (const { id, cause } of plan.drains) {
    withReplica(state, id, (replica) => drainReplica(context, state, replica, cause));
  }
  for (const { class: className, count } of plan.starts) {
    for (let started = 0; started < count; started++) startReplica(context, state, className);
    context.feed.changed(state.key, true);
  }
}

/** Where others replace what ends, as in a cluster, the driver is to know how many are meant, and not only which. */
function tellNumber({ ports, quiescing }: EngineContext, state: WorkloadState): void {
  if (!ports.driver.planned || quiescing || (!state.removed && !state.grant)) return;
  const replicas = [...state.replicas.values()];
  const desired = state.removed ? 0 : Object.values(state.grant?.classes ?? {}).reduce((sum, count) => sum + count, 0);
  const draining = replicas.filter(({ phase }) => phase === 'draining').length;
  ports.driver.planned(state.spec.key, Math.max(desired, replicas.filter(isHeldOnTo).length) + draining);
}

function withReplica(state: WorkloadState, id: string, action: (replica: Replica) => void): void {
  const replica = state.replicas.get(id);
  if (replica) action(replica);
}

function victimIds(state: WorkloadState, replicas: readonly Replica[], count: number): string[] {
  const candidates = replicas.map((replica) => ({
    id: replica.id,
    starting: replica.phase !== 'ready',
    inFlight: state.demand.inFlightOn(replica.id),
    deferred: state.demand.deferredOn(replica.id),
    outdated: replica.revision !== state.revisions.get(replica.class),
    createdAtMs: replica.createdAtMs,
  }));
  return chooseVictims(candidates, count).map((candidate) => candidate.id);
}

/** A draining replica is stopped when nothing is in flight on it, or when its time is over. */
function endDrain(context: EngineContext, state: WorkloadState, replica: Replica): void {
  const waitedMs = context.ports.clock.nowMs() - (replica.drainSinceMs ?? 0);
  if (replica.drained) stopReplica(context, state, replica, 'drained');
  else if (waitedMs >= state.spec.serving.drainMs) {
    stopReplica(context, state, replica, `drain time of ${state.spec.serving.drainMs} ms is over`);
  }
}

/** A replica that got ready after the last failure, and stayed so for a while, proves that starting its class works. */
export function forgiveProven(context: EngineContext, state: WorkloadState): void {
  if (state.activation.size === 0) return;
  const nowMs = context.ports.clock.nowMs();
  for (const replica of state.replicas.values()) {
    const failedAtMs = state.activation.get(replica.class)?.atMs;
    const { readySinceMs } = replica;
    if (failedAtMs === undefined || readySinceMs === null || !isHeldOnTo(replica)) continue;
    if (readySinceMs > failedAtMs && nowMs - readySinceMs >= provenAfterMs) state.activation.delete(replica.class);
  }
}

function refuseOrServe(context: EngineContext, state: WorkloadState): void {
  const before = state.unavailable;
  const unavailable = state.removed ? null : unavailableReason(context, state);
  state.unavailable = unavailable;
  if (JSON.stringify(before) === JSON.stringify(unavailable)) return;
  if (unavailable) recordAction(context, state, 'refuse', { ...unavailable });
  touchDependents(context, state);
}

/** Tells the gateway what changed, before anything that relies on it is done. */
export function configureGateway(context: EngineContext, state: WorkloadState): void {
  if (state.removedAtGateway) return;
  const workload = gatewayWorkload(state.key, state.spec, state.replicas.values(), state.unavailable);
  if (state.spec.serving.deferrable) workload.coldStartMs = expectedColdStartMs(state);
  // Where nobody can reach it there is no gateway that would say when it has nothing left.
  for (const replica of state.replicas.values()) {
    if (replica.phase === 'ready' && replica.seen?.endpoint) replica.routed = true;
  }
  const text = JSON.stringify([
    state.stored.resourceVersion,
    workload.unavailable,
    workload.endpoints,
    workload.serving.routes,
    workload.coldStartMs,
  ]);
  if (text !== state.configured) context.ports.gateway.configure(workload);
  state.configured = text;
  if (!state.removed) return;
  // First everything drains, so that the gateway still tells when a replica has nothing in flight; then what is held
  // is refused and nothing new is taken.
  context.ports.gateway.remove(state.key);
  state.removedAtGateway = true;
}
