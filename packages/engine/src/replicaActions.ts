import type { ReplicaStart } from '@ebb/core';
import type { WorkloadSpec } from '@ebb/documents';
import { type EngineContext, isStaleEpoch, recordAction, recordOutcome } from './context.ts';
import type { DrainCause } from './plan.ts';
import { newPlace, nowhere, waitsForNode } from './nodes/replicaPlace.ts';
import { exists, newReplica, nextPhase, type Replica } from './replicaSet.ts';
import type { WorkloadState } from './workloadState.ts';

/** What the driver is asked for; null when the class is no longer in the document. */
export function replicaStart(spec: WorkloadSpec, replica: Replica): ReplicaStart | null {
  const found = spec.classes.find((one) => one.name === replica.class);
  if (!found) return null;
  return {
    id: replica.id,
    workload: spec.key,
    class: replica.class,
    revision: replica.revision,
    node: replica.node,
    command: found.command,
    env: found.env,
    envFromHost: found.envFromHost,
    workingDirectory: found.workingDirectory,
    port: found.port,
    resources: replica.place ? withoutGpus(found.resources) : found.resources,
    probes: spec.probes,
    terminationGraceMs: found.terminationGraceMs,
  };
}

/** On a node that is only reckoned with, the process runs on this machine, which has other GPUs or none. */
function withoutGpus({ requests, limits }: ReplicaStart['resources']): ReplicaStart['resources'] {
  const { cpuMilli, memoryBytes } = requests;
  const { gpuMilli: _milli, gpuMemoryBytes: _memory, gpuMig: _mig, ...kept } = limits;
  return { requests: { cpuMilli, memoryBytes, gpuMilli: 0 }, limits: kept };
}

/**
 * Chooses an id, opens the ledger row and asks the driver; returns without waiting for it. One that needs a node of its own waits for
 * that first.
 */
export function startReplica(context: EngineContext, state: WorkloadState, className: string): void {
  const { clock } = context.ports;
  const revision = state.revisions.get(className) ?? '';
  const serving = [...state.replicas.values()].some((one) => one.class === className && one.phase === 'ready');
  const replica = newReplica({
    id: newReplicaId(context, state, revision),
    class: className,
    revision,
    node: '',
    createdAtMs: clock.nowMs(),
    askedAtUs: clock.nowUs(),
    heldAtUs: serving ? null : (state.wokenAtUs.get(className) ?? null),
  });
  if (replica.heldAtUs !== null && replica.askedAtUs !== null) {
    replica.coldStart.arrivalToAskUs = Math.max(0, replica.askedAtUs - replica.heldAtUs);
  }
  forgetFailed(context, state, className);
  state.replicas.set(replica.id, replica);
  context.owners.set(replica.id, state);
  const cluster = context.fleets.firstFor(state);
  if (cluster === null) startHere(context, state, replica);
  else waitForNode(context, replica, cluster);
  recordAction(context, state, 'start', { replica: replica.id, class: className });
}

/** The replica runs where the engine is. */
export function startHere(context: EngineContext, state: WorkloadState, replica: Replica): void {
  replica.place = null;
  replica.node = context.options.node;
  askDriver(context, state, replica);
  openLedgerRow(context, state, replica, context.ports.clock.nowMs());
}

/** The replica asks for a place in a cluster whose machines are rented. */
export function waitForNode(context: EngineContext, replica: Replica, cluster: string): void {
  const before = replica.place;
  replica.node = '';
  replica.place = newPlace(cluster, before?.sinceUs ?? context.ports.clock.nowUs());
  const problem = context.fleets.problemOf(cluster);
  replica.message = messageOfPlace(replica) + (problem === null ? '' : `: ${problem}`);
  context.fleets.touched(replica);
}

/** Why a replica that needs a node has not started. */
export function messageOfPlace({ place, node }: Replica): string {
  if (!place) return '';
  if (place.bound) return `waits until node ${node} is ready`;
  return place.cluster === nowhere ? 'waits for a place' : `waits for a node of cluster ${place.cluster}`;
}

/** `ensure` may be asked again at any time: the id makes it one replica. */
export function askDriver(context: EngineContext, state: WorkloadState, replica: Replica): void {
  if (waitsForNode(replica)) return;
  const start = replicaStart(state.spec, replica);
  if (!start || replica.revision !== state.revisions.get(replica.class)) {
    // Its template is gone before the driver ever had it.
    stopReplica(context, state, replica, 'template changed before it was started');
    return;
  }
  replica.refusedAtMs = null;
  context.ports.driver.ensure(start).then(
    () => {
      if (replica.phase !== 'pending' || context.stopped) return;
      replica.phase = nextPhase(replica.phase, 'accepted');
      context.feed.changed(state.key, true);
    },
    (error: unknown) => {
      if (isStaleEpoch(error)) return context.deposed();
      // While the agent is away it stays pending and is asked for again with the next snapshot.
      if (replica.phase !== 'pending' || context.stopped) return;
      replica.message = `not started yet: ${messageOf(error)}`;
      replica.refusedAtMs = context.ports.clock.nowMs();
      context.touch(state, 'replica');
      context.ports.log('warn', 'driver did not take a replica', { replica: replica.id, error: messageOf(error) });
    },
  );
}

/** Ends a replica now: nothing is left in flight on it, or its time is over. */
export function stopReplica(context: EngineContext, state: WorkloadState, replica: Replica, message: string): void {
  if (waitsForNode(replica) && replica.seen === null) {
    // The driver has never heard of it.
    replica.phase = 'gone';
    recordAction(context, state, 'stop', { replica: replica.id, message });
    forgetReplica(context, state, replica);
    return;
  }
  replica.phase = nextPhase(replica.phase, 'stop');
  replica.message = message;
  recordAction(context, state, 'stop', { replica: replica.id, message });
  tellDriverToStop(context, state, replica);
  context.fleets.touched(replica);
  context.feed.changed(state.key, true);
}

/** May be told again at any time. */
export function tellDriverToStop(context: EngineContext, state: WorkloadState, replica: Replica): void {
  replica.refusedAtMs = null;
  context.ports.driver.stop(replica.id).catch((error: unknown) => {
    if (context.stopped) return;
    if (isStaleEpoch(error)) return context.deposed();
    context.ports.log('warn', 'driver did not take a stop', { replica: replica.id, error: messageOf(error) });
    replica.refusedAtMs = context.ports.clock.nowMs();
    context.touch(state, 'replica');
  });
}

/** Takes a replica out of service: one that may have work is drained first, any other is stopped. */
export function drainReplica(context: EngineContext, state: WorkloadState, replica: Replica, cause: DrainCause): void {
  if (replica.phase !== 'ready' && !(replica.phase === 'starting' && replica.routed)) {
    stopReplica(context, state, replica, causeText[cause]);
    return;
  }
  replica.phase = nextPhase(replica.phase, 'drain');
  replica.drainSinceMs = context.ports.clock.nowMs();
  // The machine's clock goes on where an earlier control plane's numbers have ended.
  replica.drain = Math.max(replica.drain + 1, context.ports.clock.nowUs());
  replica.drained = false;
  replica.drainedUnnumbered = false;
  replica.message = `draining: ${causeText[cause]}`;
  recordAction(context, state, 'drain', { replica: replica.id, cause });
  context.fleets.touched(replica);
  if (!replica.routed) stopReplica(context, state, replica, causeText[cause]);
  else context.feed.changed(state.key, true);
}

/** Demand returned before a draining replica was stopped: it serves again, and no cold start is needed. */
export function takeBack(context: EngineContext, state: WorkloadState, replica: Replica): void {
  replica.phase = nextPhase(replica.phase, 'take-back');
  replica.drainSinceMs = null;
  replica.drained = false;
  replica.message = 'taken back while draining: demand returned before it was stopped';
  recordAction(context, state, 'take-back', { replica: replica.id });
  context.fleets.touched(replica);
  context.feed.changed(state.key, true);
}

/** The driver has it no more. */
export function forgetReplica(context: EngineContext, state: WorkloadState, replica: Replica): void {
  context.ledger.close(state.key, replica.id, context.ports.clock.nowMs());
  state.replicas.delete(replica.id);
  context.owners.delete(replica.id);
  context.noteUse(state);
  context.fleets.forget(replica);
  recordOutcome(context, state, replica, 'gone');
  context.feed.changed(state.key, true);
}

/** Failed replicas are shown until the next attempt. */
export function forgetFailed(context: EngineContext, state: WorkloadState, className: string | null): void {
  for (const replica of [...state.replicas.values()]) {
    if (className !== null && replica.class !== className) continue;
    if (replica.phase === 'failed' && !exists(replica)) {
      state.replicas.delete(replica.id);
      context.owners.delete(replica.id);
    }
  }
}

export function openLedgerRow(context: EngineContext, state: WorkloadState, replica: Replica, fromMs: number): void {
  const priced = state.spec.classes.find((one) => one.name === replica.class) ?? state.spec.classes[0];
  context.ledger.open({
    replica: replica.id,
    workload: state.key,
    class: replica.class,
    node: replica.node,
    fromMs,
    pricePerHourMicro: priced?.pricePerHourMicro ?? 0,
    currency: priced?.currency ?? 'USD',
    ...context.fleets.priceOf(replica, priced?.resources.requests),
  });
  context.noteUse(state);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const causeText: Record<DrainCause, string> = {
  'scale-down': 'fewer replicas are wanted',
  unready: 'it is unready for too long and another replica takes its place',
  update: 'replaced by a newer template',
  'class-removed': 'its class is no longer in the document',
  'workload-removed': 'the workload was deleted',
  shutdown: 'everything is being ended',
  node: 'its node goes',
};

/** `NAME-REVISION5-SUFFIX`, unlike any that is there. */
function newReplicaId(context: EngineContext, state: WorkloadState, revision: string): string {
  for (;;) {
    const id = `${state.objectKey.name}-${revision.slice(0, 5)}-${context.ports.newSuffix()}`;
    if (!context.owners.has(id)) return id;
  }
}
