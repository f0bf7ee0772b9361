import { describe, expect, it } from 'vitest';
import { migProfileOfResource } from './gpuProfile.ts';
import { resolveWorkload } from './resolve.ts';
import { resourcesSchema } from './resources.ts';

const problems = (resources: unknown) => {
  const read = resourcesSchema.safeParse(resources);
  return read.success ? [] : read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};

function resolved(resources: unknown) {
  const metadata = { name: 'model' };
  const spec = { classes: [{ command: ['serve'], resources }] };
  const document = { apiVersion: 'ebb.dev/v1alpha1', kind: 'Workload', metadata, spec };
  return resolveWorkload(document, { baseDirectory: '/srv' }).classes[0]?.resources;
}

const nothing = { cpuMilli: 0, memoryBytes: 0, gpuMilli: 0 };

describe('GPUs of a class', () => {
  it.each([
    [{ requests: { gpu: 2 } }, { ...nothing, gpuMilli: 2000 }],
    [{ limits: { gpu: '500m' } }, { ...nothing, gpuMilli: 500 }],
    [{ requests: { gpu: 1, gpuMemory: '40Gi' } }, { ...nothing, gpuMilli: 1000, gpuMemoryBytes: 42_949_672_960 }],
    [{ limits: { gpuMemory: '8Gi' } }, { ...nothing, gpuMemoryBytes: 8_589_934_592 }],
    [{ requests: { gpuProfile: '3g.40gb' } }, { ...nothing, gpuMilli: 428, gpuMig: { profile: '3g.40gb', count: 1 } }],
    [
      { limits: { gpu: 7, gpuProfile: '1g.10gb' } },
      { ...nothing, gpuMilli: 994, gpuMig: { profile: '1g.10gb', count: 7 } },
    ],
  ])('%j', (resources, requests) => {
    expect(resolved(resources)?.requests).toEqual(requests);
  });

  it('nothing is added where no GPU is named, so that revisions stay', () => {
    expect(resolved({})).toEqual({ requests: nothing, limits: {} });
  });

  it.each([
    [{ requests: { gpu: '1500m' } }, 'requests.gpu: gpu 1500m is more than one GPU and must be whole'],
    [
      { requests: { gpu: '500m', gpuProfile: '1g.10gb' } },
      'requests.gpu: gpu 500m is a number of MIG instances and must be whole',
    ],
    [
      { requests: { gpuProfile: '1g.10gb', gpuMemory: '10Gi' } },
      'requests.gpuMemory: the profile 1g.10gb says how much memory it has; leave gpuMemory out',
    ],
    [
      { requests: { gpuProfile: '1g.10gb' }, limits: { gpuProfile: '2g.20gb' } },
      'limits.gpuProfile: the limit 2g.20gb and the request 1g.10gb are different MIG profiles',
    ],
    [
      { requests: { gpuMemory: '8Gi' }, limits: { gpuMemory: '4Gi' } },
      'limits.gpuMemory: the gpuMemory limit 4Gi is less than the gpuMemory request 8Gi',
    ],
    [
      { requests: { gpuProfile: '10gb' } },
      'requests.gpuProfile: is not the name of a MIG profile; write compute slices and memory, such as 1g.10gb, 3g.40gb or 1g.10gb+me',
    ],
  ])('%j is refused', (resources, problem) => {
    expect(problems(resources)).toEqual([problem]);
  });

  it.each([
    ['nvidia.com/mig-1g.10gb', '1g.10gb'],
    ['nvidia.com/mig-1g.10gb.me', '1g.10gb+me'],
    ['nvidia.com/gpu', null],
    ['nvidia.com/mig-all', null],
  ])('the resource %s is the profile %s', (resource, profile) => {
    expect(migProfileOfResource(resource)).toBe(profile);
  });
});
