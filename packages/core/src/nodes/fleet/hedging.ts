import { censusOf, groupKeptBy } from '../consolidation/guards.ts';
import { activeBackOffs } from './backOff.ts';
import type { Draft } from './draft.ts';
import type { Hedged } from './hedges.ts';
import { isToBeReplaced } from './hedgeGroups.ts';
import { asksOf, asSold, canBuy } from './market.ts';
import { fitsElsewhere } from './placing.ts';
import { consolidationInput } from './savings.ts';
import type { FleetNode, FleetPool, GoingReason } from './types.ts';
import { Views } from './views.ts';
import { isWanted } from './wanted.ts';

const mostRounds = 4;

/** Buys what hedges lack, once pods have their places, and keeps what they need from being taken. */
export function hedge(draft: Draft): void {
  const { hedges } = draft;
  if (!hedges.isOn) return;
  for (let round = 0; round < mostRounds; round++) {
    hedges.decide();
    // What is bought for pods that have no place goes first, and while the provider is away nothing is known of what is lost.
    if (draft.machines === null || !hedges.all().some((one) => !hasToYield(draft, one.group.pool) && buy(draft, one))) {
      break;
    }
  }
  hedges.kept.clear();
  hedges.within.clear();
  for (const one of hedges.all()) protect(draft, one);
}

/** Pods that a limit keeps without a place need what a hedge would take. */
function hasToYield({ memory }: Draft, pool: string): boolean {
  return (memory.unplaced?.pods ?? []).some(
    ({ reason }) => reason.kind === 'limit' && (reason.pool === null || reason.pool === pool),
  );
}

/** Whether anything was bought. */
function buy(draft: Draft, { group, hedge: { decision } }: Hedged): boolean {
  const pool = draft.pools.get(group.pool);
  if (pool === undefined) return false;
  const entries = group.offerings;
  const backOffs = activeBackOffs(draft.memory, draft.nowMs);
  const onDemand = entries
    .filter(({ offering }) => offering.capacityType === 'on-demand')
    .sort(
      (a, b) => a.offering.pricePerHourMicro - b.offering.pricePerHourMicro || (a.offering.id < b.offering.id ? -1 : 1),
    );
  const countOf = (isCounted: (node: FleetNode) => boolean) => group.members.filter(isCounted).length;
  const asked = decision.spot.map(({ market, count }) => ({
    from: entries.filter(({ offering }) => offering.id === market),
    missing: Math.min(
      count - countOf(({ offering }) => offering.id === market),
      isTried(draft, market) ? 1 - countOf(({ offering, isSeen }) => offering.id === market && !isSeen) : count,
    ),
  }));
  const has = countOf(({ offering }) => offering.capacityType !== 'spot');
  asked.push({ from: onDemand, missing: decision.onDemand - has });
  let [bought, short] = [0, 0];
  for (const { from, missing } of asked) {
    for (let left = missing; left > 0; left--) {
      const entry = from.find((one) => {
        const sold = asSold(draft, group.pool, one, backOffs);
        return (sold.stock ?? 1) > 0 && canBuy(draft, [{ pool, offering: one.offering }]);
      });
      if (entry === undefined) {
        short += left;
        break;
      }
      const node = draft.buy(pool, entry.offering, []);
      const { id: offering, pricePerHourMicro } = node.offering;
      draft.reasons.push({ code: 'hedge', node: node.id, pool: group.pool, offering, pricePerHourMicro });
      bought++;
    }
  }
  if (short > 0 && bought === 0) {
    draft.reasons.push({ code: 'short', pool: group.pool, what: 'hedge', missing: short });
    for (const atMs of asksOf(draft, pool)) draft.revisit(atMs);
  }
  return bought > 0;
}

/** It was refused and nothing has come since: one machine at a time is asked for there. */
function isTried({ memory }: Draft, market: string): boolean {
  return memory.backedOff.some(({ offering }) => offering === market);
}

/** As many nodes of each market and on demand as the hedge wants stay: those with pods before the others, old ones before new ones. */
function protect(draft: Draft, { group, hedge: { decision } }: Hedged): void {
  const { kept, within } = draft.hedges;
  const rank = (node: FleetNode) => (draft.podsOn(node.id).length > 0 ? 0 : 2) + (node.phase === 'ready' ? 0 : 1);
  const left = new Map(decision.spot.map(({ market, count }) => [market, count]));
  let onDemand = decision.onDemand;
  const isYielding = hasToYield(draft, group.pool);
  for (const node of group.members.toSorted((a, b) => rank(a) - rank(b))) {
    const { id, offering } = node;
    const isSpot = offering.capacityType === 'spot';
    const places = isSpot ? (left.get(offering.id) ?? 0) : onDemand;
    if (places <= 0) continue;
    if (isSpot) left.set(offering.id, places - 1);
    else onDemand--;
    within.add(id);
    const isEmpty = draft.podsOn(id).length === 0;
    if ((isEmpty && isYielding) || isToBeReplaced(draft, node)) continue;
    // Spot nodes with pods may be merged: then fewer are needed.
    if (isEmpty || !isSpot) kept.add(id);
  }
}

/**
 * Nodes beyond what is wanted go when others stand in their place: on demand when spot that is ready has held, and spot of a market that has
 * too many. Those on which pods are go when there is room for these on spot that is ready and wanted, as the pool's budgets allow; empty ones go
 * like others. Whether any goes.
 */
export function giveBack(draft: Draft): boolean {
  const { hedges, book } = draft;
  if (!hedges.isOn || draft.machines === null) return false;
  const going = book.all().filter((node) => node.phase === 'draining' && node.going?.reason.kind === 'spot-ready');
  const before = going.length;
  for (const { group } of hedges.all()) {
    const pool = draft.pools.get(group.pool);
    if (pool === undefined) continue;
    for (const { id } of group.members.filter((one) => !hedges.within.has(one.id))) {
      const node = book.get(id);
      if (node === undefined || !mayBeGivenBack(draft, node, pool)) continue;
      const moved = [...going, node].flatMap((one) => draft.podsOn(one.id).filter(({ isLeaving }) => !isLeaving));
      const isSpot = ({ id: other, offering }: FleetNode) =>
        offering.capacityType === 'spot' && hedges.within.has(other);
      if (!fitsElsewhere(draft, node, moved, isSpot)) break;
      const reason: GoingReason = { kind: 'spot-ready' };
      const { terminationGraceMs } = pool;
      const untilMs = terminationGraceMs === null ? null : draft.nowMs + terminationGraceMs;
      draft.drain(node, reason, 'ready-first', untilMs);
      draft.reasons.push({ code: 'going', node: id, reason, savingPerHourMicro: null });
      going.push(node);
    }
  }
  return going.length > before;
}

function mayBeGivenBack(draft: Draft, node: FleetNode, pool: FleetPool): boolean {
  const { phase, offering, doNotDisrupt } = node;
  const { policy, delayMs } = pool.consolidation;
  const pods = draft.podsOn(node.id);
  const isSpot = offering.capacityType === 'spot';
  if (phase !== 'ready' || pods.length === 0 || doNotDisrupt || offering.capacityType === 'reserved') return false;
  // To even out spot is a saving like others.
  if (policy === 'Never' || (isSpot && policy === 'WhenEmpty')) return false;
  const quietMs = Math.max(node.quietSinceMs, node.readyAtMs ?? node.askedAtMs) + delayMs;
  if (draft.nowMs < quietMs) {
    draft.revisit(quietMs);
    return false;
  }
  if (pods.some((pod) => pod.doNotDisrupt || pod.isLeaving)) return false;
  return !isHeldBack(draft, node) && !isWanted(draft, node);
}

/** Whether budgets or least numbers of the pool keep it. */
function isHeldBack(draft: Draft, node: FleetNode): boolean {
  const census = censusOf(consolidationInput(draft, new Views(draft)));
  const view = census.input.nodes.find(({ empty }) => empty.name === node.id);
  return view === undefined || groupKeptBy(census, [view], 'Underutilized', new Map()) !== null;
}
