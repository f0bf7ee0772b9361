import { z } from 'zod';
import { withoutServerFields } from '../serverFields.ts';
import { durationField } from '../fields/duration.ts';
import { currencyField, moneyField } from '../fields/money.ts';
import { labelKeyField, labelValueField, nameField } from '../fields/names.ts';
import { bytesField, milliField } from '../fields/quantity.ts';
import { rule } from '../fields/rule.ts';
import { apiVersion, defineKind, documentSchema } from '../kind.ts';
import { defaultCluster } from '../objectKey.ts';
import { requirementsSchema } from '../nodes/requirement.ts';
import { taintSchema } from '../nodes/taint.ts';
import { budgetsSchema, consolidationSchema } from './disruption.ts';
import { gpuSharingSchema } from './gpuSharing.ts';
import { capacityTypes, priceFactorsSchema } from './priceFactors.ts';
import { awsSchema } from './providers/aws.ts';
import { azureSchema } from './providers/azure.ts';
import { gcpSchema } from './providers/gcp.ts';
import { karpenterSchema } from './providers/karpenter.ts';
import { machinesSchema } from './providers/static.ts';
import { spotSchema } from './spot.ts';
import { startStagesSchema } from './startStages.ts';

const nodes = () => z.int().min(0).max(100_000);

const nodePoolSpecSchema = z
  .strictObject({
    cluster: nameField().prefault(defaultCluster).meta({ description: 'Whose nodes they are: the name of a Cluster.' }),
    instanceTypes: z
      .array(z.string().min(1).max(128))
      .prefault([])
      .meta({
        description: "The cloud's names of the machines that may be used. Empty: any.",
        examples: [['g5.xlarge']],
      }),
    capacityTypes: z
      .array(z.enum(capacityTypes))
      .min(1)
      .prefault(['on-demand'])
      .meta({ description: 'How they may be rented.' }),
    requirements: requirementsSchema.prefault([]).meta({
      description: 'Rules on the labels of the machines, all of which hold.',
      examples: [[{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['eu-central-1a'] }]],
    }),
    minNodes: nodes().prefault(0).meta({ description: 'Never fewer.' }),
    maxNodes: nodes().optional().meta({ description: 'Never more. Left out: no limit.' }),
    warmSpares: nodes().prefault(0).meta({ description: 'Empty nodes kept ready for the next replica.' }),
    weight: z.int().min(0).max(100).prefault(0).meta({ description: 'Pools with more weight are tried first.' }),
    limits: z
      .strictObject({
        cpu: milliField()
          .optional()
          .meta({ description: 'Processors.', examples: [64] }),
        memory: bytesField()
          .optional()
          .meta({ description: 'Memory.', examples: ['256Gi'] }),
        gpu: milliField()
          .optional()
          .meta({ description: 'GPUs.', examples: [8] }),
      })
      .prefault({})
      .meta({ description: 'Most capacity of all nodes together. What is left out has no limit.' }),
    labels: z.record(labelKeyField(), labelValueField()).prefault({}).meta({ description: 'Labels of its nodes.' }),
    taints: z.array(taintSchema).prefault([]).meta({ description: 'Keep replicas away that do not tolerate them.' }),
    startupTaints: z.array(taintSchema).prefault([]).meta({
      description: 'Taints of a node that is starting, which something takes off; replicas need not tolerate them.',
    }),
    maxPods: z.int().min(1).max(1000).optional().meta({
      description: 'Most replicas of one node. Left out: what its machine and cloud allow.',
    }),
    reserved: z
      .strictObject({
        cpu: milliField()
          .prefault(0)
          .meta({ description: 'Processors.', examples: ['400m'] }),
        memory: bytesField()
          .prefault(0)
          .meta({ description: 'Memory.', examples: ['1Gi'] }),
      })
      .prefault({})
      .meta({ description: 'What each node keeps for its own system.' }),
    consolidation: consolidationSchema.prefault({}).meta({ description: 'How nodes that are not needed go.' }),
    disruptionBudgets: budgetsSchema.prefault([{ nodes: '10%' }]).meta({
      description: 'How many nodes may be going at once; the strictest that counts wins.',
    }),
    expireAfter: durationField(60_000)
      .optional()
      .meta({ description: 'A node older than this is replaced. Left out: never.' }),
    terminationGrace: durationField()
      .optional()
      .meta({ description: 'Longest time to empty a node that goes. Left out: as long as its replicas take.' }),
    startStages: startStagesSchema.prefault({}).meta({
      description: 'How long a new node takes, stage by stage; what is measured replaces it.',
    }),
    startTimeout: durationField(60_000)
      .prefault('15m')
      .meta({ description: 'A node that is not ready after this is given up.' }),
    gpuSharing: gpuSharingSchema.prefault('none').meta({
      description: 'How several replicas share one GPU.',
      examples: ['mig', { type: 'timeSlicing', replicas: 4 }],
    }),
    spot: spotSchema.optional().meta({
      description:
        'Keeps its nodes when spot is taken away. Left out: spot and on demand as prices and replicas have it.',
      examples: [{ onDemandFloor: 1 }],
    }),
    priceFactors: priceFactorsSchema.prefault([]).meta({
      description: 'Discounts and savings plans on list prices; of those that fit a machine the first one counts.',
    }),
    budget: z
      .strictObject({
        perHour: moneyField()
          .optional()
          .meta({ description: 'Most that its nodes may cost an hour.', examples: ['3.50'] }),
        perMonth: moneyField()
          .optional()
          .meta({ description: 'Most that its nodes may cost a month.', examples: ['1200'] }),
        currency: currencyField().prefault('USD').meta({ description: 'ISO 4217.' }),
      })
      .prefault({})
      .meta({ description: 'A pool over its budget says so, then stops growing.' }),
    machines: machinesSchema.prefault([]).meta({
      description: 'The machines there are, for clusters with the cloud `on-prem`.',
    }),
    aws: awsSchema.optional().meta({ description: 'How AWS makes its machines.' }),
    gcp: gcpSchema.optional().meta({ description: 'How Google Cloud makes its machines.' }),
    azure: azureSchema.optional().meta({ description: 'How Microsoft Azure makes its machines.' }),
    karpenter: karpenterSchema.optional().meta({
      description: 'How Karpenter makes its machines, for clusters with the provisioner `karpenter`.',
    }),
  })
  .check(
    rule(['minNodes', 'maxNodes'], ({ minNodes, maxNodes }, report) => {
      if (maxNodes === undefined || minNodes <= maxNodes) return;
      report(['minNodes'], `minNodes ${minNodes} is larger than maxNodes ${maxNodes}`, {
        code: 'out-of-bounds',
        related: [['maxNodes']],
      });
    }),
    rule(['capacityTypes', 'spot'], ({ capacityTypes: rented, spot }, report) => {
      if (spot === undefined) return;
      const related = { code: 'invalid-value' as const, related: [['capacityTypes']] };
      if (!rented.includes('spot')) {
        report(['spot'], 'spot says nothing for a pool that does not rent spot; add spot to capacityTypes', related);
      } else if (!rented.includes('on-demand')) {
        if (spot.onDemandFloor !== 0 && spot.onDemandFloor !== '0%') {
          const message = 'a floor on demand and a pool that does not rent on demand; add on-demand to capacityTypes';
          report(['spot', 'onDemandFloor'], message, related);
        } else if (spot.fallback) {
          const message = 'fallback needs on-demand in capacityTypes; add it, or write fallback: false';
          report(['spot'], message, related);
        }
      }
    }),
    rule(['warmSpares', 'maxNodes'], ({ warmSpares, maxNodes }, report) => {
      if (maxNodes === undefined || warmSpares <= maxNodes) return;
      report(['warmSpares'], `warmSpares ${warmSpares} is larger than maxNodes ${maxNodes}`, {
        code: 'out-of-bounds',
        related: [['maxNodes']],
      });
    }),
  );

export const nodePoolSchema = documentSchema(
  'NodePool',
  nodePoolSpecSchema.prefault({}).meta({ description: 'Which nodes, how many, and when they go.' }),
);
export type NodePoolInput = z.input<typeof nodePoolSchema>;
export type NodePoolDocument = z.output<typeof nodePoolSchema>;

export const nodePoolKind = defineKind({
  kind: 'NodePool',
  plural: 'nodepools',
  apiVersion,
  schema: nodePoolSchema,
  summary: 'A supply of machines of one sort for a cluster.',
  example: `apiVersion: ${apiVersion}
kind: NodePool
metadata:
  name: gpu
spec:
  instanceTypes: [g5.xlarge, g6.xlarge]
  capacityTypes: [spot, on-demand]
  maxNodes: 8
  warmSpares: 1
  taints: [{ key: nvidia.com/gpu, effect: NoSchedule }]
  startStages: { boot: 50s, weights: 90s, baked: [driver, image] }
  budget:
    perHour: 3.50
`,
  normalize: withoutServerFields,
  keyOf: ({ metadata, spec }) => ({ cluster: spec.cluster, namespace: metadata.namespace, name: metadata.name }),
  hints: ({ spec }) =>
    spec.cluster === defaultCluster
      ? [
          {
            path: ['kind'],
            code: 'mode-not-available',
            message: `it is a pool of the cluster "${defaultCluster}", whose one machine is this one: nothing is rented for it; name a Cluster of type rehearsal`,
          },
        ]
      : [],
});
