import type { DriverEvent, ReplicaObservation } from '@ebb/core';
import { keyText } from '@ebb/documents';
import { afterFailure, startAttempts } from './activation.ts';
import { type EngineContext, recordOutcome } from './context.ts';
import { touchDependents } from './dependents.ts';
import { learnFrom } from './learnedColdStart.ts';
import { forgiveProven } from './reconcile.ts';
import { takePodUsage } from './podUsage.ts';
import { askDriver, forgetReplica, messageOf, openLedgerRow, tellDriverToStop } from './replicaActions.ts';
import { exists, isHeldOnTo, newReplica, nextPhase, type Replica, noteUsage } from './replicaSet.ts';
import { noteReadiness } from './unready.ts';
import type { WorkloadState } from './workloadState.ts';

export function onDriverEvent(context: EngineContext, event: DriverEvent): void {
  switch (event.type) {
    case 'replica':
      onReplica(context, event.replica);
      break;
    case 'snapshot':
      onSnapshot(context, event.replicas);
      context.runs.listed(event.runs ?? []);
      break;
    case 'run':
      context.runs.observed(event.run);
      break;
    case 'usage':
      for (const sample of event.samples) {
        const replica = context.owners.get(sample.id)?.replicas.get(sample.id);
        if (replica) noteUsage(replica, sample);
      }
      context.measured(event.samples);
      break;
    case 'pod-usage':
      takePodUsage(context, event.usage);
      break;
    case 'disconnected':
      context.driverConnected = false;
      context.ports.log('warn', 'agent is away: replicas live on, none can be started', { message: event.message });
      context.journal.record('event', null, { type: 'driver-disconnected', message: event.message });
      for (const state of context.workloads.values()) context.feed.changed(state.key, false);
      break;
  }
}

/** The full list after a (re)connection: what is not in it does not exist. The first one adopts what runs. */
export function onSnapshot(context: EngineContext, list: readonly ReplicaObservation[]): void {
  const first = !context.adopted;
  context.adopted = true;
  context.driverConnected = true;
  context.journal.record('event', null, { type: first ? 'adoption' : 'driver-connected', replicas: list.length });
  const listed = new Set(list.map((seen) => seen.id));
  for (const seen of list) onReplica(context, seen);
  for (const state of context.workloads.values()) {
    for (const replica of [...state.replicas.values()]) {
      if (!exists(replica)) continue;
      if (listed.has(replica.id)) {
        if (replica.phase === 'stopping' || replica.phase === 'failed') tellDriverToStop(context, state, replica);
      } else if (replica.phase === 'pending') {
        askDriver(context, state, replica);
      } else {
        replica.message = 'not there any more when the agent came back';
        end(context, state, replica);
      }
    }
    context.touch(state, first ? 'restart' : 'replica');
  }
  context.fleets.adopted();
}

function onReplica(context: EngineContext, seen: ReplicaObservation): void {
  // Before the first list nothing can be told apart; it will say the same.
  if (!context.adopted) return;
  const owner = context.owners.get(seen.id);
  const known = owner?.replicas.get(seen.id);
  if (owner && known) update(context, owner, known, seen);
  else if (seen.phase !== 'gone') adopt(context, seen);
}

/** A replica that the engine has not started: an earlier control plane has. */
function adopt(context: EngineContext, seen: ReplicaObservation): void {
  const state = context.workloads.get(keyText(seen.workload));
  if (!state) {
    if (seen.phase === 'stopping') return;
    context.ports.log('warn', 'stopping a replica that belongs to no workload', { replica: seen.id });
    context.journal.record('action', keyText(seen.workload), { type: 'stop-orphan', replica: seen.id });
    context.ports.driver.stop(seen.id).catch((error: unknown) => {
      // It is in the next snapshot again.
      context.ports.log('warn', 'driver did not take a stop', { replica: seen.id, error: messageOf(error) });
    });
    return;
  }
  const replica = newReplica({
    id: seen.id,
    class: seen.class,
    revision: seen.revision,
    node: seen.node,
    createdAtMs: seen.askedAtMs,
    askedAtUs: null,
    heldAtUs: null,
  });
  // Of one that nobody can reach no gateway would ever say that it has nothing left.
  replica.routed = seen.endpoint !== null && (seen.phase === 'ready' || seen.phase === 'unready');
  context.fleets.adopt(replica, context.ports.clock.nowUs());
  state.replicas.set(replica.id, replica);
  context.owners.set(replica.id, state);
  openLedgerRow(context, state, replica, seen.askedAtMs);
  update(context, state, replica, seen);
  if (replica.phase === 'ready') replica.readySinceMs = seen.readyAtMs ?? replica.readySinceMs;
  // Nobody saw it being routed to, but its own start is better than no word of what a start takes.
  const isSeen = Object.values(seen.stagesUs).some((us) => us !== null);
  if (isSeen && replica.phase === 'ready' && !state.coldStarts.learned[replica.class]) learnFrom(state, replica);
  recordOutcome(context, state, replica, 'adopted');
}

function update(context: EngineContext, state: WorkloadState, replica: Replica, seen: ReplicaObservation): void {
  const before = replica.phase;
  replica.seen = seen;
  if (replica.phase !== 'failed') {
    replica.phase = nextPhase(before, seen.phase);
    if (seen.message && before !== 'draining' && before !== 'stopping') replica.message = seen.message;
  }
  noteReadiness(replica, context.ports.clock.nowMs());
  if (seen.phase === 'gone') {
    endedByItself(context, state, replica, before, seen);
    end(context, state, replica);
    context.touch(state, 'replica');
    return;
  }
  noteStages(replica, seen);
  const changed = replica.phase !== before;
  if (changed) context.fleets.touched(replica);
  if (replica.phase === 'ready' && before !== 'ready') becameReady(context, state, replica);
  else if (seen.phase === 'backoff' || seen.phase === 'failed') endedByItself(context, state, replica, before, seen);
  if (before === 'ready' && replica.phase !== 'ready') {
    replica.readySinceMs = seen.phase === 'unready' ? replica.readySinceMs : null;
    touchDependents(context, state);
  }
  if (changed) recordOutcome(context, state, replica, 'phase');
  if (changed) context.touch(state, 'replica');
  context.feed.changed(state.key, changed);
}

function becameReady(context: EngineContext, state: WorkloadState, replica: Replica): void {
  const { clock } = context.ports;
  replica.readySinceMs = clock.nowMs();
  replica.readyAtUs = readyMomentUs(replica) ?? clock.nowUs();
  replica.message = '';
  state.wokenAtUs.delete(replica.class);
  touchDependents(context, state);
}

/** On the machine-wide clock, from when the driver was asked and how long the stages took: the way to us included. */
function readyMomentUs(replica: Replica): number | null {
  const { seen, askedAtUs } = replica;
  if (!seen || askedAtUs === null || seen.restarts > 0) return null;
  const { askToSpawn, spawnToListen, listenToReady } = seen.stagesUs;
  if (askToSpawn === null || spawnToListen === null || listenToReady === null) return null;
  return askedAtUs + askToSpawn + spawnToListen + listenToReady;
}

function noteStages(replica: Replica, seen: ReplicaObservation): void {
  replica.coldStart.askToSpawnUs = seen.stagesUs.askToSpawn;
  replica.coldStart.spawnToListenUs = seen.stagesUs.spawnToListen;
  replica.coldStart.listenToReadyUs = seen.stagesUs.listenToReady;
}

/**
 * The process ended though nobody asked it to. One that had served is replaced by another at once; one that never got
 * ready is left to the driver's restarts in place until it has had its attempts.
 */
function endedByItself(
  context: EngineContext,
  state: WorkloadState,
  replica: Replica,
  before: Replica['phase'],
  seen: ReplicaObservation,
): void {
  if (before === 'stopping' || before === 'failed' || before === 'gone') return;
  const everReady = replica.readySinceMs !== null;
  const wasDraining = before === 'draining';
  if (seen.phase === 'backoff' && !everReady && !wasDraining && seen.restarts < startAttempts) return;
  if (!wasDraining) {
    forgiveProven(context, state);
    const nowMs = context.ports.clock.nowMs();
    const failure = {
      code: seen.failure ?? 'crashed',
      message: seen.message || 'ended without a word',
      replica: replica.id,
      startedAtMs: replica.createdAtMs,
      readyForMs: replica.readySinceMs === null ? null : nowMs - replica.readySinceMs,
    };
    state.activation.set(replica.class, afterFailure(state.activation.get(replica.class) ?? null, failure, nowMs));
  }
  replica.phase = 'failed';
  replica.readySinceMs = null;
  context.ledger.close(state.key, replica.id, context.ports.clock.nowMs());
  context.noteUse(state);
  recordOutcome(context, state, replica, 'failed');
  if (seen.phase !== 'gone') tellDriverToStop(context, state, replica);
}

/** The driver has it no more. A failed one stays to be seen until another one is there. */
function end(context: EngineContext, state: WorkloadState, replica: Replica): void {
  const replaced = [...state.replicas.values()].some((one) => one.class === replica.class && isHeldOnTo(one));
  if (replica.phase === 'failed' && !replaced && !state.removed) {
    replica.ended = true;
    context.feed.changed(state.key, true);
    return;
  }
  replica.phase = 'gone';
  forgetReplica(context, state, replica);
}
