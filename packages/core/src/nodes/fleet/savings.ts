import type { Solver } from '../../ports/solver.ts';
import { consolidate } from '../consolidation/consolidate.ts';
import type { ConsolidationInput, ConsolidationMove } from '../consolidation/types.ts';
import { addMarket, addNodes } from './digests.ts';
import type { Draft } from './draft.ts';
import { end } from './ending.ts';
import { Key } from './keys.ts';
import { canBuy, poolsForSale } from './market.ts';
import type { FleetNode, FleetPool } from './types.ts';
import { outdatedBy, Views } from './views.ts';
import { isWanted } from './wanted.ts';

/** The book as consolidation sees it. */
export function consolidationInput(draft: Draft, views: Views): ConsolidationInput {
  const { spec, book, nowMs } = draft;
  const sale = new Map(poolsForSale(draft).map((pool) => [pool.name, pool]));
  const pools = spec.pools.map(({ consolidation }) => ({
    ...consolidation,
    pool: sale.get(consolidation.pool.name) ?? consolidation.pool,
  }));
  const nodes = book.all().map((node) => views.forConsolidation(node));
  return { nowMs, nodes, pools, settings: spec.settings, gain: spec.gain };
}

/**
 * Searches for savings: nodes that are outdated, advised to move, or whose pods cost less elsewhere. At most every
 * `consolidateEveryMs`, and only when something has changed since the last search found nothing. Whether nodes go.
 */
export function findSavings(draft: Draft, solver: Solver | null): boolean {
  const { spec, memory, nowMs } = draft;
  if (!draft.book.all().some((node) => isCandidate(draft, node))) return false;
  const key = savingsKey(draft);
  const isSame = memory.consolidated?.key === key;
  if (isSame) {
    draft.lowerBoundMicro = memory.consolidated?.lowerBoundMicro ?? null;
    revisitAtChange(draft);
    return false;
  }
  const dueAtMs = memory.consolidatedAtMs === null ? nowMs : memory.consolidatedAtMs + spec.consolidateEveryMs;
  if (nowMs < dueAtMs) {
    draft.revisit(dueAtMs);
    return false;
  }
  const found = consolidate(consolidationInput(draft, new Views(draft)), { solver, workUnits: spec.workUnits });
  draft.workUnits += found.workUnits;
  memory.consolidatedAtMs = nowMs;
  draft.lowerBoundMicro = found.lowerBoundMicro;
  const isMoved = carryOut(draft, found.moves);
  for (const { node, reason } of found.kept) {
    if (reason === 'going') continue;
    const isHedge = reason === 'do-not-disrupt' && draft.hedges.kept.has(node);
    draft.reasons.push({ code: 'kept', node, why: isHedge ? 'hedge' : reason });
  }
  // What a move leaves is looked at again when the time has come.
  memory.consolidated = { key: isMoved ? '' : key, lowerBoundMicro: found.lowerBoundMicro };
  if (isMoved) draft.revisit(nowMs + spec.consolidateEveryMs);
  else revisitAtChange(draft);
  return isMoved;
}

/** Empty nodes go without a search. */
function isCandidate(draft: Draft, node: FleetNode): boolean {
  const { nowMs } = draft;
  const pool = draft.pools.get(node.pool);
  if (pool === undefined || node.phase !== 'ready') return false;
  if (node.notice?.kind === 'rebalance' || outdatedBy(node, pool, nowMs) !== null) return true;
  return pool.consolidation.policy === 'WhenEmptyOrUnderutilized' && draft.podsOn(node.id).length > 0;
}

/** What the search sees, with what only time changes. */
function savingsKey(draft: Draft): string {
  const { nowMs, pools } = draft;
  const key = addMarket(draft, addNodes(draft, new Key()));
  // Nodes on which pods that wait could run stay.
  for (const { pod } of draft.waiting()) key.add(pod.id, pod.workload);
  const { kept } = draft.hedges;
  for (const node of draft.book.staying()) {
    const pool = pools.get(node.pool);
    if (pool === undefined) continue;
    if (draft.hedges.isOn) key.add(kept.has(node.id));
    key.add(outdatedBy(node, pool, nowMs), ...changesOf(draft, node, pool).map((atMs) => atMs <= nowMs));
  }
  return key.text;
}

/** When time alone changes what may be done with a node. */
function changesOf(draft: Draft, node: FleetNode, pool: FleetPool): number[] {
  if (node.phase !== 'ready' || node.readyAtMs === null) return [];
  const { delayMs, delayAfterScaleUpMs, policy } = pool.consolidation;
  const quiet = Math.max(node.quietSinceMs, node.readyAtMs) + delayMs;
  const expiry = pool.expireAfterMs === null ? [] : [node.readyAtMs + pool.expireAfterMs];
  return policy === 'WhenEmptyOrUnderutilized' ? [quiet, node.readyAtMs + delayAfterScaleUpMs, ...expiry] : expiry;
}

/** The search is made again when the next delay is over, or a node expires. */
function revisitAtChange(draft: Draft): void {
  const { memory, nowMs, spec } = draft;
  const fromMs = (memory.consolidatedAtMs ?? nowMs) + spec.consolidateEveryMs;
  for (const node of draft.book.staying()) {
    const pool = draft.pools.get(node.pool);
    if (pool === undefined) continue;
    for (const atMs of changesOf(draft, node, pool)) if (atMs > nowMs) draft.revisit(Math.max(atMs, fromMs));
  }
}

/**
 * Carries out moves in their order, as far as each can be done beside those before it; whether there is more to see when that is done.
 * Nodes that have just got pods stay.
 */
function carryOut(draft: Draft, moves: readonly ConsolidationMove[]): boolean {
  const { book } = draft;
  const names = new Map<string, string>();
  const filled = new Set(draft.actions.flatMap((action) => (action.type === 'bind' ? [action.node] : [])));
  let isMoved = false;
  for (const move of moves) {
    // They go without a search, which takes nodes that pods are just leaving for spares.
    if (move.reason.kind === 'empty') continue;
    const removed = move.remove.map((name) => book.get(name));
    if (move.remove.some((name) => filled.has(name))) return true;
    const isThere = removed.every((node) => node?.phase === 'ready');
    const isPlaced = move.relocate.every(({ to }) => book.has(names.get(to) ?? to) || isBoughtBy(move, to));
    if (removed.some((node) => node && isWanted(draft, node))) return isMoved;
    if (!isThere || !isPlaced || move.stranded.length > 0) return isMoved;
    if (move.order === 'ready-first' && !buyFor(draft, move, names)) return isMoved;
    for (const { to } of move.relocate) filled.add(names.get(to) ?? to);
    for (const node of removed) if (node) drainFor(draft, node, move);
    isMoved = true;
  }
  return isMoved;
}

const isBoughtBy = ({ buy }: ConsolidationMove, name: string) => buy.some((one) => one.name === name);

/** Buys all that a move needs, or nothing. */
function buyFor(draft: Draft, { buy, remove }: ConsolidationMove, names: Map<string, string>): boolean {
  const found = buy.flatMap((one) => {
    const pool = draft.pools.get(one.pool);
    const entry = pool?.consolidation.pool.offerings.find(({ offering }) => offering.id === one.offering);
    return pool && entry ? [{ name: one.name, pool, offering: entry.offering }] : [];
  });
  if (found.length < buy.length) return false;
  // The search counts nodes that it takes away as gone already; they are not.
  if (!canBuy(draft, found)) return false;
  for (const { name, pool, offering } of found) {
    const node = draft.buy(pool, offering, [], remove);
    const { pricePerHourMicro } = offering;
    names.set(name, node.id);
    const bought = { node: node.id, pool: node.pool, offering: offering.id, pricePerHourMicro };
    draft.reasons.push({ code: 'bought', ...bought, pods: 0, gap: null });
  }
  return true;
}

function drainFor(draft: Draft, node: FleetNode, { reason, order, savingPerHourMicro }: ConsolidationMove): void {
  if (draft.podsOn(node.id).length === 0) {
    end(draft, node, reason);
    return;
  }
  const graceMs = draft.pools.get(node.pool)?.terminationGraceMs ?? null;
  draft.drain(node, reason, order, graceMs === null ? null : draft.nowMs + graceMs);
  draft.reasons.push({ code: 'going', node: node.id, reason, savingPerHourMicro });
}
