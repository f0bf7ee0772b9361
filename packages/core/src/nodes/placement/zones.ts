import type { PodClass } from './podClasses.ts';
import { keepsApart, selects } from './topology.ts';
import type { PlacementInput, TopologySpread } from './types.ts';

/** Where pods of a class may run: zones that count for its spread, and zones where a pod of it would fit. */
export interface ClassZones {
  /** Sorted. */
  domain: readonly string[];
  /** Cheapest first. */
  usable: readonly string[];
}

/** How many pods that run count for a zone rule, by zone. */
function presentIn({ nodes }: PlacementInput, selector: TopologySpread['selector']): Map<string, number> {
  const present = new Map<string, number>();
  for (const { zone, pods } of nodes) {
    const found = pods.filter(({ labels }) => selects(selector, labels)).length;
    present.set(zone, (present.get(zone) ?? 0) + found);
  }
  return present;
}

/**
 * Splits classes that have something to do with rules between zones, so that each part is bound to one zone and any
 * placement of all parts keeps the rules. A spread is met by putting each pod into the emptiest of its zones. Pods that no
 * zone is left for come back in `stranded`.
 */
export function splitByZones(
  input: PlacementInput,
  classes: readonly PodClass[],
  zonesOf: (index: number) => ClassZones,
): { classes: PodClass[]; stranded: string[] } {
  const spreads = zoneSpreads(classes);
  const zoned = classes.map(({ needs: { pod } }) => ({
    spreads: spreads.filter(({ selector }) => selects(selector, pod.labels)),
    rivals: classes.map((other) => keepsApart(pod, other.needs.pod, 'zone')),
    bound: boundRivals(input, pod),
  }));
  const counts = new Map(spreads.map((spread) => [spread, presentIn(input, spread.selector)]));
  const claimed = new Map<string, Set<number>>();
  const split: PodClass[] = [];
  const stranded: string[] = [];
  const order = [...classes.keys()].sort((a, b) => zonesOf(a).usable.length - zonesOf(b).usable.length || a - b);
  for (const index of order) {
    const own = classes[index];
    const rules = zoned[index];
    if (own === undefined || rules === undefined) continue;
    const isFree = rules.spreads.length === 0 && !rules.rivals.includes(true) && rules.bound.size === 0;
    if (isFree) {
      split.push(own);
      continue;
    }
    const allowed = zonesOf(index).usable.filter(
      (zone) => !rules.bound.has(zone) && ![...(claimed.get(zone) ?? [])].some((other) => rules.rivals[other]),
    );
    const isAlone = rules.rivals[index] === true;
    // A class that others must keep away from leaves them zones: it takes the first only, unless it is to be spread.
    const hasRivals = rules.rivals.some((isRival, other) => isRival && other !== index);
    const zones = hasRivals && !isAlone && rules.spreads.length === 0 ? allowed.slice(0, 1) : allowed;
    const byZone = new Map<string, string[]>();
    for (const id of own.ids) {
      const open = isAlone ? zones.filter((zone) => !byZone.has(zone)) : zones;
      const zone = emptiest(open, (zone) => fullest(rules.spreads, counts, zone));
      if (zone === null) {
        stranded.push(id);
        continue;
      }
      const inZone = byZone.get(zone);
      if (inZone) inZone.push(id);
      else byZone.set(zone, [id]);
      for (const spread of rules.spreads) {
        const inZones = counts.get(spread);
        inZones?.set(zone, (inZones.get(zone) ?? 0) + 1);
      }
    }
    for (const [zone, ids] of byZone) {
      split.push({ ...own, ids, zone });
      claimed.set(zone, (claimed.get(zone) ?? new Set()).add(index));
    }
  }
  return { classes: split.sort((a, b) => a.parent - b.parent), stranded };
}

/** Different spreads over zones of all classes, the strictest of those with the same pods. */
export function zoneSpreads(classes: readonly PodClass[]): TopologySpread[] {
  const byKey = new Map<string, TopologySpread>();
  for (const { needs } of classes) {
    for (const spread of needs.pod.spread) {
      if (spread.topology !== 'zone') continue;
      const key = JSON.stringify(spread.selector);
      const known = byKey.get(key);
      if (known === undefined || spread.maxSkew < known.maxSkew) byKey.set(key, spread);
    }
  }
  return [...byKey.values()];
}

function boundRivals({ nodes }: PlacementInput, pod: Parameters<typeof keepsApart>[0]): Set<string> {
  return new Set(
    nodes.filter(({ pods }) => pods.some((other) => keepsApart(pod, other, 'zone'))).map(({ zone }) => zone),
  );
}

function fullest(spreads: readonly TopologySpread[], counts: Map<TopologySpread, Map<string, number>>, zone: string) {
  return Math.max(0, ...spreads.map((spread) => counts.get(spread)?.get(zone) ?? 0));
}

function emptiest(zones: readonly string[], load: (zone: string) => number): string | null {
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const zone of zones) {
    if (load(zone) >= least) continue;
    best = zone;
    least = load(zone);
  }
  return best;
}
