import type { MachineGpu, MachineGpus } from '@ebb/core';
import { describe, expect, it } from 'vitest';
import { noLimits } from './limits.ts';
import { gpuMilliOf, gpusStatus, withinMachine } from './machineGpus.ts';

const gpu = (index: number, profiles: string[] | null): MachineGpu => ({
  index,
  vendor: 'nvidia',
  model: 'NVIDIA A100-SXM4-40GB',
  memoryBytes: 40 * 1024 ** 3,
  id: `GPU-${index}`,
  mig: profiles && profiles.map((profile, instance) => ({ profile, id: `MIG-${index}-${instance}` })),
});

const machine = (gpus: MachineGpu[]): MachineGpus => ({
  state: gpus.length > 0 ? 'ok' : 'none',
  message: 'as found',
  driverVersion: '535.104.05',
  mps: false,
  sharing: { kind: 'mps', replicas: 4 },
  gpus,
  labels: {},
});

describe('limits of a machine with GPUs', () => {
  it('whole ones, and instances by their part of the compute slices', () => {
    const gpus = [gpu(0, null), gpu(1, ['3g.20gb', '3g.20gb']), gpu(2, []), gpu(3, ['1c.3g.20gb'])];
    expect(gpuMilliOf(machine(gpus))).toBe(1000 + 2 * 428 + 428);
    expect(gpusStatus(machine(gpus))).toMatchObject({ state: 'ok', sharing: 'mps by 4', gpuMilli: 2284 });
  });

  it('no more than there is, no more than the document allows, and no limit where there is none', () => {
    const two = machine([gpu(0, null), gpu(1, null)]);
    const limited = (gpuMilli: number | null) => ({ ...noLimits, capacity: { ...noLimits.capacity, gpuMilli } });
    expect(withinMachine(noLimits, two)).toEqual(limited(2000));
    expect(withinMachine(limited(500), two)).toEqual(limited(500));
    expect(withinMachine(limited(4000), two)).toEqual(limited(2000));
    expect(withinMachine(noLimits, machine([]))).toBe(noLimits);
    expect(withinMachine(noLimits, null)).toBe(noLimits);
    expect(gpusStatus(null)).toBeNull();
  });
});
