import { noReserve } from '../placement/allocatable.ts';
import { nearest, type NodePoolSpec, type PriceFactorSpec } from '@ebb/documents';
import { offeringLabels } from '../placement/supply.ts';
import type { NodeLimits, PlacementPool, PoolOffering } from '../placement/types.ts';
import { meets, requirementsOf } from '../requirements/requirements.ts';
import type { Offering, Requirement } from '../types.ts';
import type { NamedPool } from './podsOf.ts';
import { hoursPerMonth, knownNames, type Remarks } from './question.ts';
import { usualMachines } from './usualMachines.ts';
import { anyZone } from './zoneNames.ts';

/** Where a pool's machines are. */
export interface Place {
  cloud: string;
  region: string;
}

/** What is for sale there. */
export interface Market {
  place: Place;
  /** Of the cloud, in all regions. */
  cloudOfferings: readonly Offering[];
  /** Of cloud and region. */
  offerings: readonly Offering[];
  zones: readonly string[];
  /** Of the replicas that may come there. */
  requirements: readonly Requirement[];
  currency: string;
  /** A fleet heeds more of a pool than a plan does. */
  isForFleet: boolean;
}

const unused = { nodes: 0, cpuMilli: 0, memoryBytes: 0, gpus: 0, pricePerHourMicro: 0 };
export const noLimits: NodeLimits = {
  nodes: null,
  cpuMilli: null,
  memoryBytes: null,
  gpus: null,
  pricePerHourMicro: null,
};

/** All that a region has, on demand and spot, as one pool. */
export function catalogueMarketPool(
  name: string,
  cluster: string,
  sharing: PlacementPool['sharing'],
  { offerings, zones, requirements }: Market,
  remarks: Remarks,
): PlacementPool {
  const sold = usualMachines(offerings, requirements, remarks).filter(
    ({ capacityType }) => capacityType !== 'reserved',
  );
  return {
    ...{ name, cluster, sharing, labels: {}, taints: [], limits: noLimits, used: unused, startMs: 0 },
    reserve: noReserve,
    offerings: sold.flatMap((offering) => inZones(offering, zones)).map(poolOffering),
  };
}

/** A NodePool with what it may buy. */
export function poolOf({ spec, name }: NamedPool, market: Market, remarks: Remarks): PlacementPool {
  checkInstanceTypes(spec, market, remarks);
  tellUnheeded(spec, market, remarks.notes);
  const machineKeys = new Set(market.offerings.flatMap(({ instanceType }) => Object.keys(instanceType.labels)));
  const pool: PlacementPool = {
    ...{ name, cluster: spec.key.cluster, taints: spec.taints, sharing: spec.gpuSharing, used: unused, offerings: [] },
    labels: spec.nodeLabels,
    reserve: { ...spec.reserved, memoryShare: 0, pods: 0 },
    limits: limitsOfPool(spec, market.currency, remarks.notes),
    startMs: spec.startStages.totalMs,
  };
  const rulesOnMachines = [...market.requirements, ...spec.requirements];
  const machines =
    spec.instanceTypes.length === 0
      ? usualMachines(market.offerings, rulesOnMachines, remarks)
      : market.offerings.filter(({ instanceType }) => spec.instanceTypes.includes(instanceType.name));
  const offered = machines
    .filter(({ capacityType }) => spec.capacityTypes.includes(capacityType))
    .map((offering) => withMaxPods(priced(offering, spec, remarks.notes), spec.maxPods))
    .flatMap((offering) => inZones(offering, market.zones))
    .map(poolOffering);
  const [sample] = offered;
  if (sample) for (const key of Object.keys(offeringLabels(pool, sample))) machineKeys.add(key);
  // As with Karpenter: a rule that leaves one value of a label that machines do not have gives it to the nodes.
  const given = spec.requirements.filter(
    ({ key, operator, values }) => operator === 'In' && values.length === 1 && !machineKeys.has(key),
  );
  const labels = { ...Object.fromEntries(given.map(({ key, values: [value = ''] }) => [key, value])), ...pool.labels };
  const rules = requirementsOf(spec.requirements);
  const labelled = { ...pool, labels };
  const offerings = offered.filter((entry) => meets(rules, offeringLabels(labelled, entry)));
  if (offerings.length === 0) {
    const { cloud, region } = market.place;
    remarks.notes.add(`pool ${name}: the list of prices has no machine of ${cloud} ${region} that fits it`);
  }
  return { ...labelled, offerings };
}

function poolOffering(offering: Offering): PoolOffering {
  return { offering, backedOffUntilMs: null, stock: null, interruptionsPerHour: 0 };
}

function inZones(offering: Offering, zones: readonly string[]): Offering[] {
  if (offering.zone !== anyZone) return [offering];
  const { instanceType, region, capacityType } = offering;
  return zones.map((zone) => ({
    ...offering,
    zone,
    id: `${instanceType.cloud}/${region}/${zone}/${instanceType.name}/${capacityType}`,
  }));
}

function withMaxPods(offering: Offering, maxPods: number | null): Offering {
  if (maxPods === null || maxPods >= offering.instanceType.maxPods) return offering;
  return { ...offering, instanceType: { ...offering.instanceType, maxPods } };
}

function priced(offering: Offering, { key, priceFactors }: NodePoolSpec, notes: Set<string>): Offering {
  const factor = priceFactors.find((one) => factorFits(one, offering));
  if (!factor) return offering;
  if (factor.commitmentPerHourMicro !== null) {
    notes.add(`pool ${key.name}: price factor ${factor.name} has a commitment; list prices are reckoned with`);
    return offering;
  }
  return { ...offering, pricePerHourMicro: Math.round(offering.pricePerHourMicro * factor.factor) };
}

function factorFits(
  { capacityTypes, instanceTypes }: PriceFactorSpec,
  { capacityType, instanceType }: Offering,
): boolean {
  if (capacityTypes.length > 0 && !capacityTypes.includes(capacityType)) return false;
  const fits = (pattern: string) =>
    pattern.endsWith('*') ? instanceType.name.startsWith(pattern.slice(0, -1)) : instanceType.name === pattern;
  return instanceTypes.length === 0 || instanceTypes.some(fits);
}

function limitsOfPool(
  { key, maxNodes, limits, budget }: NodePoolSpec,
  currency: string,
  notes: Set<string>,
): NodeLimits {
  const amounts = [budget.perHourMicro, budget.perMonthMicro === null ? null : budget.perMonthMicro / hoursPerMonth];
  const most = amounts.filter((amount) => amount !== null);
  const isCounted = budget.currency === currency;
  if (most.length > 0 && !isCounted) {
    notes.add(`pool ${key.name}: its budget is in ${budget.currency}, prices are in ${currency}; it does not count`);
  }
  return {
    nodes: maxNodes,
    cpuMilli: limits.cpuMilli,
    memoryBytes: limits.memoryBytes,
    gpus: limits.gpuMilli === null ? null : Math.floor(limits.gpuMilli / 1000),
    pricePerHourMicro: most.length > 0 && isCounted ? Math.floor(Math.min(...most)) : null,
  };
}

function checkInstanceTypes(spec: NodePoolSpec, { place, cloudOfferings, offerings }: Market, remarks: Remarks): void {
  const known = machineNames(cloudOfferings);
  const sold = machineNames(offerings);
  const absent = spec.instanceTypes.filter((type) => known.includes(type) && !sold.includes(type));
  if (absent.length > 0) {
    const where = `${place.cloud} ${place.region}`;
    remarks.notes.add(`pool ${spec.key.name}: the list of prices has no ${absent.join(', ')} in ${where}`);
  }
  for (const type of spec.instanceTypes) {
    if (known.includes(type)) continue;
    const meant = knownNames(nearest(type, known), known);
    remarks.problems.add(
      `NodePool ${spec.key.name}: the list of prices has no machine "${type}" of ${place.cloud}${meant}`,
    );
  }
}

function machineNames(offerings: readonly Offering[]): string[] {
  return [...new Set(offerings.map(({ instanceType }) => instanceType.name))].sort();
}

function tellUnheeded(
  { key, requirements, minNodes, warmSpares, weight }: NodePoolSpec,
  { isForFleet }: Market,
  notes: Set<string>,
): void {
  const fields = [
    ...(minNodes > 0 && !isForFleet ? ['minNodes'] : []),
    ...(warmSpares > 0 && !isForFleet ? ['warmSpares'] : []),
    ...(weight > 0 && !isForFleet ? ['weight'] : []),
    ...(requirements.some(({ minValues }) => minValues !== null) ? ['minValues'] : []),
  ];
  if (fields.length === 0) return;
  const what = isForFleet ? 'nodes are' : 'the plan has';
  notes.add(`pool ${key.name}: ${fields.join(', ')} not heeded; ${what} what replicas need, as cheap as can be`);
}
