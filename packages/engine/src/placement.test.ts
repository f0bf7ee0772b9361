import { apiVersion, type ClusterInput, type NodePoolInput, type WorkloadInput } from '@ebb/documents';
import { applyInput, VirtualSystem, workloadDocument } from '@ebb/testing';
import { describe, expect, it } from 'vitest';
import type { ApplyInput } from './types.ts';

type Placement = NonNullable<WorkloadInput['spec']['placement']>;

function documentInput(kind: 'Cluster' | 'NodePool', document: ClusterInput | NodePoolInput): ApplyInput {
  const { name } = document.metadata;
  const cluster = kind === 'Cluster' ? name : 'prod';
  return { apiVersion, kind, key: { cluster, namespace: 'default', name }, document, origin: null };
}
const prod = documentInput('Cluster', {
  apiVersion,
  kind: 'Cluster',
  metadata: { name: 'prod' },
  spec: { type: 'kubernetes', cloud: 'gcp' },
});
const pool = documentInput('NodePool', {
  apiVersion,
  kind: 'NodePool',
  metadata: { name: 'gpu' },
  spec: { cluster: 'prod' },
});
const placed = (placement: Placement) => {
  const document = workloadDocument('web');
  return applyInput({ ...document, spec: { ...document.spec, placement } });
};

describe('apply', () => {
  it('refuses by what is stored and by what comes in the same batch, and stores nothing of it', async () => {
    const system = new VirtualSystem();
    await system.start();
    const expected = { code: 'placement', path: 'spec.placement.pools' };
    await expect(system.engine.apply([prod, pool, placed({ pools: ['gpu'] })])).rejects.toMatchObject({
      ...expected,
      index: 2,
    });
    expect(await system.store.documents.list()).toEqual([]);
    await system.engine.apply([prod, pool]);
    await expect(system.engine.apply([placed({ pools: ['gpu'] })])).rejects.toMatchObject(expected);
    expect(system.engine.statuses()).toEqual([]);
  });

  it('takes what the batch makes local', async () => {
    const system = new VirtualSystem();
    await system.start();
    await system.engine.apply([prod, pool]);
    const rehearsal = documentInput('Cluster', {
      apiVersion,
      kind: 'Cluster',
      metadata: { name: 'prod' },
      spec: { type: 'rehearsal', cloud: 'gcp' },
    });
    const outcomes = await system.engine.apply([rehearsal, placed({ pools: ['gpu'] })]);
    expect(outcomes.map(({ action }) => action)).toEqual(['configured', 'created']);
    expect(system.engine.statuses().map(({ name }) => name)).toEqual(['web']);
  });
});
