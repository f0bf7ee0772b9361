import type { NodeLedgerRow } from '../ports/ports.ts';

/** Processors, memory and GPUs, in the core's units. */
export interface Amounts {
  cpuMilli: number;
  memoryBytes: number;
  gpuMilli: number;
}

/** A replica's time on a node, and what it set aside and used there. */
export interface NodeTenant {
  id: string;
  fromMs: number;
  toMs: number | null;
  asked: Amounts;
  /** Mean over its time; null: not measured. */
  used: Amounts | null;
}

/** Parts of a node's cost, in micro-units × milliseconds an hour: exact, and adding up to the node's. */
export interface NodeSplit {
  priceMs: bigint;
  tenants: Map<string, { askedPriceMs: bigint; usedPriceMs: bigint }>;
  /** What nobody had asked for. */
  idleAskedPriceMs: bigint;
  /** What nobody used; tenants that were not measured count with what they asked for. */
  idleUsedPriceMs: bigint;
}

/** Shares are whole parts of this. */
const one = 1_000_000_000n;

/**
 * Splits what a node cost from `fromMs` to `toMs` over who was on it. A tenant's share of a moment is the largest of its
 * shares of processors, memory and GPUs, because that is what it keeps from others; where those shares are more than the
 * whole node, they are scaled down to it. The rest is idle.
 */
export function splitNode(
  node: NodeLedgerRow,
  tenants: readonly NodeTenant[],
  fromMs: number,
  toMs: number,
): NodeSplit {
  const begin = Math.max(fromMs, node.fromMs);
  const end = Math.max(begin, Math.min(toMs, node.toMs ?? toMs));
  const split: NodeSplit = {
    priceMs: BigInt(node.pricePerHourMicro) * BigInt(end - begin),
    tenants: new Map(tenants.map(({ id }) => [id, { askedPriceMs: 0n, usedPriceMs: 0n }])),
    idleAskedPriceMs: 0n,
    idleUsedPriceMs: 0n,
  };
  const shares = tenants.map((tenant) => ({
    ...tenant,
    untilMs: Math.min(end, tenant.toMs ?? end),
    askedShare: shareOf(tenant.asked, node.allocatable),
    usedShare: shareOf(tenant.used ?? tenant.asked, node.allocatable),
  }));
  const edges = new Set([begin, end]);
  for (const { fromMs: from, untilMs } of shares)
    for (const edge of [from, untilMs]) if (edge > begin && edge < end) edges.add(edge);
  const times = [...edges].sort((a, b) => a - b);
  for (const [index, from] of times.slice(0, -1).entries()) {
    const there = shares.filter((tenant) => tenant.fromMs <= from && tenant.untilMs > from);
    const priceMs = BigInt(node.pricePerHourMicro) * BigInt((times[index + 1] ?? from) - from);
    split.idleAskedPriceMs += give(priceMs, there, ({ askedShare }) => askedShare, split, 'askedPriceMs');
    split.idleUsedPriceMs += give(priceMs, there, ({ usedShare }) => usedShare, split, 'usedPriceMs');
  }
  return split;
}

/** Gives each tenant its part, rounded down to whole units, and returns what is left. */
function give<Tenant extends { id: string }>(
  priceMs: bigint,
  there: readonly Tenant[],
  share: (tenant: Tenant) => bigint,
  split: NodeSplit,
  field: 'askedPriceMs' | 'usedPriceMs',
): bigint {
  const sum = there.reduce((total, tenant) => total + share(tenant), 0n);
  const whole = sum > one ? sum : one;
  let left = priceMs;
  for (const tenant of there) {
    const part = (priceMs * share(tenant)) / whole;
    const known = split.tenants.get(tenant.id);
    if (known) known[field] += part;
    left -= part;
  }
  return left;
}

/** The part of a node that these amounts keep from others, 0 to 1: the largest of their shares. */
export function shareOfNode(asked: Amounts, allocatable: Amounts): number {
  return Number(shareOf(asked, allocatable)) / Number(one);
}

function shareOf(amounts: Amounts, of: Amounts): bigint {
  const parts = [
    [amounts.cpuMilli, of.cpuMilli],
    [amounts.memoryBytes, of.memoryBytes],
    [amounts.gpuMilli, of.gpuMilli],
  ].map(([part = 0, whole = 0]) =>
    whole > 0 && part > 0 ? (BigInt(Math.ceil(part)) * one) / BigInt(Math.ceil(whole)) : 0n,
  );
  const largest = parts.reduce((most, part) => (part > most ? part : most), 0n);
  return largest > one ? one : largest;
}
