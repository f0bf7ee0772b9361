import { type Census, censusOf, groupKeptBy, isSpare, keptBy } from '../consolidation/guards.ts';
import type { ConsolidationNode, KeptReason } from '../consolidation/types.ts';
import type { Draft } from './draft.ts';
import { end } from './ending.ts';
import { cancel, isAnswerAwaited } from './going.ts';
import { consolidationInput } from './savings.ts';
import type { FleetNode, FleetPool } from './types.ts';
import type { PlacementPod } from '../placement/types.ts';
import { largestKnown } from './spares.ts';
import { isFree, Views } from './views.ts';
import { holdsPod } from './wanted.ts';

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
  const spares = new Spares(draft);
  for (const view of views.toSorted((a, b) => b.offering.pricePerHourMicro - a.offering.pricePerHourMicro)) {
    const node = book.get(view.empty.name);
    if (node === undefined) continue;
    // Views keep what is not ready from moves; here it may go.
    const free: ConsolidationNode = { ...view, doNotDisrupt: node.doNotDisrupt };
    const kept = keptEmpty(census, free) ?? (spares.needs(node) ? 'warm-spares' : null);
    if (kept === null) endOne(draft, census, node, free);
    else if (kept === 'delay-after-scale-up') revisitAfterScaleUp(draft, census, node);
  }
}

/** Of several spares those that hold the largest pod stay. */
class Spares {
  readonly #draft: Draft;
  readonly #holds = new Map<string, boolean>();
  readonly #largest = new Map<string, PlacementPod | null>();

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  /** Whether the pool has no more free nodes that hold its largest pod than it keeps as spares, and this is one of them. */
  needs(node: FleetNode): boolean {
    const pool = this.#draft.pools.get(node.pool);
    if (pool === undefined || pool.consolidation.warmSpares === 0 || !this.#isLarge(node, pool)) return false;
    const others = this.#draft.book.staying().filter((one) => one.pool === node.pool && one.notice === null);
    const holding = others.filter((one) => isFree(this.#draft, one) && this.#isLarge(one, pool));
    return holding.length <= pool.consolidation.warmSpares;
  }

  /** Whether a node, when it is empty, holds the largest pod. */
  #isLarge(node: FleetNode, pool: FleetPool): boolean {
    let largest = this.#largest.get(node.pool);
    if (largest === undefined) {
      largest = largestKnown(this.#draft, pool);
      this.#largest.set(node.pool, largest);
    }
    if (largest === null) return false;
    const key = `${node.pool}|${node.offering.id}`;
    let holds = this.#holds.get(key);
    if (holds === undefined) {
      holds = holdsPod(this.#draft, node, largest);
      this.#holds.set(key, holds);
    }
    return holds;
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
