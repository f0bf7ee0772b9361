import type { PodClass } from './podClasses.ts';
import type { AntiAffinity, BoundPod, PlacementInput, PodSelector, TopologyKey, TopologySpread } from './types.ts';

/** At most `cap` pods of the member classes on one node. */
export interface NodeCap {
  members: readonly boolean[];
  cap: number;
  /** Pods that run already and count, by node; 0 where left out. */
  present: ReadonlyMap<string, number>;
}

/** Rules between pods that share a node, for classes by index. */
export interface NodeRules {
  caps: readonly NodeCap[];
  /** Classes that must not share a node with this one; its own index where at most one pod of it may be there. */
  apart: readonly (readonly number[])[];
  isAnyApart: boolean;
  /** Classes that may not join a node because of what runs there, by node. */
  kept: ReadonlyMap<string, readonly boolean[]>;
}

export function selects(selector: PodSelector, labels: Readonly<Record<string, string>>): boolean {
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

interface Affine {
  labels: Readonly<Record<string, string>>;
  antiAffinity: readonly AntiAffinity[];
}

/** Whether one of two pods keeps the other away. Anti-affinity works both ways, as in Kubernetes. */
export function keepsApart(a: Affine, b: Affine, topology: TopologyKey): boolean {
  const names = (one: Affine, other: Affine) =>
    one.antiAffinity.some((term) => term.topology === topology && selects(term.selector, other.labels));
  return names(a, b) || names(b, a);
}

/** Whether any rule between pods is in play, so that labels matter. */
export function usesSelectors({ pods, nodes }: PlacementInput): boolean {
  return (
    pods.some(({ spread, antiAffinity }) => spread.length > 0 || antiAffinity.length > 0) ||
    nodes.some((node) => node.pods.some(({ antiAffinity }) => antiAffinity.length > 0))
  );
}

export function nodeRulesOf(input: PlacementInput, classes: readonly PodClass[]): NodeRules {
  const pods = classes.map(({ needs }) => needs.pod);
  const apart = pods.map((a) => pods.flatMap((b, index) => (keepsApart(a, b, 'hostname') ? [index] : [])));
  const kept = new Map<string, boolean[]>();
  if (usesSelectors(input)) {
    for (const { name, pods: bound } of input.nodes) {
      if (bound.length === 0) continue;
      const away = pods.map(
        (pod) => bound.some((other) => keepsApart(pod, other, 'hostname')) || isTooFull(bound, pod.spread),
      );
      if (away.includes(true)) kept.set(name, away);
    }
  }
  const caps = [...spreadCaps(input, classes), ...shareCaps(input, classes)];
  return { caps, apart, isAnyApart: apart.some((others) => others.length > 0), kept };
}

/** Whether a node has more pods than a spread allows already, of which the pod itself need not be one. */
function isTooFull(bound: readonly BoundPod[], spreads: readonly TopologySpread[]): boolean {
  return spreads.some(
    ({ topology, selector, maxSkew }) =>
      topology === 'hostname' && bound.filter(({ labels }) => selects(selector, labels)).length > maxSkew,
  );
}

function spreadCaps(input: PlacementInput, classes: readonly PodClass[]): NodeCap[] {
  const caps = new Map<string, NodeCap>();
  for (const { needs } of classes) {
    for (const { topology, selector, maxSkew } of needs.pod.spread) {
      if (topology !== 'hostname') continue;
      const key = JSON.stringify([selector, maxSkew]);
      if (caps.has(key)) continue;
      const members = classes.map((other) => selects(selector, other.needs.pod.labels));
      caps.set(key, { members, cap: maxSkew, present: presentOn(input, ({ labels }) => selects(selector, labels)) });
    }
  }
  return [...caps.values()];
}

/** One workload's pods, those that run included: at most the share of them on one node, and one in any case. */
function shareCaps(input: PlacementInput, classes: readonly PodClass[]): NodeCap[] {
  const { maxWorkloadShare } = input.settings;
  if (maxWorkloadShare >= 1) return [];
  const totals = new Map<string, number>();
  const count = (workload: string) => totals.set(workload, (totals.get(workload) ?? 0) + 1);
  for (const { workload } of input.pods) count(workload);
  for (const node of input.nodes) for (const { workload } of node.pods) count(workload);
  return [...new Set(classes.map(({ needs }) => needs.pod.workload))].map((workload) => ({
    members: classes.map(({ needs }) => needs.pod.workload === workload),
    cap: Math.max(1, Math.floor((totals.get(workload) ?? 0) * maxWorkloadShare)),
    present: presentOn(input, (pod) => pod.workload === workload),
  }));
}

function presentOn({ nodes }: PlacementInput, counts: (pod: BoundPod) => boolean): Map<string, number> {
  const present = new Map<string, number>();
  for (const { name, pods } of nodes) {
    const found = pods.filter(counts).length;
    if (found > 0) present.set(name, found);
  }
  return present;
}
