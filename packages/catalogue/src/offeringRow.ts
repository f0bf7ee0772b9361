import type { CapacityType, GpuKind, GpuVendor, InstanceType, Offering } from '@ebb/core';
import { nearest, parseMoneyMicro } from '@ebb/documents';
import { gpuVendors, knownGpu } from './gpuModels.ts';

/** Columns of a price file; those marked with true must have a value in every row. */
export const rowColumns = {
  cloud: true,
  region: true,
  zone: false,
  instance: true,
  arch: false,
  vcpu: true,
  memory_gib: true,
  gpu_vendor: false,
  gpu_model: false,
  gpu_count: false,
  gpu_mem_gib: false,
  max_pods: false,
  on_demand_usd_h: false,
  spot_usd_h: false,
  reserved_usd_h: false,
} as const;

export type RowColumn = keyof typeof rowColumns;
export type Row = Partial<Record<RowColumn, string>>;

/** Zone of offerings whose price holds in every zone of their region. */
export const anyZone = '*';
/** The kubelet's default. */
const defaultMaxPods = 110;
const gib = 1024 ** 3;
const architectures = ['amd64', 'arm64'] as const;
const prices: [RowColumn, CapacityType][] = [
  ['on_demand_usd_h', 'on-demand'],
  ['spot_usd_h', 'spot'],
  ['reserved_usd_h', 'reserved'],
];

/** The offerings of one row: one for each price that it has. Throws an Error that names the column and what was found. */
export function offeringsOfRow(row: Row): Offering[] {
  for (const [name, isRequired] of Object.entries(rowColumns)) {
    if (isRequired && !textOf(row, name as RowColumn)) throw new Error(`${name} is missing`);
  }
  const instanceType = instanceTypeOf(row);
  const region = textOf(row, 'region');
  const zone = textOf(row, 'zone') || anyZone;
  const offerings: Offering[] = [];
  for (const [column, capacityType] of prices) {
    const text = textOf(row, column);
    if (text === '') continue;
    const price = parseMoneyMicro(text);
    if ('error' in price) throw new Error(`${column}: ${price.error}`);
    const id = `${instanceType.cloud}/${region}/${zone}/${instanceType.name}/${capacityType}`;
    offerings.push({ id, instanceType, region, zone, capacityType, pricePerHourMicro: price.value });
  }
  if (offerings.length === 0)
    throw new Error(`no price: one of ${prices.map(([column]) => column).join(', ')} is needed`);
  return offerings;
}

function instanceTypeOf(row: Row): InstanceType {
  const name = textOf(row, 'instance');
  const arch = textOf(row, 'arch') || 'amd64';
  const architecture = architectures.find((one) => one === arch);
  if (!architecture)
    throw new Error(`arch "${arch}" is none of ${architectures.join(', ')}${meant(arch, architectures)}`);
  const gpu = gpuOf(row);
  return {
    name,
    cloud: textOf(row, 'cloud'),
    architecture,
    cpuMilli: Math.round(numberOf(row, 'vcpu') * 1000),
    memoryBytes: Math.round(numberOf(row, 'memory_gib') * gib),
    gpu,
    maxPods: row.max_pods ? Math.round(numberOf(row, 'max_pods')) : defaultMaxPods,
    labels: {
      'kubernetes.io/arch': architecture,
      'kubernetes.io/os': 'linux',
      'node.kubernetes.io/instance-type': name,
      ...(gpu ? { 'ebb.dev/gpu-vendor': gpu.vendor, 'ebb.dev/gpu-model': gpu.model } : {}),
    },
  };
}

function gpuOf(row: Row): GpuKind | null {
  const model = textOf(row, 'gpu_model');
  if (model === '') {
    if (textOf(row, 'gpu_count') !== '') throw new Error('gpu_count without gpu_model');
    return null;
  }
  const known = knownGpu(model);
  const vendor = textOf(row, 'gpu_vendor') ? vendorOf(textOf(row, 'gpu_vendor')) : known?.vendor;
  if (!vendor) throw new Error(`gpu_model "${model}" is not known; name its gpu_vendor (${gpuVendors.join(', ')})`);
  const count = numberOf(row, 'gpu_count');
  const memoryBytes = Math.round(numberOf(row, 'gpu_mem_gib') * gib);
  const kind = { vendor, model: known?.model ?? model, memoryBytes };
  // Below one it is a fixed slice of a card, which the machine sees as one device.
  if (count < 1) return { ...kind, count: 1, sliceMilli: Math.round(count * 1000) };
  if (!Number.isInteger(count)) throw new Error(`gpu_count ${count} is neither a whole number nor a slice below 1`);
  return { ...kind, count };
}

function vendorOf(text: string): GpuVendor {
  const found = gpuVendors.find((one) => one === text.toLowerCase());
  if (!found) throw new Error(`gpu_vendor "${text}" is none of ${gpuVendors.join(', ')}${meant(text, gpuVendors)}`);
  return found;
}

const textOf = (row: Row, column: RowColumn): string => row[column]?.trim() ?? '';

function numberOf(row: Row, column: RowColumn): number {
  const text = textOf(row, column);
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0) {
    throw new Error(text === '' ? `${column} is missing` : `${column} "${text}" is not a number above 0`);
  }
  return value;
}

export function meant(found: string, allowed: readonly string[]): string {
  const name = nearest(found, allowed);
  return name === undefined ? '' : `; did you mean "${name}"?`;
}
