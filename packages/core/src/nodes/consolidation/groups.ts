import { busyness } from './probe.ts';
import type { ConsolidationNode } from './types.ts';

/** With so few nodes every subset is tried. */
const fewNodes = 5;
/** Sizes of the groups of neighbours in the ranking, where there are more. */
const sizes = [1, 2, 3, 5, 8];

/**
 * Groups of nodes to be taken away together, in the order in which they are tried: one node before several, those without
 * work in flight first, then those with the least on them for their price.
 */
export function groupsOf(candidates: readonly ConsolidationNode[]): ConsolidationNode[][] {
  const ranked = candidates
    .map((node) => ({ node, busy: busyness(node), fullness: fullness(node) }))
    .sort(
      (a, b) =>
        a.busy - b.busy ||
        a.fullness - b.fullness ||
        b.node.offering.pricePerHourMicro - a.node.offering.pricePerHourMicro ||
        (a.node.empty.name < b.node.empty.name ? -1 : 1),
    )
    .map(({ node }) => node);
  if (ranked.length <= fewNodes) return subsetsOf(ranked);
  return sizes.flatMap((size) =>
    Array.from({ length: Math.floor(ranked.length / size) }, (_, i) => ranked.slice(i * size, (i + 1) * size)),
  );
}

function subsetsOf(nodes: readonly ConsolidationNode[]): ConsolidationNode[][] {
  const all = Array.from({ length: 2 ** nodes.length - 1 }, (_, i) =>
    nodes.filter((_node, k) => ((i + 1) & (1 << k)) !== 0),
  );
  return all.sort((a, b) => a.length - b.length);
}

function fullness({ pods, empty: { free } }: ConsolidationNode): number {
  const cpu = pods.reduce((sum, { pod }) => sum + pod.cpuMilli, 0) / (free.cpuMilli || 1);
  const memory = pods.reduce((sum, { pod }) => sum + pod.memoryBytes, 0) / (free.memoryBytes || 1);
  return Math.max(cpu, memory);
}
