import { catalogueCurrency, gpuCards } from '@ebb/catalogue';
import type { GpuKind, Offering } from '@ebb/core';
import { type Column, table } from '../text/table.ts';

const gib = 1024 ** 3;

/** Offerings as a table; the zone only where some price is of one zone. */
export function offeringLines(offerings: readonly Offering[]): string[] {
  const hasZones = offerings.some(({ zone }) => zone !== '*');
  const columns: Column<Offering>[] = [
    { title: 'cloud', value: ({ instanceType }) => instanceType.cloud },
    { title: 'region', value: ({ region }) => region },
    ...(hasZones ? [{ title: 'zone', value: ({ zone }: Offering) => zone }] : []),
    { title: 'instance', value: ({ instanceType }) => instanceType.name },
    { title: 'vcpu', align: 'right', value: ({ instanceType }) => String(instanceType.cpuMilli / 1000) },
    { title: 'memory', align: 'right', value: ({ instanceType }) => sizeText(instanceType.memoryBytes) },
    { title: 'gpu', value: ({ instanceType }) => gpuText(instanceType.gpu) },
    {
      title: 'gpu memory',
      align: 'right',
      value: ({ instanceType: { gpu } }) => (gpu ? sizeText(gpu.memoryBytes) : ''),
    },
    { title: 'capacity', value: ({ capacityType }) => capacityType },
    { title: `${catalogueCurrency}/h`, align: 'right', value: ({ pricePerHourMicro }) => priceText(pricePerHourMicro) },
  ];
  return table(columns, [...offerings]);
}

/** A zone as people read it: `*` is whichever the cloud has. */
export function zoneText(zone: string): string {
  return zone === '*' ? 'any' : zone;
}

/** `8 x H100-80GB`, `L4`, `1/8 L4`. */
export function gpuText(gpu: GpuKind | null): string {
  if (!gpu) return '';
  if (gpu.sliceMilli !== undefined) return `1/${Math.round(1000 / gpu.sliceMilli)} ${gpu.model}`;
  return gpu.count === 1 ? gpu.model : `${gpu.count} x ${gpu.model}`;
}

export const sizeText = (bytes: number): string => `${Number((bytes / gib).toFixed(2))} GiB`;

/** Four decimals, or six where the price has more. */
function priceText(micro: number): string {
  return (micro / 1e6).toFixed(6).replace(/00$/, '');
}

/** One offering for a machine, with the names of the core. */
export function offeringJson({ id, instanceType, region, zone, capacityType, pricePerHourMicro }: Offering) {
  const { name, cloud, architecture, cpuMilli, memoryBytes, gpu } = instanceType;
  return {
    id,
    cloud,
    region,
    zone,
    instance: name,
    architecture,
    cpuMilli,
    memoryBytes,
    gpu: gpu && { ...gpu, cards: gpuCards(gpu) },
    capacityType,
    currency: catalogueCurrency,
    pricePerHourMicro,
  };
}
