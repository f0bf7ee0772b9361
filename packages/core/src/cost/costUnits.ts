import type { LedgerRow, NodeLedgerRow } from '../ports/ports.ts';
import type { CostQuery } from './costReport.ts';
import { type Amounts, splitNode } from './splitNode.ts';
import type { UsageHour } from './usage.ts';

const hourMs = 3_600_000;

/** A workload whose document is there. */
interface KnownWorkload {
  key: string;
  createdAtMs: number;
  labels: Readonly<Record<string, string>>;
  /** What a replica of each class sets aside. */
  classes: Readonly<Record<string, Amounts>>;
}

export interface UnitInput {
  rows: readonly LedgerRow[];
  nodeRows: readonly NodeLedgerRow[];
  usage: readonly UsageHour[];
  workloads: readonly KnownWorkload[];
}

/** The smallest part of a report: one class of one workload in one currency, or a node's idle part. In price × ms. */
export interface CostUnit {
  group: string;
  currency: string;
  priceMs: bigint;
  replicaMs: number;
  capacity: Map<string, bigint>;
  /** Null: not watched. */
  idlePriceMs: bigint | null;
  alwaysOnPriceMs: bigint | null;
  requests: number | null;
}

type Known = ReadonlyMap<string, KnownWorkload>;

/** Group of what nobody on a node had asked for. */
export const idleOnNodes = '(idle on nodes)';

interface Span {
  fromMs: number;
  toMs: number;
}

/** What was paid within the query's span, in parts that can be grouped. */
export function costUnits(input: UnitInput, query: CostQuery): CostUnit[] {
  const span = { fromMs: query.fromMs, toMs: query.toMs };
  const rows = input.rows.filter((row) => isWithin(row, span) && inNamespace(row.workload, query.namespace));
  const nodes = new Set(input.nodeRows.map(({ node }) => node));
  const ofNodes = query.by === 'node' || query.by === 'pool';
  const units: CostUnit[] = [];
  const direct = rows.filter((row) => !nodes.has(row.node));
  const known = new Map(input.workloads.map((one) => [one.key, one]));
  if (ofNodes) {
    for (const [node, own] of Map.groupBy(direct, (row) => (query.by === 'node' ? row.node : ''))) {
      for (const [currency, same] of Map.groupBy(own, (row) => row.currency)) {
        units.push({ ...unitOf(same, span, node, currency), alwaysOnPriceMs: null, requests: null });
      }
    }
    if (query.namespace === null) units.push(...input.nodeRows.flatMap((row) => nodeUnit(row, input, known, query)));
    return units;
  }
  const usage = Map.groupBy(
    input.usage.filter(({ hourMs: at }) => at < span.toMs && at + hourMs > span.fromMs),
    (hour) => hour.workload,
  );
  for (const [workload, own] of Map.groupBy(direct, (row) => row.workload)) {
    const hours = usage.get(workload) ?? [];
    // Requests are counted for a workload: the first of its parts carries them.
    let requests = hours.reduce((sum, hour) => sum + hour.requests, 0);
    for (const same of Map.groupBy(own, (row) => `${row.class} ${row.currency}`).values()) {
      const unit = replicaUnit(same, known.get(workload), hours, query);
      units.push({ ...unit, requests: query.by === 'class' ? null : requests });
      requests = 0;
    }
  }
  return [...units, ...input.nodeRows.flatMap((row) => tenantUnits(row, input, known, query))];
}

function isWithin(row: { fromMs: number; toMs: number | null }, { fromMs, toMs }: Span): boolean {
  return row.fromMs < toMs && (row.toMs === null || row.toMs > fromMs);
}

function inNamespace(workload: string, namespace: string | null): boolean {
  return namespace === null || workload.split('/')[1] === namespace;
}

function lengthIn(row: { fromMs: number; toMs: number | null }, span: Span): number {
  return Math.max(0, Math.min(row.toMs ?? span.toMs, span.toMs) - Math.max(row.fromMs, span.fromMs));
}

function unitOf(rows: readonly LedgerRow[], span: Span, group: string, currency: string): CostUnit {
  const unit = emptyUnit(group, currency);
  for (const row of rows) {
    const ms = lengthIn(row, span);
    addPrice(unit, row.capacityType ?? 'on-demand', BigInt(row.pricePerHourMicro) * BigInt(ms));
    unit.replicaMs += ms;
  }
  return unit;
}

function emptyUnit(group: string, currency: string): CostUnit {
  return {
    group,
    currency,
    priceMs: 0n,
    replicaMs: 0,
    capacity: new Map(),
    idlePriceMs: null,
    alwaysOnPriceMs: null,
    requests: null,
  };
}

function addPrice(unit: CostUnit, capacityType: string, priceMs: bigint): void {
  unit.priceMs += priceMs;
  unit.capacity.set(capacityType, (unit.capacity.get(capacityType) ?? 0n) + priceMs);
}

/** One class of one workload, with what was seen of its use. */
function replicaUnit(
  rows: readonly LedgerRow[],
  workload: KnownWorkload | undefined,
  hours: readonly UsageHour[],
  query: CostQuery,
): CostUnit {
  const [first] = rows;
  const span = { fromMs: query.fromMs, toMs: query.toMs };
  const className = first?.class ?? '';
  const group = groupName(first?.workload ?? '', className, workload?.labels ?? {}, query);
  const unit = unitOf(rows, span, group, first?.currency ?? '');
  let seenMs = 0;
  let busyMs = 0;
  for (const { classes } of hours) {
    const seen = classes[className];
    seenMs += seen?.seenMs ?? 0;
    busyMs += Math.min(seen?.busyMs ?? 0, seen?.seenMs ?? 0);
  }
  if (seenMs > 0) unit.idlePriceMs = (unit.priceMs * BigInt(seenMs - busyMs)) / BigInt(seenMs);
  // Kept since it was applied; of a deleted one only its rows are known.
  const fromMs = Math.max(span.fromMs, Math.min(workload?.createdAtMs ?? span.toMs, earliest(rows)));
  const toMs = workload ? span.toMs : rows.reduce((last, row) => Math.max(last, row.toMs ?? span.toMs), span.fromMs);
  unit.alwaysOnPriceMs = peakRate(rows, span) * BigInt(Math.max(0, Math.min(toMs, span.toMs) - fromMs));
  return unit;
}

const earliest = (rows: readonly LedgerRow[]): number =>
  rows.reduce((first, row) => Math.min(first, row.fromMs), Number.MAX_SAFE_INTEGER);

/** The most that the rows cost an hour at one moment of the span. */
function peakRate(rows: readonly LedgerRow[], span: Span): bigint {
  const edges: [number, bigint][] = [];
  for (const row of rows) {
    const price = BigInt(row.pricePerHourMicro);
    edges.push([Math.max(row.fromMs, span.fromMs), price], [Math.min(row.toMs ?? span.toMs, span.toMs), -price]);
  }
  // At one moment an end comes before a beginning: a replaced replica is one replica.
  edges.sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0));
  let rate = 0n;
  let most = 0n;
  for (const [, step] of edges) {
    rate += step;
    if (rate > most) most = rate;
  }
  return most;
}

function groupName(
  workload: string,
  className: string,
  labels: Readonly<Record<string, string>>,
  { by }: CostQuery,
): string {
  const [, namespace = '', name = ''] = workload.split('/');
  if (by === 'workload') return `${namespace}/${name}`;
  if (by === 'class') return `${namespace}/${name}/${className}`;
  return labels[by.slice('label:'.length)] ?? '';
}

/** A node as a whole: what nobody had asked for is its idle part. */
function nodeUnit(row: NodeLedgerRow, input: UnitInput, known: Known, query: CostQuery): CostUnit[] {
  const span = { fromMs: Math.max(query.fromMs, row.fromMs), toMs: Math.min(query.toMs, row.toMs ?? query.toMs) };
  if (span.fromMs >= span.toMs) return [];
  const unit = emptyUnit(query.by === 'pool' ? row.pool : row.node, row.currency);
  const split = splitNode(row, tenantsOf(row, input, known), span.fromMs, span.toMs);
  addPrice(unit, row.capacityType, split.priceMs);
  unit.idlePriceMs = split.idleAskedPriceMs;
  for (const replica of input.rows) if (replica.node === row.node) unit.replicaMs += lengthIn(replica, span);
  return [unit];
}

/** A node's cost over the workloads on it by what they asked for; the rest under a name of its own. */
function tenantUnits(row: NodeLedgerRow, input: UnitInput, known: Known, query: CostQuery): CostUnit[] {
  const span = { fromMs: Math.max(query.fromMs, row.fromMs), toMs: Math.min(query.toMs, row.toMs ?? query.toMs) };
  if (span.fromMs >= span.toMs) return [];
  const split = splitNode(row, tenantsOf(row, input, known), span.fromMs, span.toMs);
  const units: CostUnit[] = [];
  for (const replica of input.rows) {
    const part = replica.node === row.node ? split.tenants.get(replica.replica) : undefined;
    if (!part || !isWithin(replica, span) || !inNamespace(replica.workload, query.namespace)) continue;
    const labels = known.get(replica.workload)?.labels ?? {};
    const unit = emptyUnit(groupName(replica.workload, replica.class, labels, query), row.currency);
    addPrice(unit, row.capacityType, part.askedPriceMs);
    unit.replicaMs = lengthIn(replica, span);
    units.push(unit);
  }
  if (query.namespace === null) {
    const idle = emptyUnit(idleOnNodes, row.currency);
    addPrice(idle, row.capacityType, split.idleAskedPriceMs);
    idle.idlePriceMs = split.idleAskedPriceMs;
    units.push(idle);
  }
  return units;
}

const nothing: Amounts = { cpuMilli: 0, memoryBytes: 0, gpuMilli: 0 };

function tenantsOf(node: NodeLedgerRow, { rows }: UnitInput, known: Known) {
  return rows
    .filter((row) => row.node === node.node)
    .map((row) => ({
      id: row.replica,
      fromMs: row.fromMs,
      toMs: row.toMs,
      asked: known.get(row.workload)?.classes[row.class] ?? nothing,
      used: null,
    }));
}
