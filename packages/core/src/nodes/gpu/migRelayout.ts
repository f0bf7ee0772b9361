import type { MigCard } from './migCards.ts';
import { countProfiles, type MigCounts, type MigInstance, placeProfiles } from './migLayout.ts';

/** An instance that exists. One in use never moves and never goes. */
export interface CurrentInstance extends MigInstance {
  inUse: boolean;
}

/** What to do to a card so that the wanted instances are there and free. */
export interface Relayout {
  /** Idle ones that go. */
  destroy: MigInstance[];
  create: MigInstance[];
  /** The idle instances of the card that serve what is wanted, one for each, created ones included. */
  serve: MigInstance[];
}

/**
 * The cheapest way to have the wanted profiles free on a card beside what is in use: fewest instances destroyed and
 * created together, idle ones that do not stand in the way stay. Null when they cannot be had. Complete search over which
 * idle instances go (at most seven).
 */
export function cheapestRelayout(
  card: MigCard,
  current: readonly CurrentInstance[],
  wanted: MigCounts,
): Relayout | null {
  const inUse = current.filter((one) => one.inUse).map(bare);
  const idle = current.filter((one) => !one.inUse).map(bare);
  let best: { relayout: Relayout; cost: number } | null = null;
  for (let mask = 0; mask < 1 << idle.length; mask++) {
    const destroy = idle.filter((_, index) => (mask & (1 << index)) !== 0);
    if (best && destroy.length >= best.cost) continue;
    const kept = idle.filter((_, index) => (mask & (1 << index)) === 0);
    const { serving, missing } = match(kept, wanted);
    const create = placeProfiles(card, [...inUse, ...kept], missing);
    if (!create) continue;
    const cost = destroy.length + create.length;
    if (!best || cost < best.cost) best = { relayout: { destroy, create, serve: [...serving, ...create] }, cost };
  }
  return best?.relayout ?? null;
}

/** Which of the idle ones serve, and what is still missing. */
function match(idle: readonly MigInstance[], wanted: MigCounts): { serving: MigInstance[]; missing: MigCounts } {
  const missing = new Map(Object.entries(wanted));
  const serving = idle.filter(({ profile }) => {
    const left = missing.get(profile) ?? 0;
    if (left <= 0) return false;
    missing.set(profile, left - 1);
    return true;
  });
  return { serving, missing: Object.fromEntries([...missing].filter(([, count]) => count > 0)) };
}

/** Whether the wanted profiles are there and idle already. */
export function isServed(current: readonly CurrentInstance[], wanted: MigCounts): boolean {
  const idle = countProfiles(current.filter((one) => !one.inUse));
  return Object.entries(wanted).every(([name, count]) => (idle[name] ?? 0) >= count);
}

function bare({ profile, start }: MigInstance): MigInstance {
  return { profile, start };
}
