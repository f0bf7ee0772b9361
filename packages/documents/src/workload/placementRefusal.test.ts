import { describe, expect, it } from 'vitest';
import { placementRefusal, type Places } from './placementRefusal.ts';
import { resolveWorkload } from './resolve.ts';
import type { WorkloadInput } from './workload.ts';

type Placement = NonNullable<WorkloadInput['spec']['placement']>;

const clusters = new Map([
  ['local', { type: 'local', cloud: 'local', region: null }],
  ['dry', { type: 'rehearsal', cloud: 'aws', region: 'eu-west-1' }],
  ['prod', { type: 'kubernetes', cloud: 'aws', region: 'us-east-1' }],
] as const);
const pools = [
  { namespace: 'default', name: 'gpu', cluster: 'prod' },
  { namespace: 'default', name: 'cpu', cluster: 'prod' },
  { namespace: 'default', name: 'cpu', cluster: 'dry' },
  { namespace: 'other', name: 'hidden', cluster: 'local' },
];

const complete: Places = { clusters, pools, isComplete: true };

function refusal(placement: Placement | undefined, cluster = 'local', places = complete) {
  const document = {
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'Workload',
    metadata: { name: 'web' },
    spec: { cluster, classes: [{ command: ['./web'] }], ...(placement ? { placement } : {}) },
  };
  return placementRefusal(resolveWorkload(document, { baseDirectory: '/' }), places);
}

const only = 'this Ebb runs replicas on its own machine, in clusters of type local or rehearsal';

describe('placement on one machine', () => {
  it.each<[string, Placement | undefined]>([
    ['nothing is named', undefined],
    ['the local cluster, among others', { clusters: ['prod', 'local'] }],
    ['a rehearsal', { clusters: ['dry'] }],
    ['a region that a rehearsal is in', { regions: ['us-east-1', 'eu-west-1'] }],
    ['a pool of that name in a rehearsal', { pools: ['cpu'] }],
    ['all of them at once', { clusters: ['dry', 'prod'], pools: ['gpu', 'cpu'], regions: ['eu-west-1'] }],
  ])('takes %s', (_what, placement) => {
    expect(refusal(placement)).toBeNull();
  });

  it.each<[Placement, string, string]>([
    [{ clusters: ['prod'] }, 'clusters', `it is placed in cluster "prod" (kubernetes, aws); ${only}`],
    [{ pools: ['gpu'] }, 'pools', `it is placed in pool "gpu" of cluster "prod" (kubernetes, aws); ${only}`],
    [{ clusters: ['local'], pools: ['cpu'] }, 'pools', expect.stringContaining('it is placed in pool "cpu" of')],
    [
      { regions: ['us-east-1'] },
      'regions',
      `it is placed in us-east-1, and of regions cluster "local" has none, cluster "dry" is in eu-west-1; ${only}`,
    ],
    [{ clusters: ['local', 'prd'] }, 'clusters[1]', 'there is no cluster "prd"; did you mean "prod"?'],
    [{ pools: [{ name: 'gpus', priority: 1 }] }, 'pools[0]', 'there is no node pool "gpus"; did you mean "gpu"?'],
    [{ pools: ['hidden'] }, 'pools[0]', 'there is no node pool "hidden"; there are gpu, cpu'],
    [
      { pools: [{ name: 'gpu', cluster: 'dry' }] },
      'pools[0]',
      'there is no node pool "gpu" in cluster "dry"; there are gpu, cpu',
    ],
  ])('refuses %j', (placement, path, message) => {
    expect(refusal(placement)).toEqual({ path: `spec.placement.${path}`, message });
  });

  it('refuses the cluster of the workload itself where that is known to be elsewhere', () => {
    expect(refusal(undefined, 'prod')).toMatchObject({ path: 'spec.cluster' });
    expect(refusal(undefined, 'nobody-knows')).toBeNull();
  });

  it('does not guess where more may be known elsewhere', () => {
    const some = { ...complete, isComplete: false };
    expect(refusal({ clusters: ['prd'] }, 'local', some)).toBeNull();
    expect(refusal({ pools: ['gpus'] }, 'local', some)).toBeNull();
    expect(refusal({ pools: ['gpu'] }, 'local', some)).toMatchObject({ path: 'spec.placement.pools' });
    expect(refusal({ pools: ['gpu'] }, 'local', { clusters: new Map(), pools, isComplete: false })).toBeNull();
  });
});
