import type { NamedNode } from './assemble.ts';
import type { Problem } from './problem.ts';
import { countsForSpread } from './points.ts';
import { selects } from './topology.ts';

/**
 * Takes pods out until every zone spread holds: limits may have left a zone with fewer than it should have. Returns the
 * classes of the pods taken out.
 */
export function levelZones(
  { input, classes, zonesOf }: Problem,
  nodes: readonly NamedNode[],
): { id: string; c: number }[] {
  const taken: { id: string; c: number }[] = [];
  const rules = classes.flatMap(({ needs, parent }, c) =>
    needs.pod.spread.flatMap((spread) => (spread.topology === 'zone' ? [{ c, parent, spread }] : [])),
  );
  for (let changed = rules.length > 0; changed; ) {
    changed = false;
    for (const { c, parent, spread } of rules) {
      const needs = classes[c]?.needs;
      const domain = new Set(zonesOf[parent]?.domain);
      for (const { pattern, pods } of nodes) {
        const { point } = pattern.bin.supply;
        if (needs && pods.length > 0 && countsForSpread(needs, point)) domain.add(point.zone);
      }
      const counts = new Map([...domain].map((zone) => [zone, 0]));
      const count = (zone: string, by: number) => counts.has(zone) && counts.set(zone, (counts.get(zone) ?? 0) + by);
      for (const { zone, pods } of input.nodes) {
        count(zone, pods.filter(({ labels }) => selects(spread.selector, labels)).length);
      }
      for (const { pattern, classes: own } of nodes) {
        count(
          pattern.bin.supply.point.zone,
          own.filter((other) => selects(spread.selector, classes[other]?.needs.pod.labels ?? {})).length,
        );
      }
      const least = Math.min(...counts.values());
      for (const node of nodes) {
        const { zone } = node.pattern.bin.supply.point;
        while ((counts.get(zone) ?? 0) - least > spread.maxSkew) {
          const at = node.classes.indexOf(c);
          const [pod] = at < 0 ? [] : node.pods.splice(at, 1);
          if (pod === undefined) break;
          node.classes.splice(at, 1);
          taken.push({ id: pod.id, c });
          // A pod that its own rule does not count cannot help by going, but may not stay.
          if (selects(spread.selector, classes[c]?.needs.pod.labels ?? {})) count(zone, -1);
          changed = true;
        }
      }
    }
  }
  return taken;
}
