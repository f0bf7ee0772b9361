import { z } from 'zod';
import { withoutServerFields } from '../serverFields.ts';
import { moneyField } from '../fields/money.ts';
import { bytesField, milliField } from '../fields/quantity.ts';
import { apiVersion, defineKind, documentSchema } from '../kind.ts';

/** The kinds of cluster that have a driver. */
const clusterTypes = ['local', 'container', 'kubernetes'] as const;

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

const clusterSpecSchema = z.strictObject({
  type: z.enum(clusterTypes).prefault('local').meta({ description: 'What runs replicas there.' }),
  cloud: z.enum(['local', 'on-prem', 'aws', 'gcp', 'azure', 'oracle']).prefault('local').meta({
    description: 'Whose machines they are; prices and spot notices depend on it.',
  }),
  region: z
    .string()
    .regex(/^[A-Za-z0-9][-A-Za-z0-9_.]{0,62}$/, { error: 'must be up to 63 letters, digits, -, _ and .' })
    .optional()
    .meta({ description: "The cloud's own name of the region.", examples: ['eu-central-1'] }),
  limits: clusterLimitsSchema.prefault({}).meta({
    description: 'Bounds over all workloads of the cluster. What is left out has no limit.',
  }),
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
  // A cluster is its own place: `cluster` and `name` of its key are the same.
  normalize: withoutServerFields,
  keyOf: ({ metadata }) => ({ cluster: metadata.name, namespace: metadata.namespace, name: metadata.name }),
  hints: ({ spec }) =>
    spec.type === 'local'
      ? []
      : [
          {
            path: ['spec', 'type'],
            code: 'mode-not-available',
            message: `clusters of type "${spec.type}" need a mode that this version does not have; only local ones run replicas`,
          },
        ],
});
