import { z } from 'zod';
import { withoutServerFields } from '../serverFields.ts';
import { moneyField } from '../fields/money.ts';
import { nameField } from '../fields/names.ts';
import { bytesField, milliField } from '../fields/quantity.ts';
import { apiVersion, defineKind, documentSchema } from '../kind.ts';
import { alarmsSchema, clusterBudgetSchema, namespacesSchema } from './money.ts';

/** What may run replicas. */
const clusterTypes = ['local', 'rehearsal', 'container', 'kubernetes'] as const;
/** Their replicas are processes of this machine. */
export const localClusterTypes: readonly string[] = ['local', 'rehearsal'];
/** Whose machines a cluster may have. */
export const clouds = ['local', 'on-prem', 'aws', 'gcp', 'azure', 'oracle'] as const;

/** Who makes its machines. */
const provisioners = ['cloud', 'karpenter'] as const;

export const clusterLimitsSchema = z.strictObject({
  maxReplicas: z.int().min(0).max(1_000_000).optional().meta({ description: 'Replicas of all workloads together.' }),
  cpu: milliField()
    .optional()
    .meta({ description: 'Processors set aside, all together.', examples: [16] }),
  memory: bytesField()
    .optional()
    .meta({ description: 'Memory set aside, all together.', examples: ['64Gi'] }),
  gpu: milliField()
    .optional()
    .meta({ description: 'GPUs set aside, all together.', examples: [2] }),
  maxPricePerHour: moneyField()
    .optional()
    .meta({
      description: 'What all replicas together may cost an hour, in the currency of their workloads.',
      examples: ['5.00'],
    }),
});

const nodeLimitsSchema = z.strictObject({
  nodes: z.int().min(0).max(1_000_000).optional().meta({ description: 'Machines.' }),
  cpu: milliField()
    .optional()
    .meta({ description: 'Their processors.', examples: [1000] }),
  memory: bytesField()
    .optional()
    .meta({ description: 'Their memory.', examples: ['4000Gi'] }),
  gpu: milliField()
    .optional()
    .meta({ description: 'Their GPUs.', examples: [16] }),
});

const secretRefSchema = z.strictObject({
  name: nameField().meta({ description: "Name of a Secret in the document's namespace." }),
  key: z
    .string()
    .regex(/^[-._a-zA-Z0-9]{1,253}$/, { error: 'is not a key of a Secret' })
    .prefault('token')
    .meta({ description: 'Key within it.' }),
});

const clusterSpecSchema = z.strictObject({
  type: z.enum(clusterTypes).prefault('local').meta({
    description: 'What runs replicas there; in a `rehearsal` nodes are only reckoned with, and replicas run here.',
  }),
  cloud: z.enum(clouds).prefault('local').meta({
    description: 'Whose machines they are; prices and spot notices depend on it.',
  }),
  provisioner: z.enum(provisioners).prefault('cloud').meta({
    description:
      'Who makes the machines of a cluster of type `kubernetes`: Ebb at the cloud itself, or Karpenter, by NodeClaims that Ebb writes.',
  }),
  region: z
    .string()
    .regex(/^[A-Za-z0-9][-A-Za-z0-9_.]{0,62}$/, { error: 'must be up to 63 letters, digits, -, _ and .' })
    .optional()
    .meta({ description: "The cloud's own name of the region.", examples: ['eu-central-1'] }),
  tokenSecretRef: secretRefSchema.optional().meta({
    description: 'Where the token for the cluster is. A token never stands in the document itself.',
    examples: [{ name: 'prod-cluster', key: 'token' }],
  }),
  limits: clusterLimitsSchema.prefault({}).meta({
    description: 'Bounds over all workloads of the cluster. What is left out has no limit.',
  }),
  nodeLimits: nodeLimitsSchema.prefault({}).meta({
    description: 'Most of all its nodes together, whatever their pools. What is left out has no limit.',
  }),
  budget: clusterBudgetSchema.optional(),
  namespaces: namespacesSchema.prefault([]).meta({ description: 'Bounds over the workloads of one namespace each.' }),
  alarms: alarmsSchema.prefault({}),
});

export const clusterSchema = documentSchema(
  'Cluster',
  clusterSpecSchema.prefault({}).meta({ description: 'The place.' }),
);
export type ClusterInput = z.input<typeof clusterSchema>;
export type ClusterDocument = z.output<typeof clusterSchema>;

export const clusterKind = defineKind({
  kind: 'Cluster',
  plural: 'clusters',
  apiVersion,
  schema: clusterSchema,
  summary: 'A place where replicas run, and the bounds that all its workloads share.',
  example: `apiVersion: ${apiVersion}
kind: Cluster
metadata:
  name: local
spec:
  type: local
  limits:
    maxReplicas: 20
    memory: 12Gi
    maxPricePerHour: 2.50
`,
  // For those who write it there all the same: what stands there is in no message.
  secretFields: [['spec', 'token']],
  // A cluster is its own place: `cluster` and `name` of its key are the same.
  normalize: withoutServerFields,
  keyOf: ({ metadata }) => ({ cluster: metadata.name, namespace: metadata.namespace, name: metadata.name }),
  hints: ({ spec }) =>
    localClusterTypes.includes(spec.type)
      ? []
      : [
          {
            path: ['spec', 'type'],
            code: 'mode-not-available',
            message: `clusters of type "${spec.type}" need a mode that this version does not have; only local ones run replicas`,
          },
        ],
});
