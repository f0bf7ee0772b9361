import type { PoolOffering } from '../placement/types.ts';
import { hedgedOfferings, hedgePool } from '../spot/hedgePool.ts';
import { lossesPerHour, newMarket } from '../spot/lossRate.ts';
import { offeringsKey } from './digests.ts';
import type { Draft } from './draft.ts';
import { groupKey, type HedgeGroup, hedgeGroups } from './hedgeGroups.ts';
import { Key } from './keys.ts';
import { activeBackOffs, quotaKey } from './backOff.ts';
import type { FleetHedge } from './types.ts';

/** `none`: as if nothing were hedged, risks and pauses apart; `spot`: no more spot than hedges want; `all`: nor on demand where there is no fallback. */
export type HedgeCaps = 'none' | 'spot' | 'all';

export interface Hedged {
  group: HedgeGroup;
  hedge: FleetHedge;
}

interface Sold {
  /** Most that there may be of it, as the book counts. */
  most: number;
  pausedUntilMs: number;
  interruptionsPerHour: number;
}

/** The hedges of a step: decided on anew when what they hang on has changed, and what they leave for sale. */
export class Hedges {
  /** Whether any pool is hedged. */
  readonly isOn: boolean;
  readonly #draft: Draft;
  readonly #before: ReadonlyMap<string, FleetHedge>;
  #now = new Map<string, Hedged>();
  #isDecided = false;
  #sold = new Map<string, Sold>();
  /** Nodes that make up what is wanted, and those of them that are not to be taken for money. */
  readonly within = new Set<string>();
  readonly kept = new Set<string>();

  constructor(draft: Draft) {
    this.#draft = draft;
    this.#before = new Map(draft.memory.hedges?.map((hedge) => [groupKey(hedge), hedge]));
    this.isOn = draft.spec.pools.some(({ spot }) => Boolean(spot));
  }

  all(): readonly Hedged[] {
    return [...this.#now.values()];
  }

  /** Decides for what is there now, and nodes that are about to be bought; always from what was known before the step. */
  decide(planned: ReadonlyMap<string, number> = new Map()): void {
    if (!this.isOn) return;
    const draft = this.#draft;
    this.#isDecided = true;
    this.#now = new Map();
    this.#sold = new Map();
    for (const group of hedgeGroups(draft, planned, this.#before)) {
      const key = groupKey(group);
      const before = this.#before.get(key) ?? null;
      const isIdle = group.needed === 0 && group.nodes === 0;
      if (before === null && isIdle) continue;
      const hedge = this.#decideOne(group, before, isIdle);
      if (hedge === null) continue;
      this.#now.set(key, { group, hedge });
      this.#sell(group, hedge);
    }
  }

  /** What is to be known at the next step, and why. */
  finish(): void {
    const draft = this.#draft;
    if (!this.isOn) {
      if (draft.memory.hedges !== undefined) draft.memory.hedges = [];
      return;
    }
    if (!this.#isDecided) return;
    draft.memory.hedges = this.all().map(({ hedge }) => hedge);
    for (const { group, hedge } of this.all()) {
      if (group.needed === 0 && group.nodes === 0) continue;
      draft.revisit(hedge.decision.revisitAtMs);
      if (group.needed === 0) continue;
      for (const reason of hedge.decision.reasons) draft.reasons.push({ code: 'spot', pool: group.pool, reason });
    }
  }

  /** An offering as hedges leave it for sale. */
  entryOf(pool: string, entry: PoolOffering, caps: HedgeCaps): PoolOffering {
    const { offering } = entry;
    const spot = this.isOn ? this.#draft.pools.get(pool)?.spot : null;
    if (!spot || offering.capacityType === 'reserved') return entry;
    const isSpot = offering.capacityType === 'spot';
    const isCapped = isSpot ? caps !== 'none' : caps === 'all' && !spot.fallback;
    if (!isSpot && !isCapped) return entry;
    const sold = this.#sold.get(`${pool}|${offering.id}`);
    // Nothing is held back of what no pods were found to need: there is no hedge of that size.
    const most = sold?.most ?? this.#draft.book.countOf(pool, offering);
    const until = Math.max(entry.backedOffUntilMs ?? 0, sold?.pausedUntilMs ?? 0);
    return {
      ...entry,
      stock: isCapped ? Math.min(entry.stock ?? Number.MAX_SAFE_INTEGER, most) : entry.stock,
      backedOffUntilMs: until === 0 ? null : until,
      interruptionsPerHour: isSpot ? (sold?.interruptionsPerHour ?? unknownPerHour) : entry.interruptionsPerHour,
    };
  }

  /** The same text means that what is for sale is the same, small changes of risks apart. */
  get key(): string {
    const parts = [...this.#sold].map(([id, { most, pausedUntilMs, interruptionsPerHour }]) => {
      return [id, most, pausedUntilMs > this.#draft.nowMs, interruptionsPerHour.toPrecision(1)];
    });
    return JSON.stringify(parts);
  }

  #decideOne(group: HedgeGroup, before: FleetHedge | null, isIdle: boolean): FleetHedge | null {
    const { nowMs, memory, lost } = this.#draft;
    const { pool, size, needed, floor, members, spot } = group;
    const backOffs = activeBackOffs(memory, nowMs);
    const offerings = group.offerings.map((entry) => {
      const { id } = entry.offering;
      const ofId = backOffs.size === 0 ? 0 : (backOffs.get(id) ?? 0);
      const ofQuota = backOffs.size === 0 ? 0 : (backOffs.get(quotaKey(entry.offering)) ?? 0);
      return { ...entry, backedOffUntilMs: Math.max(entry.backedOffUntilMs ?? 0, ofId, ofQuota) || null };
    });
    const key = new Key().add(needed, floor, JSON.stringify(spot), offeringsKey(group.offerings));
    const counts = new Map<string, { all: number; ready: number }>();
    for (const { phase, offering } of members) {
      const { all, ready } = counts.get(offering.id) ?? { all: 0, ready: 0 };
      counts.set(offering.id, { all: all + 1, ready: ready + (phase === 'ready' ? 1 : 0) });
    }
    for (const { offering, backedOffUntilMs } of offerings) {
      const own = counts.get(offering.id);
      key.add(own?.all ?? 0, own?.ready ?? 0, backedOffUntilMs);
    }
    const isLost = offerings.some(({ offering }) => lost.includes(offering.id));
    const isDue = !isIdle && nowMs >= (before?.decision.revisitAtMs ?? 0);
    if (before !== null && before.key === key.text && !isLost && !isDue) return before;
    const losses = lost.map((offering) => ({ offering, atMs: nowMs }));
    const made = hedgePool({
      settings: { ...spot, onDemandFloor: { count: floor } },
      ...{ memory: before?.decision.memory ?? null, nowMs, offerings, nodes: members, losses, nodesNeeded: needed },
    });
    if (made === null) return null;
    const { decision } = made;
    // A hedge of nothing is nothing, also while something starts.
    const none = needed === 0 ? { spot: [], onDemand: 0 } : {};
    return { pool, size, key: key.text, needed, decision: { ...decision, ...none } };
  }

  #sell({ pool, offerings, members, replaced }: HedgeGroup, { decision }: FleetHedge): void {
    const { book, nowMs } = this.#draft;
    const onDemand = members.filter(({ offering }) => offering.capacityType !== 'spot').length;
    let missing = Math.max(0, decision.onDemand - onDemand);
    const byPrice = hedgedOfferings(offerings, members, decision).sort(
      (a, b) => a.offering.pricePerHourMicro - b.offering.pricePerHourMicro || (a.offering.id < b.offering.id ? -1 : 1),
    );
    for (const { offering, stock, backedOffUntilMs, interruptionsPerHour } of byPrice) {
      const isSpot = offering.capacityType === 'spot';
      const more = isSpot ? (stock ?? 0) : missing;
      // Without a fallback only the floor is for sale on demand, and that once.
      if (!isSpot && (backedOffUntilMs ?? 0) <= nowMs) missing = 0;
      this.#sold.set(`${pool}|${offering.id}`, {
        ...{ most: book.countOf(pool, offering) + more + (isSpot ? replaced : 0), interruptionsPerHour },
        pausedUntilMs: isSpot ? (backedOffUntilMs ?? 0) : 0,
      });
    }
  }
}

/** Of a market of which nothing is known. */
const unknownPerHour = lossesPerHour(newMarket('', 0), 0);
