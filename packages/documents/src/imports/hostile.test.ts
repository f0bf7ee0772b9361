import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { importClusterAutoscaler } from './clusterAutoscaler/importClusterAutoscaler.ts';
import { importKarpenter } from './karpenter/importKarpenter.ts';

/** Names that mean something to one of the readers, so that random documents get far. */
const names = [
  ...['metadata', 'name', 'spec', 'template', 'containers', 'image', 'command', 'args', 'env', 'value', 'kubelet'],
  ...['requirements', 'key', 'operator', 'values', 'minValues', 'taints', 'disruption', 'budgets', 'nodes', 'limits'],
  ...[
    'cpu',
    'memory',
    'nvidia.com/gpu',
    'weight',
    'replicas',
    'nodeClassRef',
    'group',
    'kind',
    'labels',
    'annotations',
  ],
  ...[
    'subnetSelectorTerms',
    'tags',
    'karpenter.sh/discovery',
    'systemReserved',
    'data',
    'priorities',
    '__proto__',
    'id',
  ],
  ...['compute_cluster', 'worker', 'model', 'nodepools', 'autoscale_config', 'instance_types', 'max_replicas'],
];
const texts = [
  ...['In', 'Gte', 'karpenter.sh/capacity-type', 'spot', '10%', '720h', 'Never', '@daily', '1Gi', 'NoSchedule', 'gpu'],
  ...[
    'cluster-autoscaler',
    './cluster-autoscaler',
    'sh',
    '-c',
    '--nodes=1:3:a',
    '--nodes',
    '--v=4',
    '--expander=priority',
  ],
  ...['--node-group-auto-discovery=asg:tag=a', '--cores-total=1:2', '10: [a]', '(', '---', ''],
];
const leaf = fc.oneof(
  fc.constantFrom(...texts),
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 5),
  fc.string({ maxLength: 8 }),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: 'medium' },
    leaf,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));
const heads = [
  { apiVersion: 'karpenter.sh/v1', kind: 'NodePool' },
  { apiVersion: 'karpenter.k8s.aws/v1', kind: 'EC2NodeClass' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
  {},
];

test('whatever stands in a document, it is read, ignored or refused, and nothing is thrown', () => {
  const document = fc.record(
    { metadata: tree, spec: tree, data: tree, compute_cluster: tree, deployment: tree, nodepool: tree },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.constantFrom(...heads), document, (head, body) => {
      const sources = [{ name: 'h.yaml', text: JSON.stringify({ ...head, ...body }) }];
      for (const { documents, problems } of [importKarpenter(sources), importClusterAutoscaler(sources)]) {
        expect(problems.every(({ line, message }) => line >= 1 && message.length > 0)).toBe(true);
        for (const { document: made } of documents) {
          const back = parseDocuments(JSON.stringify(made), { file: 'b' });
          expect(back.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
        }
      }
      expect(parseDocuments(sources[0]?.text ?? '', { file: 'h.yaml' }).documents.length).toBeLessThan(4);
    }),
    { numRuns: 400 },
  );
});

test('a container with any flags at all', () => {
  const container = fc.record({ image: fc.constant('cluster-autoscaler'), command: fc.array(leaf), env: tree });
  fc.assert(
    fc.property(container, (one) => {
      const text = JSON.stringify({ kind: 'Pod', metadata: { name: 'ca' }, spec: { containers: [one] } });
      const { documents, problems } = importClusterAutoscaler([{ name: 'h.yaml', text }]);
      expect(documents.length + problems.length).toBeGreaterThan(0);
    }),
    { numRuns: 400 },
  );
});
