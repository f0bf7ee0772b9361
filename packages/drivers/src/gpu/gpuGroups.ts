import type {
  GpuHolding,
  GpuKind,
  GpuNeed,
  GpuPlacement,
  GpuSharing,
  GpuUse,
  MachineGpu,
  MachineGpus,
} from '@ebb/core';

/** GPUs of a machine that are alike, so that one rule says how they are given out. */
export interface GpuGroup {
  kind: GpuKind;
  sharing: GpuSharing;
  gpus: MachineGpu[];
}

/** The machine's GPUs by model, memory and MIG mode: NVIDIA's first, then those with least memory, so that the larger stay free. */
export function gpuGroups({ gpus, sharing }: Pick<MachineGpus, 'gpus' | 'sharing'>, need: GpuNeed): GpuGroup[] {
  const groups = new Map<string, GpuGroup>();
  for (const gpu of gpus) {
    const { vendor, model, memoryBytes, mig } = gpu;
    const key = `${vendor} ${model} ${memoryBytes} ${mig !== null}`;
    const group = groups.get(key) ?? {
      kind: { vendor, model, count: 0, memoryBytes },
      sharing: mig !== null ? { kind: 'mig' } : vendor === 'nvidia' ? sharing : { kind: 'none' },
      gpus: [],
    };
    group.kind.count += 1;
    group.gpus.push(gpu);
    groups.set(key, group);
  }
  const isMeant = ({ sharing: { kind } }: GpuGroup) => (kind === 'mig') === (need.kind === 'mig');
  return [...groups.values()].sort(
    (left, right) =>
      Number(isMeant(right)) - Number(isMeant(left)) ||
      Number(right.kind.vendor === 'nvidia') - Number(left.kind.vendor === 'nvidia') ||
      left.kind.memoryBytes - right.kind.memoryBytes,
  );
}

/** What is taken on one GPU. The driver's list does not say where instances begin: their place in it stands for that. */
export function useOf(gpu: MachineGpu, holdings: readonly GpuHolding[]): GpuUse {
  const held = holdings.filter(({ devices }) => devices.includes(gpu.id));
  return {
    whole: held.some(({ taken }) => taken.kind === 'whole'),
    shares: held.flatMap(({ taken }) => (taken.kind === 'share' ? [taken] : [])),
    instances: (gpu.mig ?? []).map(({ profile, id }, start) => ({
      profile,
      start,
      inUse: holdings.some(({ devices }) => devices.includes(id)),
    })),
  };
}

/** The devices of a placement by id. */
export function placedDevices(
  gpus: readonly MachineGpu[],
  holdings: readonly GpuHolding[],
  placement: GpuPlacement,
): Omit<GpuHolding, 'env'> {
  const idOf = (index: number) => gpus[index]?.id ?? [];
  if (placement.kind === 'whole') return { devices: placement.gpus.flatMap(idOf), taken: { kind: 'whole' } };
  if (placement.kind === 'share') {
    const { gpu, gpuMilli, memoryBytes } = placement;
    return { devices: [idOf(gpu)].flat(), taken: { kind: 'share', gpuMilli, memoryBytes } };
  }
  const devices = placement.instances.flatMap(({ gpu, start }) => gpus[gpu]?.mig?.[start]?.id ?? []);
  const isTaken = devices.some((id) => holdings.some((one) => one.devices.includes(id)));
  if (isTaken || devices.length < placement.instances.length) throw new Error('an instance was given out twice');
  return { devices, taken: { kind: 'mig' } };
}
