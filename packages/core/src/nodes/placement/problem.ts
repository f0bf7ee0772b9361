import type { GpuNeed } from '../types.ts';
import { GpuRoom } from './gpuRoom.ts';
import { type GpuShape, gpuAmounts } from './gpuShape.ts';
import { countsForSpread, missedWeight, obstacleOf, type Point } from './points.ts';
import { type PodClass, podClassesOf } from './podClasses.ts';
import { type Existing, type Offer, type Supply, supplyOf } from './supply.ts';
import { type NodeRules, nodeRulesOf, usesSelectors } from './topology.ts';
import type { PlacementInput } from './types.ts';
import { type ClassZones, splitByZones } from './zones.ts';

/** Amounts that a pod takes and a node has: CPU in thousandths, bytes, pods, and the two of `gpuAmounts`. */
export const dimensions = 5;

/** One kind of node: an offer that can be bought again and again, or a node that is there, once. */
export interface Bin {
  index: number;
  supply: Offer | Existing;
  /** Of an empty one (or of what is left), by dimension. */
  capacity: Float64Array;
  costMicro: number;
  priceMicro: number;
  /** How many can be had; Infinity: no limit is known. */
  stock: number;
  /** What pods of each class take: `dimensions` places a class. Shared by all bins with the same GPUs. */
  demand: Float64Array;
  /** Most pods of each class on an empty one; 0: it may not be there. */
  most: Int32Array;
  /** What a pod of each class costs here, beside the node: expected interruptions and missed preferences. */
  penalty: Float64Array;
}

/** Placement as numbers: classes of pods and kinds of nodes. */
export interface Problem {
  input: PlacementInput;
  supply: Supply;
  /** As they are placed: split by zones where rules between zones ask for it. */
  classes: readonly PodClass[];
  /** Before the split: what the bound is computed for. */
  parents: readonly PodClass[];
  rules: NodeRules;
  /** Kinds of nodes that may be bought. */
  bins: readonly Bin[];
  nodes: readonly Bin[];
  /** The same for the classes before the split. */
  parentBins: readonly Bin[];
  parentNodes: readonly Bin[];
  zonesOf: readonly ClassZones[];
  /** Pods that no zone was left for. */
  stranded: readonly string[];
}

export function problemOf(input: PlacementInput): Problem {
  const supply = supplyOf(input);
  const hasZoneRules = usesSelectors(input);
  const parents = podClassesOf(input.pods, {
    workload: input.settings.maxWorkloadShare < 1,
    labels: hasZoneRules,
  });
  const zonesOf = hasZoneRules ? parents.map((own) => classZones(own, supply)) : [];
  const { classes, stranded } = hasZoneRules
    ? splitByZones(input, parents, (index) => zonesOf[index] ?? { domain: [], usable: [] })
    : { classes: parents, stranded: [] };
  const rules = nodeRulesOf(input, classes);
  const { bins, nodes } = binsFor(input, supply, classes, rules);
  const before = hasZoneRules ? binsFor(input, supply, parents, nodeRulesOf(input, parents)) : { bins, nodes };
  return {
    ...{ input, supply, classes, parents, rules, bins, nodes, zonesOf, stranded },
    parentBins: before.bins,
    parentNodes: before.nodes,
  };
}

function binsFor(input: PlacementInput, supply: Supply, classes: readonly PodClass[], rules: NodeRules) {
  const demands = new Map<GpuShape, Float64Array>();
  const demandOf = (shape: GpuShape): Float64Array => {
    const known = demands.get(shape) ?? demandMatrix(shape, classes);
    demands.set(shape, known);
    return known;
  };
  const binOf = (source: Offer | Existing, index: number) =>
    openBin(source, index, { input, classes, rules, demandOf });
  const offered = supply.offers.flatMap((offer) => (offer.point.backedOffUntilMs === null ? [binOf(offer, 0)] : []));
  const bins = withoutDominated(
    offered.filter(({ most }) => most.some((count) => count > 0)),
    countsSizes(input),
  );
  for (const [index, bin] of bins.entries()) bin.index = index;
  return { bins, nodes: supply.nodes.map(binOf) };
}

/** Whether some limit counts what machines are, so that a larger one may be forbidden where a smaller one is not. */
function countsSizes({ pools, settings }: PlacementInput): boolean {
  return [settings.limits, ...pools.map(({ limits }) => limits)].some(
    ({ cpuMilli, memoryBytes }) => cpuMilli !== null || memoryBytes !== null,
  );
}

function classZones({ needs }: PodClass, { offers, nodes }: Supply): ClassZones {
  const domain = new Set<string>();
  const usable = new Map<string, number>();
  const note = (zone: string, price: number) => usable.set(zone, Math.min(price, usable.get(zone) ?? price));
  for (const { point } of nodes) {
    if (countsForSpread(needs, point)) domain.add(point.zone);
    if (obstacleOf(needs, point) === null) note(point.zone, 0);
  }
  for (const { point, costMicro } of offers) {
    if (obstacleOf(needs, point) !== null) continue;
    domain.add(point.zone);
    note(point.zone, costMicro);
  }
  const byPrice = [...usable].sort(([a, priceA], [b, priceB]) => priceA - priceB || (a < b ? -1 : 1));
  return { domain: [...domain].sort(), usable: byPrice.map(([zone]) => zone) };
}

function demandMatrix(shape: GpuShape, classes: readonly PodClass[]): Float64Array {
  const matrix = new Float64Array(classes.length * dimensions);
  for (const [index, { needs }] of classes.entries()) {
    const { cpuMilli, memoryBytes, gpu } = needs.pod;
    const amounts = gpuAmounts(shape, gpu);
    const [first, second] = typeof amounts === 'string' ? [0, 0] : amounts;
    matrix.set([cpuMilli, memoryBytes, 1, first, second], index * dimensions);
  }
  return matrix;
}

interface Around {
  input: PlacementInput;
  classes: readonly PodClass[];
  rules: NodeRules;
  demandOf: (shape: GpuShape) => Float64Array;
}

function openBin(supply: Offer | Existing, index: number, { input, classes, rules, demandOf }: Around): Bin {
  const { point } = supply;
  const demand = demandOf(point.shape);
  const capacity = Float64Array.of(
    Math.max(0, point.cpuMilli),
    Math.max(0, point.memoryBytes),
    supply.pods,
    ...gpuFree(supply),
  );
  const most = new Int32Array(classes.length);
  const penalty = new Float64Array(classes.length);
  const kept = supply.kind === 'node' ? rules.kept.get(supply.node.name) : undefined;
  for (const [c, own] of classes.entries()) {
    if (own.zone !== null && own.zone !== point.zone) continue;
    if (kept?.[c] || obstacleOf(own.needs, point) !== null) continue;
    const fits = byAmounts(capacity, demand, c, own.ids.length);
    most[c] = fits === 0 ? 0 : byRules(supply, own.needs.pod.gpu, c, rules, fits);
    penalty[c] = penaltyOf(own, supply, point, input);
  }
  const isOffer = supply.kind === 'offer';
  return {
    index,
    supply,
    capacity,
    costMicro: isOffer ? supply.costMicro : 0,
    priceMicro: isOffer ? supply.priceMicro : 0,
    stock: isOffer ? (supply.entry.stock ?? Number.POSITIVE_INFINITY) : 1,
    demand,
    most,
    penalty,
  };
}

/** GPU amounts that are free: all of a new node's, what is not used of a node that is there. */
function gpuFree(supply: Offer | Existing): [number, number] {
  const { shape } = supply.point;
  let [first, second] = shape.capacity;
  if (supply.kind === 'offer') return [first, second];
  for (const use of supply.node.gpuUse) {
    if (shape.sharing.kind === 'fraction') {
      first -= use.gpuMilli;
      second -= use.memoryBytes;
    } else if (shape.card !== null) {
      for (const { profile } of use.instances) {
        const found = shape.card.profiles.find(({ name }) => name === profile);
        first -= found?.computeSlices ?? 0;
        second -= found?.memorySlices ?? 0;
      }
    } else first -= use.places;
  }
  return [Math.max(0, first), Math.max(0, second)];
}

function byAmounts(capacity: Float64Array, demand: Float64Array, c: number, count: number): number {
  let fits = count;
  for (let r = 0; r < dimensions; r++) {
    const each = demand[c * dimensions + r] ?? 0;
    if (each > 0) fits = Math.min(fits, Math.floor((capacity[r] ?? 0) / each));
  }
  return Math.max(0, fits);
}

/** How many of one class alone a node holds when its GPUs and the rules between pods are looked at too. */
function byRules(supply: Offer | Existing, gpu: GpuNeed | null, c: number, rules: NodeRules, fits: number): number {
  let most = rules.apart[c]?.includes(c) ? 1 : fits;
  for (const { members, cap, present } of rules.caps) {
    if (!members[c]) continue;
    const there = supply.kind === 'node' ? (present.get(supply.node.name) ?? 0) : 0;
    most = Math.min(most, Math.max(0, cap - there));
  }
  const { shape } = supply.point;
  if (gpu === null || shape.isAdditive) return most;
  const room = new GpuRoom(shape, supply.kind === 'node' ? supply.node.gpuUse : []);
  let count = 0;
  while (count < most && room.take(gpu) !== null) count++;
  return count;
}

function penaltyOf({ needs }: PodClass, supply: Offer | Existing, point: Point, { settings }: PlacementInput): number {
  const rate = supply.kind === 'offer' && point.capacityType === 'spot' ? supply.entry.interruptionsPerHour : 0;
  const missed = needs.preferred.length === 0 ? 0 : missedWeight(needs, point.labels) * settings.preferencePriceMicro;
  return Math.round(rate * needs.pod.interruptionPriceMicro + missed);
}

/** Leaves out what another kind of node replaces: it costs no more, holds no less of every class, counts no more for limits. */
function withoutDominated(bins: readonly Bin[], hasSizeLimits: boolean): Bin[] {
  const groups = new Map<string, Bin[]>();
  for (const bin of bins) {
    const { pool, point } = bin.supply as Offer;
    const key = `${pool.name}|${JSON.stringify(point.shape.gpu)}|${bin.most.map((count) => (count > 0 ? 1 : 0)).join('')}`;
    const group = groups.get(key);
    if (group) group.push(bin);
    else groups.set(key, [bin]);
  }
  const dropped = new Set<Bin>();
  for (const group of groups.values()) {
    for (const bin of group) {
      if (group.some((other) => other !== bin && !dropped.has(other) && dominates(other, bin, hasSizeLimits)))
        dropped.add(bin);
    }
  }
  return bins.filter((bin) => !dropped.has(bin));
}

function dominates(a: Bin, b: Bin, hasSizeLimits: boolean): boolean {
  if (a.stock !== Number.POSITIVE_INFINITY || a.costMicro > b.costMicro || a.priceMicro > b.priceMicro) return false;
  for (let r = 0; r < dimensions; r++) if ((a.capacity[r] ?? 0) < (b.capacity[r] ?? 0)) return false;
  const [x, y] = [(a.supply as Offer).entry.offering.instanceType, (b.supply as Offer).entry.offering.instanceType];
  if (hasSizeLimits && (x.cpuMilli > y.cpuMilli || x.memoryBytes > y.memoryBytes)) return false;
  return a.penalty.every((value, c) => value <= (b.penalty[c] ?? 0));
}
