import { type Census, censusOf, groupKeptBy, isSpare, keptBy } from '../consolidation/guards.ts';
import type { ConsolidationNode, KeptReason } from '../consolidation/types.ts';
import type { Draft } from './draft.ts';
import { end } from './ending.ts';
import { cancel, isAnswerAwaited } from './going.ts';
import { consolidationInput } from './savings.ts';
import type { FleetNode } from './types.ts';
import { isFree, Views } from './views.ts';

/**
 * Nodes on which nothing is go when they have been quiet for their pool's delay, the dearest first, as far as budgets, `minNodes` and
 * `warmSpares` let them. Also those that are not ready yet: what they were bought for is gone.
 */
export function endEmpty(draft: Draft): void {
  const { book, nowMs } = draft;
  const due = new Set<string>();
  for (const node of book.staying()) {
    if (!mayEnd(draft, node)) continue;
    const rules = draft.pools.get(node.pool)?.consolidation;
    if (rules === undefined || rules.policy === 'Never') continue;
    const atMs = quietMs(node) + rules.delayMs;
    if (atMs <= nowMs) due.add(node.id);
    else draft.revisit(atMs);
  }
  if (due.size === 0) return;
  const census = censusOf(consolidationInput(draft, new Views(draft)));
  forgetLeft(draft, census);
  const views = census.input.nodes.filter(({ empty }) => due.has(empty.name));
  for (const view of views.toSorted((a, b) => b.offering.pricePerHourMicro - a.offering.pricePerHourMicro)) {
    const node = book.get(view.empty.name);
    if (node === undefined) continue;
    // Views keep what is not ready from moves; here it may go.
    const free: ConsolidationNode = { ...view, doNotDisrupt: node.doNotDisrupt };
    const kept = keptEmpty(census, free);
    if (kept === null) endOne(draft, census, node, free);
    else if (kept === 'delay-after-scale-up') revisitAfterScaleUp(draft, census, node);
  }
}

function mayEnd(draft: Draft, node: FleetNode): boolean {
  const { offering, notice, doNotDisrupt } = node;
  if (draft.hedges.kept.has(node.id)) return false;
  if (draft.machines === null || notice?.kind === 'interruption' || doNotDisrupt || isAnswerAwaited(node)) return false;
  const { nodeChargeMicro } = draft.spec.settings;
  if (offering.pricePerHourMicro + nodeChargeMicro <= 0) return false;
  return isFree(draft, node);
}

function quietMs({ quietSinceMs, readyAtMs, askedAtMs }: FleetNode): number {
  return Math.max(quietSinceMs, readyAtMs ?? askedAtMs);
}

/** A node that its last pods are just leaving is no spare yet, nor one that waits for the pods of others. */
function forgetLeft(draft: Draft, census: Census): void {
  for (const view of census.input.nodes) {
    const own = census.pools.get(view.empty.pool);
    const node = draft.book.get(view.empty.name);
    if (own && node && isSpare(view) && !isFree(draft, node)) own.spares--;
  }
}

function keptEmpty(census: Census, view: ConsolidationNode): KeptReason | null {
  return keptBy(census, view, 'Empty') ?? groupKeptBy(census, [view], 'Empty', new Map());
}

function endOne(draft: Draft, census: Census, node: FleetNode, view: ConsolidationNode): void {
  if (node.phase === 'ready') end(draft, node, { kind: 'empty' });
  else if (!cancel(draft, node, { kind: 'not-needed' })) return;
  const own = census.pools.get(node.pool);
  if (own === undefined) return;
  own.going++;
  if (isSpare(view)) own.spares--;
}

function revisitAfterScaleUp(draft: Draft, census: Census, { pool }: FleetNode): void {
  const own = census.pools.get(pool);
  if (own === undefined) return;
  draft.revisit(Math.max(draft.nowMs + 1, own.newestReadyMs + own.rules.delayAfterScaleUpMs));
}
