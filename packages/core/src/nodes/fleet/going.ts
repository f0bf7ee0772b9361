import { keepReplaced } from './answers.ts';
import { backOff } from './backOff.ts';
import type { Draft } from './draft.ts';
import { end } from './ending.ts';
import { fitsElsewhere } from './placing.ts';
import { assumedNoticeMs, evictBeforeMs, repairShare, settleMs } from './times.ts';
import type { FleetNode, GoingReason } from './types.ts';

/** Nodes that go whatever they are worth: taken back by the cloud, without a document, or never ready. */
export function startGoing(draft: Draft): void {
  for (const node of draft.book.all()) {
    if (node.phase === 'ending') continue;
    const reason = mustGo(draft, node);
    const isStarting = node.phase === 'asked' || node.phase === 'starting';
    if (isStarting && timeOut(draft, node)) continue;
    if (reason === null) continue;
    if (isStarting) cancel(draft, node, reason);
    else if (node.going?.reason.kind !== reason.kind || isSooner(draft, node)) leave(draft, node, reason);
  }
}

function mustGo(draft: Draft, node: FleetNode): GoingReason | null {
  const { spec, pools } = draft;
  const { notice, pool, going } = node;
  if (notice?.kind === 'interruption') return { kind: 'interruption' };
  if (spec.isRemoved) return { kind: 'cluster-removed' };
  if (!pools.has(pool) && going?.reason.kind !== 'cluster-removed') return { kind: 'pool-removed' };
  return isToRepair(draft, node) ? { kind: 'unready' } : null;
}

/** A ready node that has not been so for too long; of a pool at most a fifth, one at least, go for that at once. */
function isToRepair(draft: Draft, { phase, pool, unreadySinceMs }: FleetNode): boolean {
  const { nowMs, machines, memory, book } = draft;
  const afterMs = draft.pools.get(pool)?.repairAfterMs ?? null;
  if (phase !== 'ready' || !unreadySinceMs || afterMs === null || machines === null) return false;
  const atMs = Math.max(unreadySinceMs + afterMs, memory.provider.sinceMs + settleMs);
  if (nowMs < atMs) {
    draft.revisit(atMs);
    return false;
  }
  const repaired = book.all().filter((one) => one.pool === pool && one.going?.reason.kind === 'unready').length;
  return repaired < Math.max(1, Math.floor(book.usedOf(pool).nodes * repairShare));
}

/** Whether it was told only now when the machine goes. */
function isSooner({ nowMs }: Draft, { going, notice }: FleetNode): boolean {
  return (
    going?.reason.kind === 'interruption' && going.untilMs === null && notice !== null && (notice.goesAtMs ?? 0) > nowMs
  );
}

/** Nothing runs yet on a node that is not ready. While an answer is awaited it is not known whether there is one to end. */
export function cancel(draft: Draft, node: FleetNode, reason: GoingReason): boolean {
  if (draft.machines === null || isAnswerAwaited(node)) return false;
  draft.unbindAll(node.id, 'going');
  end(draft, node, reason);
  return true;
}

export function isAnswerAwaited({ phase, askAgainAtMs }: FleetNode): boolean {
  return phase === 'asked' && askAgainAtMs === null;
}

function leave(draft: Draft, node: FleetNode, reason: GoingReason): void {
  const { nowMs, pools } = draft;
  const graceMs = pools.get(node.pool)?.terminationGraceMs ?? null;
  const goesAtMs = node.notice?.kind === 'interruption' ? node.notice.goesAtMs : null;
  const ends = [
    ...(graceMs === null ? [] : [(node.going?.sinceMs ?? nowMs) + graceMs]),
    // One that should be gone already is not: the clocks differ, and it is left to go when it goes.
    ...(goesAtMs === null || goesAtMs <= nowMs ? [] : [Math.max(nowMs, goesAtMs - evictBeforeMs)]),
  ];
  const untilMs = ends.length === 0 ? null : Math.min(...ends);
  const isReadyFirst = reason.kind === 'interruption' ? hasTime(draft, node) : reason.kind !== 'cluster-removed';
  const isEmpty = draft.podsOn(node.id).length === 0;
  if (isEmpty) node.going = { sinceMs: nowMs, reason, untilMs, evictedAtMs: null };
  if (isEmpty) end(draft, node, reason);
  else {
    draft.drain(node, reason, isReadyFirst ? 'ready-first' : 'drain-first', untilMs);
    draft.reasons.push({ code: 'going', node: node.id, reason, savingPerHourMicro: null });
  }
}

/** Whether its pods can be ready elsewhere before it goes. */
function hasTime(draft: Draft, node: FleetNode): boolean {
  const { nowMs } = draft;
  const goesAtMs = node.notice?.goesAtMs ?? null;
  const leftMs = (goesAtMs === null || goesAtMs <= nowMs ? assumedNoticeMs : goesAtMs - nowMs) - evictBeforeMs;
  const pods = draft.podsOn(node.id).filter(({ isLeaving }) => !isLeaving);
  const loadMs = Math.max(0, ...pods.map((pod) => pod.loadMs));
  if (loadMs > leftMs) return false;
  const startMs = draft.pools.get(node.pool)?.consolidation.pool.startMs ?? 0;
  return startMs + loadMs <= leftMs || fitsElsewhere(draft, node, pods);
}

/** A node that is not ready in time is given up, and its offering left alone. */
function timeOut(draft: Draft, node: FleetNode): boolean {
  const { nowMs, machines, memory, pools } = draft;
  const startTimeoutMs = pools.get(node.pool)?.startTimeoutMs ?? null;
  if (machines === null || startTimeoutMs === null) return false;
  const atMs = Math.max((node.acceptedAtMs ?? node.askedAtMs) + startTimeoutMs, memory.provider.sinceMs + settleMs);
  if (nowMs < atMs) {
    draft.revisit(atMs);
    return false;
  }
  const entry = backOff(memory, node, 'unavailable', nowMs);
  draft.reasons.push(
    { code: 'start-timeout', node: node.id, waitedMs: nowMs - node.askedAtMs },
    { code: 'backed-off', offering: entry.offering, cause: entry.code, untilMs: entry.untilMs },
  );
  draft.unbindAll(node.id, 'start-timeout');
  keepReplaced(draft, node);
  end(draft, node, { kind: 'start-timeout' });
  return true;
}
