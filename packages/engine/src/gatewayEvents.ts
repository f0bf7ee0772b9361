import type { DispatchCounts, GatewayEvent } from '@ebb/core';
import { type EngineContext, recordOutcome } from './context.ts';
import { type GatewayLink, isHeard, newGatewayLink, silentAfterMs } from './gatewayLink.ts';
import { learnFrom } from './learnedColdStart.ts';
import { scheduleWakeUp } from './wakeUp.ts';
import { isServedOrStarting, type WorkloadState } from './workloadState.ts';

/**
 * Counts come up to twenty times a second. Requests that begin to wait are acted on at once; means that move are looked
 * at this often, which keeps the journal small and is far finer than any window.
 */
const readingGapMs = 1000;

export function onGatewayEvent(context: EngineContext, event: GatewayEvent): void {
  switch (event.type) {
    case 'connected':
      onConnected(context, linkOf(context, event.gateway), event.url, event.pid);
      break;
    case 'disconnected':
      onDisconnected(context, linkOf(context, event.gateway), event.message);
      break;
    case 'gone':
      onGone(context, event.gateway);
      break;
    case 'counts':
      onCounts(context, linkOf(context, event.gateway), event);
      break;
    case 'wake':
      onWake(context, linkOf(context, event.gateway), event);
      break;
    case 'drained':
      onDrained(context, event.replica, event.drain);
      break;
    case 'routed':
      onRouted(context, event.replica, event.atUs);
      break;
    case 'endpoint-failed':
      onEndpointFailed(context, event.replica, event.message);
      break;
  }
}

function linkOf(context: EngineContext, name: string): GatewayLink {
  let link = context.gateways.get(name);
  if (!link) {
    link = newGatewayLink(name);
    context.gateways.set(name, link);
  }
  return link;
}

function onConnected(context: EngineContext, link: GatewayLink, url: string, pid: number): void {
  if (link.pid !== null && link.pid !== pid) {
    for (const state of context.workloads.values()) state.demand.restarted(link.name);
  }
  link.connected = true;
  link.url = url;
  link.pid = pid;
  link.countsAtMs = null;
  context.journal.record('event', null, { type: 'gateway-connected', gateway: link.name, pid });
  touchAll(context);
}

function onDisconnected(context: EngineContext, link: GatewayLink, message: string): void {
  link.connected = false;
  context.journal.record('event', null, { type: 'gateway-disconnected', gateway: link.name, message });
  touchAll(context);
}

/** What it had counted stays counted; what it no longer says is no silence. */
function onGone(context: EngineContext, gateway: string): void {
  for (const state of context.workloads.values()) state.demand.gone(gateway);
  context.gateways.delete(gateway);
  context.journal.record('event', null, { type: 'gateway-gone', gateway });
  touchAll(context);
}

function onCounts(context: EngineContext, link: GatewayLink, event: Extract<GatewayEvent, { type: 'counts' }>): void {
  const nowMs = context.ports.clock.nowMs();
  const wasHeard = isHeard(link, nowMs);
  const restarted = event.atUs < link.countsAtUs;
  link.countsAtMs = nowMs;
  link.countsAtUs = event.atUs;
  if (restarted) for (const state of context.workloads.values()) state.demand.restarted(link.name);
  for (const counts of event.counts) {
    const state = context.workloads.get(counts.workload);
    if (!state) continue;
    const isNews = state.demand.receive(link, event.atUs, counts);
    context.noteUse(state);
    if (!isNews) continue;
    if (!state.demand.isBusy()) state.wokenAtUs.clear();
    confirmDrained(context, state, event.atUs, counts);
    context.feed.changed(state.key, false);
    lookAtReading(context, state, nowMs);
  }
  if (!wasHeard) touchAll(context);
  watchSilence(context, link);
}

function lookAtReading(context: EngineContext, state: WorkloadState, nowMs: number): void {
  if (state.demand.held() > state.observedHeld) return context.touch(state, 'reading');
  const revisitAtMs = state.decision?.revisitAtMs ?? null;
  // It is looked at soon anyway.
  if (revisitAtMs !== null && revisitAtMs > nowMs && revisitAtMs <= nowMs + readingGapMs) return;
  const dueMs = state.observedAtMs + readingGapMs;
  if (nowMs >= dueMs) return context.touch(state, 'reading');
  state.readingDueMs = dueMs;
  scheduleWakeUp(context, state);
}

/** Counts that stop coming are noticed without anything else happening. */
function watchSilence(context: EngineContext, link: GatewayLink): void {
  if (link.watched) return;
  link.watched = true;
  const look = () => {
    link.watched = false;
    if (context.stopped || !link.connected || link.countsAtMs === null) return;
    if (isHeard(link, context.ports.clock.nowMs())) {
      watchSilence(context, link);
      return;
    }
    context.ports.log('warn', 'gateway is silent: its counts are unknown', { gateway: link.name });
    context.journal.record('event', null, { type: 'gateway-silent', gateway: link.name });
    touchAll(context);
  };
  context.ports.clock.at((link.countsAtMs ?? context.ports.clock.nowMs()) + silentAfterMs + 1, look);
}

/** A request waits where nothing can take it. At zero that is acted on in this very turn. */
function onWake(context: EngineContext, link: GatewayLink, event: Extract<GatewayEvent, { type: 'wake' }>): void {
  const state = context.workloads.get(event.workload);
  if (!state || state.removed) return;
  state.demand.wake(link, event.class, event.held, event.heldAtUs);
  if (!state.wokenAtUs.has(event.class)) state.wokenAtUs.set(event.class, event.heldAtUs);
  context.touch(state, 'request-held');
  if (context.adopted && !isServedOrStarting(state)) context.reconcileNow();
}

/**
 * A drain is over. One that was taken back, or that only its readiness probe took out, is not to be stopped; nor is one
 * that is drained anew, when this was said of an earlier drain: it may have been given work in between.
 */
function onDrained(context: EngineContext, id: string, drain: number | undefined): void {
  const state = context.owners.get(id);
  const replica = state?.replicas.get(id);
  if (!state || !replica || replica.phase !== 'draining') return;
  if (drain === undefined) {
    replica.drainedUnnumbered = true;
    return;
  }
  if (drain !== replica.drain) return;
  replica.drained = true;
  context.touch(state, 'replica');
}

/** A gateway without numbers is believed when counts that it made after the drain had begun say the same. */
function confirmDrained(context: EngineContext, state: WorkloadState, atUs: number, counts: DispatchCounts): void {
  for (const replica of state.replicas.values()) {
    if (!replica.drainedUnnumbered || replica.phase !== 'draining' || replica.drained) continue;
    if (atUs <= replica.drain || (counts.replicas[replica.id] ?? 0) > 0) continue;
    replica.drained = true;
    context.touch(state, 'replica');
  }
}

/** The end of a cold start: requests reach the replica from now on. */
function onRouted(context: EngineContext, id: string, atUs: number): void {
  const state = context.owners.get(id);
  const replica = state?.replicas.get(id);
  if (!state || !replica || replica.readyAtUs === null || replica.coldStart.readyToRouteUs !== null) return;
  // An adopted replica's route is told again to a new control plane; its start was another one's.
  if (replica.askedAtUs === null) return;
  replica.coldStart.readyToRouteUs = Math.max(0, atUs - replica.readyAtUs);
  state.coldStarts.count++;
  state.coldStarts.last = { ...replica.coldStart };
  learnFrom(state, replica);
  context.journal.record('outcome', state.key, { type: 'routed', replica: id, coldStart: replica.coldStart });
  context.unsaved(state);
  context.feed.changed(state.key, true);
}

/** The driver's word decides whether a replica lives; this is noted for whoever asks why requests were tried again. */
function onEndpointFailed(context: EngineContext, id: string, message: string): void {
  const state = context.owners.get(id);
  const replica = state?.replicas.get(id);
  if (!state || !replica) return;
  if (replica.phase === 'ready') replica.message = `gateway: ${message}`;
  recordOutcome(context, state, replica, 'endpoint-failed');
  context.touch(state, 'replica');
}

function touchAll(context: EngineContext): void {
  for (const state of context.workloads.values()) {
    context.touch(state, 'reading');
    context.feed.changed(state.key, false);
  }
}
