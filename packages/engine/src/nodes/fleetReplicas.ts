import type { FleetAction } from '@ebb/core';
import { type EngineContext, recordAction, recordOutcome } from '../context.ts';
import {
  askDriver,
  drainReplica,
  messageOfPlace,
  openLedgerRow,
  startHere,
  stopReplica,
  waitForNode,
} from '../replicaActions.ts';
import { exists, isHeldOnTo, type Replica } from '../replicaSet.ts';
import type { WorkloadState } from '../workloadState.ts';
import type { Fleet } from './fleet.ts';
import type { BoundPlace, ReplicaPlace } from './replicaPlace.ts';

/** What a decision says of replicas, before anything is asked of anyone. */
export function placeReplica(context: EngineContext, fleet: Fleet, action: FleetAction): void {
  switch (action.type) {
    case 'bind':
      bindReplica(context, fleet, action.pod, { node: action.node, place: action.place });
      break;
    case 'unbind':
      unbindReplica(context, action.pod, action.node);
      break;
    case 'drain':
      leaveNode(context, action.node, action.order);
      break;
    case 'keep':
      stayOnNode(context, action.node);
      break;
    default:
      break;
  }
}

/** A replica gets its place; it starts when the node is ready. */
function bindReplica(context: EngineContext, fleet: Fleet, id: string, bound: BoundPlace): void {
  const found = placed(context, id);
  if (!found || found.place.cluster !== fleet.name) return;
  const { state, replica, place } = found;
  place.bound = bound;
  replica.node = bound.node;
  if (replica.phase === 'pending') replica.message = messageOfPlace(replica);
  recordAction(context, state, 'bind', { replica: id, node: bound.node });
  context.feed.changed(state.key, true);
}

/** Its node is given up: one that was not started waits for another, one that ran there is over. */
function unbindReplica(context: EngineContext, id: string, node: string): void {
  const found = placed(context, id);
  if (!found || found.place.bound?.node !== node) return;
  const { state, replica, place } = found;
  const wasThere = place.isNodeReady;
  place.bound = null;
  recordOutcome(context, state, replica, 'node-lost');
  if (wasThere) {
    stopReplica(context, state, replica, `its node ${node} is gone`);
  } else if (isHeldOnTo(replica)) {
    replica.node = '';
    place.isNodeGoing = false;
    replica.message = messageOfPlace(replica);
  }
  context.touch(state, 'replica');
}

/** Nothing new comes to the node, and what is there is replaced elsewhere, or at once where there is no room for both. */
function leaveNode(context: EngineContext, node: string, order: 'ready-first' | 'drain-first'): void {
  for (const { state, replica, place } of onNode(context, node)) {
    if (!isHeldOnTo(replica)) continue;
    place.isNodeGoing = true;
    if (order === 'drain-first') drainReplica(context, state, replica, 'node');
    context.touch(state, 'replica');
  }
}

/** The node stays after all; what still runs there stays with it. */
function stayOnNode(context: EngineContext, node: string): void {
  for (const { state, place } of onNode(context, node)) {
    if (!place.isNodeGoing) continue;
    place.isNodeGoing = false;
    context.touch(state, 'replica');
  }
}

/** The node's time is over. */
export function evictReplica(context: EngineContext, id: string, node: string): void {
  const found = placed(context, id);
  if (!found || found.place.bound?.node !== node || found.replica.phase === 'stopping') return;
  found.place.isNodeGoing = true;
  stopReplica(context, found.state, found.replica, `the time of its node ${node} is over`);
  context.touch(found.state, 'replica');
}

/** Starts the replicas whose node has become ready. */
export function askPlaced(context: EngineContext, fleet: Fleet): void {
  const ready = new Set(fleet.memory?.nodes.filter(({ phase }) => phase === 'ready').map(({ id }) => id));
  for (const replica of fleet.replicas()) {
    const { place } = replica;
    if (!place?.bound || place.isNodeReady || !ready.has(place.bound.node) || !isHeldOnTo(replica)) continue;
    const state = context.owners.get(replica.id);
    if (!state) continue;
    place.isNodeReady = true;
    replica.askedAtUs = context.ports.clock.nowUs();
    replica.coldStart.askToNodeUs = Math.max(0, replica.askedAtUs - place.sinceUs);
    askDriver(context, state, replica);
    openLedgerRow(context, state, replica, context.ports.clock.nowMs());
  }
}

function placed(
  context: EngineContext,
  id: string,
): { state: WorkloadState; replica: Replica; place: ReplicaPlace } | null {
  const state = context.owners.get(id);
  const replica = state?.replicas.get(id);
  return state && replica?.place && exists(replica) ? { state, replica, place: replica.place } : null;
}

function* onNode(context: EngineContext, node: string) {
  for (const state of context.workloads.values()) {
    for (const replica of state.replicas.values()) {
      const { place } = replica;
      if (place?.bound?.node === node && exists(replica)) yield { state, replica, place };
    }
  }
}

/** Where else a replica may run: another cluster, null for here; undefined: nowhere. */
export type Elsewhere = (state: WorkloadState, replica: Replica) => string | null | undefined;

/** Replicas that have no place in this cluster go where else their workload may run. */
export function sendElsewhere(
  context: EngineContext,
  fleet: Fleet,
  ids: readonly string[],
  { why, elsewhere }: { why: string; elsewhere: Elsewhere },
): void {
  for (const id of ids) {
    const state = context.owners.get(id);
    const replica = state?.replicas.get(id);
    const next = state && replica ? elsewhere(state, replica) : undefined;
    if (!state || !replica) continue;
    if (next === undefined) {
      replica.message = `${messageOfPlace(replica)}: ${why}`;
      context.feed.changed(state.key, true);
      continue;
    }
    recordAction(context, state, 'elsewhere', { replica: id, from: fleet.name, to: next });
    if (next === null) startHere(context, state, replica);
    else waitForNode(context, replica, next);
  }
}
