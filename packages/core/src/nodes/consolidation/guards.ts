import { shareOf } from './runningCost.ts';
import type {
  ConsolidationInput,
  ConsolidationNode,
  ConsolidationPool,
  DisruptionReason,
  KeptReason,
} from './types.ts';

/** Pools and what is counted of them, read once for one state. */
export interface Census {
  input: ConsolidationInput;
  pools: ReadonlyMap<string, PoolCensus>;
  /** Types, with their capacity type, that are on their way out, and those that came just now. */
  goingTypes: ReadonlySet<string>;
  newTypes: ReadonlySet<string>;
}

interface PoolCensus {
  rules: ConsolidationPool;
  nodes: number;
  going: number;
  spares: number;
  newestReadyMs: number;
}

export function typeKey({ offering: { instanceType, capacityType } }: Pick<ConsolidationNode, 'offering'>): string {
  return `${instanceType.cloud}/${instanceType.name}/${capacityType}`;
}

export function censusOf(input: ConsolidationInput): Census {
  const pools = new Map<string, PoolCensus>();
  for (const rules of input.pools) {
    pools.set(rules.pool.name, { rules, nodes: 0, going: 0, spares: 0, newestReadyMs: Number.NEGATIVE_INFINITY });
  }
  const goingTypes = new Set<string>();
  const newTypes = new Set<string>();
  for (const node of input.nodes) {
    if (node.isGoing) goingTypes.add(typeKey(node));
    else if (node.readyAtMs >= input.nowMs) newTypes.add(typeKey(node));
    const own = pools.get(node.empty.pool);
    if (own === undefined) continue;
    own.nodes++;
    if (node.isGoing) own.going++;
    else own.newestReadyMs = Math.max(own.newestReadyMs, node.readyAtMs);
    if (isSpare(node)) own.spares++;
  }
  return { input, pools, goingTypes, newTypes };
}

export function isSpare({ isGoing, notice, pods }: ConsolidationNode): boolean {
  return !isGoing && notice === null && pods.length === 0;
}

/** What keeps a node where it is, whatever else goes; null: it may go for this reason. */
export function keptBy(
  { input, pools, newTypes }: Census,
  node: ConsolidationNode,
  reason: DisruptionReason,
): KeptReason | null {
  if (node.isGoing) return 'going';
  const own = pools.get(node.empty.pool);
  if (own === undefined) return 'policy';
  if (node.doNotDisrupt || node.pods.some(({ doNotDisrupt }) => doNotDisrupt)) return 'do-not-disrupt';
  if (reason === 'Drifted') return null;
  const { policy, delayMs, delayAfterScaleUpMs } = own.rules;
  if (policy === 'Never' || (policy === 'WhenEmpty' && reason !== 'Empty')) return 'policy';
  if (input.nowMs - Math.max(node.quietSinceMs, node.readyAtMs) < delayMs) return 'delay';
  if (input.nowMs - own.newestReadyMs < delayAfterScaleUpMs) return 'delay-after-scale-up';
  // What just came in does not go out again.
  if (newTypes.has(typeKey(node))) return 'delay-after-scale-up';
  return reason === 'Underutilized' && !isUnderutilized(node, own.rules) ? 'utilization' : null;
}

function isUnderutilized(node: ConsolidationNode, rules: ConsolidationPool): boolean {
  const { free } = node.empty;
  const taken = (amount: (pod: ConsolidationNode['pods'][number]['pod']) => number, all: number) =>
    node.pods.reduce((sum, { pod }) => sum + amount(pod), 0) / (all || 1);
  if (rules.utilizationBelow !== null) {
    const cpu = taken(({ cpuMilli }) => cpuMilli, free.cpuMilli);
    const memory = taken(({ memoryBytes }) => memoryBytes, free.memoryBytes);
    if (Math.max(cpu, memory) > rules.utilizationBelow) return false;
  }
  if (rules.gpuUtilizationBelow === null || node.empty.gpu === null) return true;
  const gpus = taken((pod) => (pod.gpu === null ? 0 : shareOf({ ...pod, cpuMilli: 0, memoryBytes: 0 }, node.empty)), 1);
  return gpus <= rules.gpuUtilizationBelow;
}

/** How many more nodes of a pool may go for a reason: the tightest budget that counts, less what is going. */
export function budgetLeft({ rules, nodes, going }: PoolCensus, reason: DisruptionReason): number {
  let least = Number.POSITIVE_INFINITY;
  for (const { nodes: limit, reasons, isActive } of rules.budgets) {
    if (!isActive || (reasons.length > 0 && !reasons.includes(reason))) continue;
    least = Math.min(least, limit.kind === 'count' ? limit.count : Math.ceil(limit.share * nodes - 1e-9));
  }
  return least - going;
}

/**
 * What keeps a group of nodes that would go together, with so many new nodes of each pool; null: nothing. `spareChange`:
 * empty nodes that the move takes, by pool.
 */
export function groupKeptBy(
  { pools }: Census,
  group: readonly ConsolidationNode[],
  reason: DisruptionReason,
  bought: ReadonlyMap<string, number>,
): KeptReason | null {
  for (const [pool, own] of pools) {
    const leaving = group.filter(({ empty }) => empty.pool === pool);
    if (leaving.length === 0) continue;
    if (leaving.length > budgetLeft(own, reason)) return 'budget';
    const staying = own.nodes - own.going;
    const after = staying - leaving.length + (bought.get(pool) ?? 0);
    if (after < own.rules.minNodes && after < staying) return 'min-nodes';
    const spares = own.spares - leaving.filter(isSpare).length;
    if (spares < own.rules.warmSpares && spares < own.spares) return 'warm-spares';
  }
  return null;
}
