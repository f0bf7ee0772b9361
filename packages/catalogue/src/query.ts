import type { CapacityType, GpuKind, GpuVendor, Offering } from '@ebb/core';
import { foldModel } from './gpuModels.ts';
import { glob } from './priceFactor.ts';

/** What is left out does not restrict. */
export interface OfferingQuery {
  cloud?: string;
  region?: string;
  /** Offerings whose price holds in every zone of a region are in each of its zones. */
  zone?: string;
  /** `*` stands for any text: `g5.*`. */
  instance?: string;
  /** Part of the model's name, separators and case aside: `a100` is A100-40GB and A100-80GB. */
  gpu?: string;
  gpuVendor?: GpuVendor;
  /** In cards: a slice counts as its part of one. */
  minGpus?: number;
  /** Of one device. */
  minGpuMemoryBytes?: number;
  minCpuMilli?: number;
  minMemoryBytes?: number;
  architecture?: 'amd64' | 'arm64';
  capacityTypes?: readonly CapacityType[];
}

/** Cards of a machine; a fixed slice is a part of one. */
export function gpuCards(gpu: GpuKind | null): number {
  return gpu ? (gpu.count * (gpu.sliceMilli ?? 1000)) / 1000 : 0;
}

/** The offerings that fit, cheapest first; at one price by id. */
export function queryOfferings(offerings: readonly Offering[], query: OfferingQuery): Offering[] {
  const instance = query.instance === undefined ? null : glob(query.instance);
  const model = query.gpu === undefined ? null : modelMatcher(query.gpu, offerings);
  const fits = (offering: Offering): boolean => {
    const { instanceType: type, region, zone, capacityType } = offering;
    const { gpu } = type;
    return (
      (query.cloud === undefined || type.cloud === query.cloud) &&
      (query.region === undefined || region === query.region) &&
      (query.zone === undefined || zone === query.zone || zone === '*') &&
      (instance === null || instance.test(type.name)) &&
      (model === null || (gpu !== null && model(gpu.model))) &&
      (query.gpuVendor === undefined || gpu?.vendor === query.gpuVendor) &&
      gpuCards(gpu) >= (query.minGpus ?? 0) &&
      (gpu?.memoryBytes ?? 0) >= (query.minGpuMemoryBytes ?? 0) &&
      type.cpuMilli >= (query.minCpuMilli ?? 0) &&
      type.memoryBytes >= (query.minMemoryBytes ?? 0) &&
      (query.architecture === undefined || type.architecture === query.architecture) &&
      (query.capacityTypes === undefined || query.capacityTypes.includes(capacityType))
    );
  };
  return offerings
    .filter(fits)
    .sort((a, b) => a.pricePerHourMicro - b.pricePerHourMicro || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

/** A name that is a model's whole name means that one alone: `A10` is not `A10G`. */
function modelMatcher(name: string, offerings: readonly Offering[]): (model: string) => boolean {
  const wanted = foldModel(name);
  const models = new Set(offerings.flatMap(({ instanceType: { gpu } }) => (gpu ? [foldModel(gpu.model)] : [])));
  if (models.has(wanted)) return (model) => foldModel(model) === wanted;
  return (model) => foldModel(model).startsWith(wanted);
}

/** Every cloud, region and GPU model that is in the list, sorted, for messages. */
export function catalogueNames(offerings: readonly Offering[]): {
  clouds: string[];
  regions: string[];
  gpus: string[];
} {
  const clouds = new Set<string>();
  const regions = new Set<string>();
  const gpus = new Set<string>();
  for (const { instanceType, region } of offerings) {
    clouds.add(instanceType.cloud);
    regions.add(region);
    if (instanceType.gpu) gpus.add(instanceType.gpu.model);
  }
  return { clouds: [...clouds].sort(), regions: [...regions].sort(), gpus: [...gpus].sort() };
}
