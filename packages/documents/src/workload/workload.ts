import { z } from 'zod';
import { withoutServerFields } from '../serverFields.ts';
import { nameField } from '../fields/names.ts';
import { rule } from '../fields/rule.ts';
import { apiVersion, defineKind, documentSchema, type Hint } from '../kind.ts';
import { defaultCluster, type ObjectKey } from '../objectKey.ts';
import { classesSchema } from './class.ts';
import { placementSchema } from './placement.ts';
import { placementHints } from './placementHints.ts';
import { probesSchema } from './probes.ts';
import { scalingSchema } from './scaling.ts';
import { servingSchema } from './serving.ts';
import { sizingSchema } from './sizing.ts';

const dependencySchema = z.union([
  nameField(),
  z.strictObject({
    namespace: nameField().optional().meta({ description: "Left out: the workload's own." }),
    name: nameField().meta({ description: 'Name of the workload.' }),
  }),
]);

const updateSchema = z
  .strictObject({
    type: z.enum(['Rolling', 'Recreate']).prefault('Rolling').meta({
      description: '`Rolling` replaces replicas step by step; `Recreate` ends all old ones first.',
    }),
    maxSurge: z
      .int()
      .min(0)
      .max(100_000)
      .prefault(1)
      .meta({ description: 'Replicas beyond what is wanted, while replacing.' }),
    maxUnavailable: z
      .int()
      .min(0)
      .max(100_000)
      .prefault(0)
      .meta({ description: 'Replicas that may be missing, while replacing.' }),
  })
  .check(
    rule(['type', 'maxSurge', 'maxUnavailable'], ({ type, maxSurge, maxUnavailable }, report) => {
      if (type === 'Recreate' || maxSurge + maxUnavailable > 0) return;
      report(['maxSurge'], 'maxSurge and maxUnavailable are both 0, so no replica could ever be replaced', {
        code: 'out-of-bounds',
        related: [['maxUnavailable']],
      });
    }),
  );

const workloadSpecSchema = z
  .strictObject({
    cluster: nameField().prefault(defaultCluster).meta({ description: 'Where it runs: the name of a Cluster.' }),
    classes: classesSchema.meta({ description: 'Ways to run it, at least one: small ones on CPU, heavy ones on GPU.' }),
    probes: probesSchema.prefault({}).meta({ description: 'How Ebb learns that a replica is well.' }),
    serving: servingSchema.prefault({}).meta({ description: 'How requests reach the replicas.' }),
    scaling: scalingSchema.prefault({}).meta({ description: 'How many replicas there are.' }),
    update: updateSchema.prefault({}).meta({ description: 'How replicas are replaced when the document changes.' }),
    sizing: sizingSchema.optional().meta({
      description: 'Whether requests follow what replicas use. Left out: `ebb recommend` says it, nothing is changed.',
      examples: [{ apply: 'nextRollout' }],
    }),
    priority: z.int().min(-1_000_000_000).max(1_000_000_000).prefault(0).meta({
      description: 'Higher wins when capacity is short.',
    }),
    dependsOn: z
      .array(dependencySchema)
      .prefault([])
      .meta({
        description: 'Workloads that must have a ready replica before this one starts.',
        examples: [['embedder', { namespace: 'shared', name: 'tokenizer' }]],
      }),
    interruption: z.enum(['never', 'allowed']).optional().meta({
      description: 'Whether replicas may run on machines that can be taken away. Left out: never.',
    }),
    placement: placementSchema.optional().meta({
      description: 'Where replicas may run, and which places come first. Left out: anywhere in its cluster.',
    }),
  })
  .check(
    rule(['interruption', 'placement.interruption'], ({ interruption, placement }, report) => {
      const inner = placement?.interruption;
      if (interruption === undefined || inner === undefined || interruption === inner) return;
      report(
        ['placement', 'interruption'],
        `interruption is "${interruption}" for the workload and "${inner}" in placement; write it once`,
        { code: 'one-of', related: [['interruption']] },
      );
    }),
  )
  .check(
    rule(['classes.*.concurrency', 'scaling.triggers'], ({ classes, scaling }, report) => {
      const most = Math.max(...classes.map((item) => item.concurrency || Number.POSITIVE_INFINITY));
      const widest = classes.findIndex((item) => item.concurrency === most);
      for (const [index, trigger] of scaling.triggers.entries()) {
        if (trigger.type !== 'concurrency' || trigger.target <= most) continue;
        report(
          ['scaling', 'triggers', index, 'target'],
          `the target ${trigger.target} is more than a replica works on at once (concurrency ${most})`,
          { code: 'out-of-bounds', related: [['classes', widest, 'concurrency']] },
        );
      }
    }),
  )
  .check(
    rule(['classes.*.concurrency', 'serving.deferrable'], ({ classes, serving }, report) => {
      const boundless = classes.findIndex((item) => item.concurrency === 0);
      if (!serving.deferrable || boundless < 0) return;
      report(
        ['serving', 'deferrable'],
        `deferrable requests fill free slots, and class ${classes[boundless]?.name} has no number of them ` +
          '(concurrency 0); give it a concurrency of 1 or more',
        { code: 'out-of-bounds', related: [['classes', boundless, 'concurrency']] },
      );
    }),
  );

export const workloadSchema = documentSchema(
  'Workload',
  workloadSpecSchema.meta({ description: 'How it runs, is reached and is scaled.' }),
).check(
  rule(['metadata.name', 'metadata.namespace', 'spec.dependsOn'], ({ metadata, spec }, report) => {
    for (const [index, dependency] of spec.dependsOn.entries()) {
      const { name, namespace = metadata.namespace } =
        typeof dependency === 'string' ? { name: dependency } : dependency;
      if (name !== metadata.name || namespace !== metadata.namespace) continue;
      report(['spec', 'dependsOn', index], `the workload depends on itself ("${name}")`, {
        code: 'self-dependency',
        related: [['metadata', 'name']],
      });
    }
  }),
);

/** As it is written, every field with a default optional. */
export type WorkloadInput = z.input<typeof workloadSchema>;
/** With defaults filled in and units turned into numbers. */
export type WorkloadDocument = z.output<typeof workloadSchema>;

export const workloadKind = defineKind({
  kind: 'Workload',
  plural: 'workloads',
  apiVersion,
  schema: workloadSchema,
  summary:
    'Something that answers requests: how to run one replica of it, how requests reach it, and how many there are.',
  example: `apiVersion: ${apiVersion}
kind: Workload
metadata:
  name: upscaler
spec:
  classes:
    - name: default
      command: [node, worker.mjs]
      resources:
        requests: { cpu: 500m, memory: 512Mi }
      pricePerHour: 0.07
  probes:
    readiness:
      http: { path: /healthz }
  serving:
    routes:
      - pathPrefix: /upscale
  scaling:
    minReplicas: 0
    maxReplicas: 4
    keepAlive: 60s
`,
  normalize: withoutServerFields,
  keyOf: ({ metadata, spec }) => ({ cluster: spec.cluster, namespace: metadata.namespace, name: metadata.name }),
  hints: ({ spec }) => [...policyHints(spec.scaling), ...placementHints(spec.placement)],
});

/** Fields that only Ebb's own policies read. */
function policyHints({ policy, ...scaling }: ScalingDocument): Hint[] {
  if (!policy || policy.type === 'windows') return [];
  const triggers = scaling.triggers.length > 0;
  const windows = scaling.windows !== undefined;
  const isWritten = policy.type === 'priced' ? { windows, triggers } : { triggers, ...pacing(scaling) };
  return Object.entries(isWritten).flatMap(([field, written]): Hint[] => {
    if (!written) return [];
    const message = `${field} has no effect with the policy ${policy.type}, which decides by its own rules`;
    return [{ path: ['spec', 'scaling', field], code: 'no-effect', message }];
  });
}

type ScalingDocument = WorkloadDocument['spec']['scaling'];

function pacing(scaling: Pick<ScalingDocument, 'behavior' | 'schedules' | 'events'>) {
  const { scaleUp, scaleDown } = scaling.behavior;
  return {
    schedules: scaling.schedules.length > 0,
    events: scaling.events.length > 0,
    behavior: [scaleUp, scaleDown].some(
      (rules) => rules.policies.length > 0 || rules.stabilizationWindow > 0 || rules.selectPolicy !== 'Max',
    ),
  };
}

/** `{namespace, name}` or a bare name, as a key in the workload's cluster. */
export function dependencyKeys({ metadata, spec }: WorkloadDocument): ObjectKey[] {
  return spec.dependsOn.map((dependency) => ({
    cluster: spec.cluster,
    namespace: (typeof dependency === 'string' ? undefined : dependency.namespace) ?? metadata.namespace,
    name: typeof dependency === 'string' ? dependency : dependency.name,
  }));
}
