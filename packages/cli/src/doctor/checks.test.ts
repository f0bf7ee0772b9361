import type { MachineGpus } from '@ebb/core';
import { expect, test } from 'vitest';
import { checkGpus } from './checks.ts';

const none: MachineGpus = {
  state: 'none',
  message: 'none',
  driverVersion: null,
  mps: false,
  sharing: { kind: 'fraction' },
  gpus: [],
  labels: {},
};

test.each<[MachineGpus, string, string, string | null]>([
  [none, 'ok', 'none; workloads run on the CPU', null],
  [
    { ...none, state: 'ok', message: '1 × Tesla T4', driverVersion: '535.183.01', mps: true },
    'ok',
    '1 × Tesla T4; driver 535.183.01, sharing fraction, MPS',
    null,
  ],
  [
    { ...none, state: 'ok', message: '2 × AMD GPU', sharing: { kind: 'time-slicing', replicas: 4 } },
    'ok',
    '2 × AMD GPU; sharing time-slicing by 4',
    null,
  ],
  [
    { ...none, state: 'broken', message: 'nvidia-smi did not answer within 10 s' },
    'hint',
    'nvidia-smi did not answer within 10 s',
    'workloads that need a GPU are refused until this is repaired',
  ],
])('the accelerator line of doctor: %j', async (machine, state, found, hint) => {
  expect(await checkGpus(() => Promise.resolve(machine))).toEqual({ name: 'accelerator', state, found, hint });
});
