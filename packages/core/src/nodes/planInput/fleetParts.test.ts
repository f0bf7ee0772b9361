import { parseDocuments, resolveCluster, resolveNodePool } from '@ebb/documents';
import { expect, test } from 'vitest';
import { machine } from '../placement/placement.fixture.ts';
import { fleetPartsOf } from './fleetParts.ts';

const cluster =
  'apiVersion: ebb.dev/v1alpha1\nkind: Cluster\nmetadata: { name: local }\nspec: { type: rehearsal, cloud: aws, region: r1 }\n';
const pool = (name: string, spec: string) =>
  `---\napiVersion: ebb.dev/v1alpha1\nkind: NodePool\nmetadata: { name: ${name} }\nspec: ${spec}\n`;

test('a pool of the fleet has the hedge of its document with the time of its starts, and repairs its nodes', () => {
  const text = `${cluster}${pool('plain', '{ cluster: local }')}${pool(
    'hedged',
    '{ cluster: local, capacityTypes: [spot, on-demand], spot: { onDemandFloor: 20% }, startStages: { boot: 90s, weights: 30s } }',
  )}`;
  const { documents, problems } = parseDocuments(text, { file: 'd.yaml' });
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  const of = (kind: string) => documents.filter((one) => one.kind === kind).map(({ document }) => document);
  const [local] = of('Cluster').map((one) => resolveCluster(one));
  if (local === undefined) throw new Error('there is a cluster');
  const id = 'aws/r1/a/small/on-demand';
  const { pools } = fleetPartsOf({
    ...{ cluster: local, pools: of('NodePool').map((one) => resolveNodePool(one)), workloads: [], currency: 'USD' },
    offerings: [
      {
        id,
        instanceType: machine('small', 2, 8),
        region: 'r1',
        zone: 'a',
        capacityType: 'on-demand',
        pricePerHourMicro: 1,
      },
    ],
    isBudgetOpen: () => true,
  });
  const [plain, hedged] = ['plain', 'hedged'].map((name) =>
    pools.find(({ consolidation }) => consolidation.pool.name.endsWith(name)),
  );
  expect(plain).toMatchObject({ spot: null, repairAfterMs: 600_000 });
  expect(hedged?.spot).toEqual({
    ...{ onDemandFloor: { share: 0.2 }, overProvision: 'auto', fallback: true, spread: 'zone' },
    ...{ startMs: hedged?.consolidation.pool.startMs, shortfallTarget: 0.003 },
  });
  expect(hedged?.spot?.startMs).toBeGreaterThanOrEqual(120_000);
});
