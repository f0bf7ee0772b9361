import { z } from 'zod';
import { rule } from '../fields/rule.ts';

/** Clarifai writes ids with capitals and underscores too. */
const idField = () =>
  z
    .string()
    .max(256)
    .regex(/[A-Za-z0-9]/, { error: 'must have a letter or digit' });
const count = () => z.int().min(0).max(100_000);
const seconds = () => z.number().min(0).max(31_536_000);
/** Something that says nothing about what is wanted here, whatever its shape. */
const anything = () => z.unknown().optional();
const reference = () => z.looseObject({ id: idField() });

/** Numbers of the protobuf enumeration, or their names. */
const scheduling = [
  'UNKNOWN_SCHEDULING_CHOICE',
  'FAIL',
  'RANDOM',
  'PRICE',
  'PERFORMANCE',
  'NETWORK',
  'UTILIZATION',
  'PREFER_SPOT',
  'PREFER_ONDEMAND',
] as const;
const capacity = ['UNKNOWN_CAPACITY_TYPE', 'ON_DEMAND_TYPE', 'SPOT_TYPE'] as const;

function enumeration<const Names extends readonly [string, ...string[]]>(names: Names) {
  const last = names.length - 1;
  return z.union([
    z
      .int()
      .min(0)
      .max(last)
      .transform((index): Names[number] => names[index] ?? names[0]),
    z.enum(names),
  ]);
}

const frame = {
  id: idField(),
  description: z.string().max(4096).optional(),
  user_id: idField().optional(),
  visibility: anything(),
  metadata: anything(),
  // Written by the service.
  created_at: anything(),
  modified_at: anything(),
};

const clusterSchema = z.strictObject({
  ...frame,
  cloud_provider: reference(),
  region: z.string().min(1).max(63).optional(),
  cluster_type: z.enum(['shared', 'dedicated', 'local-dev']).optional(),
  managed_by: z.enum(['clarifai', 'user']).optional(),
  key: anything(),
});

const computeInfo = z.strictObject({
  cpu_limit: z.string().optional(),
  cpu_memory: z.string().optional(),
  cpu_requests: z.string().optional(),
  cpu_memory_requests: z.string().optional(),
  num_accelerators: z.int().min(0).max(64).optional(),
  accelerator_memory: z.string().optional(),
  accelerator_type: z.array(z.string()).optional(),
  accelerator_topology: z.array(z.string()).optional(),
});

const instanceType = z.strictObject({
  id: idField(),
  description: anything(),
  compute_info: computeInfo.optional(),
  available_compute_info: anything(),
  price: anything(),
  cloud_provider: anything(),
  region: anything(),
  allowed_capacity_types: anything(),
  architecture: anything(),
  feature_flag_group: anything(),
  special_handling: anything(),
});

const nodepoolSchema = z
  .strictObject({
    ...frame,
    compute_cluster: reference(),
    instance_types: z.array(instanceType).min(1),
    node_capacity_type: z.strictObject({ capacity_types: z.array(enumeration(capacity)).min(1) }).optional(),
    min_instances: count().optional(),
    max_instances: count().optional(),
    warm_instances: count().optional(),
    special_handling: anything(),
    enforced_min_instances: anything(),
    enforced_max_instances: anything(),
    node_count: anything(),
    status: anything(),
    status_description: anything(),
  })
  .check(
    rule(['min_instances', 'max_instances'], ({ min_instances = 0, max_instances }, report) => {
      if (max_instances === undefined || min_instances <= max_instances) return;
      report(['min_instances'], `min_instances ${min_instances} is larger than max_instances ${max_instances}`, {
        code: 'out-of-bounds',
        related: [['max_instances']],
      });
    }),
  );

const modelSchema = z.strictObject({
  id: idField(),
  model_version: z.looseObject({ id: idField(), inference_compute_info: computeInfo.optional() }).optional(),
  user_id: idField().optional(),
  app_id: idField().optional(),
  inference_compute_info: computeInfo.optional(),
});

const workerSchema = z
  .strictObject({ model: modelSchema.optional(), workflow: z.looseObject({ id: idField() }).optional() })
  .check(
    rule(['model', 'workflow'], ({ model, workflow }, report) => {
      if ((model === undefined) !== (workflow === undefined)) return;
      const found = model ? 'both' : 'neither';
      report(model ? ['workflow'] : [], `a worker is one of model and workflow, found ${found}`, {
        code: model ? 'one-of' : 'missing-field',
        allowed: ['model', 'workflow'],
      });
    }),
  );

const autoscaleSchema = z
  .strictObject({
    min_replicas: count().prefault(0),
    max_replicas: count().min(1).prefault(5),
    traffic_history_seconds: seconds().min(1).max(86_400).prefault(600),
    scale_up_delay_seconds: seconds().prefault(300),
    scale_down_delay_seconds: seconds().prefault(300),
    scale_to_zero_delay_seconds: seconds().optional(),
    disable_packing: z.boolean().prefault(false),
    soft_min_replicas: count().prefault(0),
  })
  .check(
    rule(['min_replicas', 'max_replicas'], ({ min_replicas, max_replicas }, report) => {
      if (min_replicas <= max_replicas) return;
      report(['min_replicas'], `min_replicas ${min_replicas} is larger than max_replicas ${max_replicas}`, {
        code: 'out-of-bounds',
        related: [['max_replicas']],
      });
    }),
    rule(['scale_down_delay_seconds', 'scale_to_zero_delay_seconds'], (config, report) => {
      const { scale_down_delay_seconds: down, scale_to_zero_delay_seconds: zero } = config;
      if (zero === undefined || zero >= down) return;
      report(
        ['scale_to_zero_delay_seconds'],
        `scale_to_zero_delay_seconds ${zero} is less than scale_down_delay_seconds ${down}`,
        { code: 'out-of-bounds', related: [['scale_down_delay_seconds']] },
      );
    }),
  );

const poolReference = z.looseObject({ id: idField(), compute_cluster: reference().optional() });

const deploymentSchema = z
  .strictObject({
    ...frame,
    autoscale_config: autoscaleSchema.prefault({}),
    worker: workerSchema,
    desired_worker: anything(),
    nodepools: z.array(poolReference).min(1).optional(),
    deployment_nodepools: z
      .array(z.strictObject({ nodepool: poolReference, priority: z.int().min(0).max(9).prefault(0) }))
      .min(1)
      .optional(),
    scheduling_choice: enumeration(scheduling).optional(),
    deploy_latest_version: z.boolean().optional(),
    graceful_deploy: z.boolean().optional(),
    email_reminder_after: anything(),
    status: z.union([z.enum(['ENABLED', 'DISABLED']), z.looseObject({})]).optional(),
    deployment_metrics: anything(),
  })
  .check(
    rule(['nodepools', 'deployment_nodepools'], ({ nodepools, deployment_nodepools: prioritized }, report) => {
      if ((nodepools === undefined) !== (prioritized === undefined)) return;
      const allowed = ['nodepools', 'deployment_nodepools'];
      if (!nodepools) {
        report([], 'one of nodepools and deployment_nodepools is needed', { code: 'missing-field', allowed });
        return;
      }
      report(['deployment_nodepools'], 'a deployment has one of nodepools and deployment_nodepools, found both', {
        code: 'one-of',
        related: [['nodepools']],
      });
    }),
  );

/** A file of Clarifai's command line: one of the three as its top key, or several. */
export const clarifaiSchema = z.strictObject({
  compute_cluster: clusterSchema.optional(),
  nodepool: nodepoolSchema.optional(),
  deployment: deploymentSchema.optional(),
});

type File = z.output<typeof clarifaiSchema>;
export type ComputeCluster = NonNullable<File['compute_cluster']>;
export type Nodepool = NonNullable<File['nodepool']>;
export type Deployment = NonNullable<File['deployment']>;
export type ComputeInfo = z.output<typeof computeInfo>;
