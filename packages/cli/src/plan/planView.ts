import type { Offering, PlacementAnswer, PlacementInput, Plan, UnplaceableReason } from '@ebb/core';

export interface Share {
  /** Workload, and class where it has several. */
  name: string;
  count: number;
}

/** Nodes to buy that are alike in machine, place and what runs on them. */
export interface NodeGroup {
  count: number;
  pool: string;
  offering: Offering;
  runs: Share[];
}

/** A plan as it is told: nodes and replicas that are alike together. */
export interface PlanView {
  nodes: NodeGroup[];
  /** Onto nodes that are there. */
  bound: { node: string; instance: string; runs: Share[] }[];
  unplaceable: { name: string; count: number; reason: UnplaceableReason }[];
  /** `pricePerHourMicro`: what one more replica would add to the bound. */
  workloads: { name: string; count: number; placed: number; pricePerHourMicro: number | null }[];
}

export function planView(input: PlacementInput, groups: PlacementAnswer['groups'], plan: Plan): PlanView {
  const nameOf = new Map(groups.flatMap(({ name, ids }) => ids.map((id) => [id, name] as const)));
  const shares = (ids: readonly string[]): Share[] => {
    const counts = new Map<string, number>();
    for (const id of ids) {
      const name = nameOf.get(id) ?? id;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => (a.name < b.name ? -1 : 1));
  };
  const without = new Map(shares(plan.unplaceable.flatMap(({ pods }) => pods)).map(({ name, count }) => [name, count]));
  const asked = new Set(input.pods.map(({ id }) => id));
  const priceOf = new Map(
    plan.podPrices.flatMap(({ pods, pricePerHourMicro }) => pods.map((id) => [id, pricePerHourMicro])),
  );
  return {
    nodes: nodeGroups(input, plan, shares),
    bound: plan.bind.map(({ node, pods }) => ({
      node,
      instance: machineOf(input, node),
      runs: shares(pods.map(({ id }) => id)),
    })),
    unplaceable: plan.unplaceable.flatMap(({ reason, pods }) => shares(pods).map((share) => ({ ...share, reason }))),
    workloads: groups
      .flatMap(({ name, ids }) => {
        // Replicas that run already are no question.
        const left = ids.filter((id) => asked.has(id));
        return left.length > 0 ? [{ name, ids: left }] : [];
      })
      .map(({ name, ids: [first = '', ...rest] }) => ({
        name,
        count: rest.length + 1,
        placed: rest.length + 1 - (without.get(name) ?? 0),
        pricePerHourMicro: without.has(name) ? null : (priceOf.get(first) ?? null),
      })),
  };
}

function machineOf({ nodes }: PlacementInput, name: string): string {
  return nodes.find((node) => node.name === name)?.labels['node.kubernetes.io/instance-type'] ?? '';
}

function nodeGroups(
  { pools }: PlacementInput,
  { buy }: Plan,
  shares: (ids: readonly string[]) => Share[],
): NodeGroup[] {
  const offerings = new Map(
    pools.flatMap(({ name, offerings }) =>
      offerings.map(({ offering }) => [`${name} ${offering.id}`, offering] as const),
    ),
  );
  const groups = new Map<string, NodeGroup>();
  for (const { pool, offering: id, pods } of buy) {
    const offering = offerings.get(`${pool} ${id}`);
    if (!offering) throw new Error(`the plan buys ${id} of pool ${pool}, which is not offered`);
    const runs = shares(pods.map((pod) => pod.id));
    const key = JSON.stringify([pool, id, runs]);
    const group = groups.get(key) ?? { count: 0, pool, offering, runs };
    group.count += 1;
    groups.set(key, group);
  }
  return [...groups.values()].sort(
    (a, b) => b.count * b.offering.pricePerHourMicro - a.count * a.offering.pricePerHourMicro,
  );
}
