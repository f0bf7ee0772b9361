import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { commandFolder } from '../runMain.fixture.ts';

const { at, write, read, ebb } = commandFolder({ of: 'test' });

const pool = (spec: string) => `apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: web }
spec: ${spec}
`;
const autoscaler = (...flags: string[]) => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ca }
spec: { template: { spec: { containers: [{ image: cluster-autoscaler, command: ${JSON.stringify(flags)} }] } } }
`;

describe('ebb import karpenter and cluster-autoscaler', () => {
  it('end with 0 where every field counts', async () => {
    write('pool.yaml', pool('{ weight: 3 }'));
    const { code, out } = await ebb('import', 'karpenter', '-f', 'pool.yaml');
    expect(code).toBe(0);
    expect(out).toContain('2 of 2 fields are honoured.');
    write('ca.yaml', autoscaler('--nodes=0:3:web'));
    expect((await ebb('import', 'cluster-autoscaler', '-f', 'ca.yaml')).code).toBe(0);
  });

  it('end with 1 where some are ignored, with all of it as JSON', async () => {
    write('ca.yaml', autoscaler('--nodes=0:3:web', '--v=4', '--expander=price,random'));
    const { code, out } = await ebb('import', 'cluster-autoscaler', '-f', 'ca.yaml', '--cluster', 'prod', '--json');
    expect(code).toBe(1);
    const { counts, documents, fields } = JSON.parse(out);
    expect(counts).toEqual({ fields: 3, honoured: 1, approximated: 1, ignored: 1 });
    expect(documents[0]).toMatchObject({ kind: 'Cluster', document: { metadata: { name: 'prod' } } });
    expect(fields[1]).toEqual({
      file: 'ca.yaml',
      line: 4,
      column: expect.any(Number),
      object: 'deployment/ca',
      field: '--v',
      value: '4',
      result: 'ignored',
      becomes: null,
      reason: "it belongs to the autoscaler's own process",
    });
  });

  it('end with 2 and write nothing where something is wrong, at its place', async () => {
    write('pool.yaml', pool('{ weight: many }'));
    const { code, err } = await ebb('import', 'karpenter', '-f', 'pool.yaml', '--write', 'nodes');
    expect(code).toBe(2);
    expect(err).toContain('pool.yaml:4:17: error: spec.weight must be a whole number from 0 to 100, found the string');
    expect(existsSync(at('nodes'))).toBe(false);
    write('none.yaml', 'kind: Service\napiVersion: v1\n');
    expect(await ebb('import', 'cluster-autoscaler', '-f', 'none.yaml')).toMatchObject({
      code: 2,
      err: expect.stringContaining('there is no Deployment of Cluster Autoscaler in it'),
    });
    expect(await ebb('import', 'karpenter', '-f', 'pool.yaml', '--cluster', 'No Name')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--cluster: "No Name" is no name of a Cluster'),
    });
  });

  it('write what validates, and never over a file', async () => {
    write('pool.yaml', pool('{ weight: 3 }'));
    const { out } = await ebb('import', 'karpenter', '-f', 'pool.yaml', '--write', 'nodes');
    expect(out).toContain('wrote nodes/cluster-karpenter.yaml\nwrote nodes/nodepool-web.yaml\n');
    expect(read('nodes/nodepool-web.yaml')).toMatch(/^# no karpenter.sh\/capacity-type/);
    expect((await ebb('validate', '-f', 'nodes')).code).toBe(0);
    const again = await ebb('import', 'karpenter', '-f', 'pool.yaml', '--write', 'nodes');
    expect(again).toMatchObject({
      code: 2,
      err: expect.stringContaining('nodes/cluster-karpenter.yaml is there alre'),
    });
    mkdirSync(at('other'));
    write('other/nodepool-web.yaml', 'mine');
    await ebb('import', 'karpenter', '-f', 'pool.yaml', '--write', 'other');
    expect(readdirSync(at('other'))).toEqual(['nodepool-web.yaml']);
  });

  it('are listed beside keda', async () => {
    const { out } = await ebb('import', '--help');
    for (const name of ['keda', 'karpenter', 'cluster-autoscaler']) expect(out).toContain(name);
  });
});
