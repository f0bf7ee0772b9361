import { z } from 'zod';
import { labelKeyField, labelValueField, nameField } from '../fields/names.ts';
import { reportDuplicates, rule } from '../fields/rule.ts';
import { requirementsSchema, type RequirementSpec, resolveRequirements } from '../nodes/requirement.ts';
import { resolveToleration, type TolerationSpec, tolerationSchema } from '../nodes/taint.ts';

const poolSchema = z.union([
  nameField(),
  z.strictObject({
    name: nameField().meta({ description: 'Name of a NodePool.' }),
    cluster: nameField().optional().meta({ description: 'Its cluster. Left out: whichever has a pool of that name.' }),
    priority: z.int().min(0).max(1000).prefault(0).meta({ description: 'Higher ones are filled first.' }),
  }),
]);

const instancesSchema = z
  .strictObject({
    order: z.enum(['cheapest', 'spotFirst', 'onDemandFirst']).prefault('cheapest').meta({
      description: 'Which machines come first among pools of one priority.',
    }),
    cpuAllowed: z.boolean().optional().meta({
      description: 'Machines without a GPU will do. Left out: unless `gpuNeeded`.',
    }),
    gpuNeeded: z.boolean().prefault(false).meta({ description: 'Only machines with a GPU will do.' }),
  })
  .check(
    rule(['cpuAllowed', 'gpuNeeded'], ({ cpuAllowed, gpuNeeded }, report) => {
      if (!gpuNeeded || cpuAllowed !== true) return;
      report(['gpuNeeded'], 'a GPU is needed and machines without one are allowed; write cpuAllowed: false', {
        code: 'invalid-value',
        related: [['cpuAllowed']],
      });
    }),
  );

const spreadSchema = z
  .strictObject({
    by: z.enum(['node', 'zone', 'region', 'cluster']).meta({ description: 'Between what replicas are spread.' }),
    maxSkew: z.int().min(1).max(100_000).optional().meta({
      description: 'Most that one place may have more than another.',
    }),
    max: z.int().min(1).max(100_000).optional().meta({ description: 'Most replicas in one place.' }),
    required: z.boolean().prefault(false).meta({ description: 'Rather wait than break it.' }),
  })
  .check(
    rule(['maxSkew', 'max'], ({ maxSkew, max }, report) => {
      if (maxSkew !== undefined || max !== undefined) return;
      report([], 'a spread needs maxSkew or max', { code: 'missing-field', allowed: ['maxSkew', 'max'] });
    }),
  );

export const placementSchema = z
  .strictObject({
    clusters: z.array(nameField()).prefault([]).meta({
      description: 'Clusters it may run in, by name. Empty: any that the rest allows.',
    }),
    regions: z
      .array(z.string().min(1).max(63))
      .prefault([])
      .meta({ description: 'Regions it may run in. Empty: any.', examples: [['eu-central-1']] }),
    pools: z
      .array(poolSchema)
      .prefault([])
      .meta({
        description: 'Node pools it may run in, each with its priority. Empty: any.',
        examples: [[{ name: 'gpu', priority: 10 }, 'spare']],
      }),
    interruption: z.enum(['never', 'allowed']).optional().meta({
      description: 'The same as `interruption` of the workload, which is left out then.',
    }),
    nodeSelector: z
      .record(labelKeyField(), labelValueField())
      .prefault({})
      .meta({ description: 'Labels that a node must have.' }),
    requirements: requirementsSchema.prefault([]).meta({ description: "Rules on a node's labels, all of which hold." }),
    tolerations: z.array(tolerationSchema).prefault([]).meta({ description: 'Taints that do not keep it away.' }),
    instances: instancesSchema.prefault({}).meta({ description: 'Wishes for the machines.' }),
    spread: z
      .array(spreadSchema)
      .max(4)
      .check(
        rule(['*.by'], (spreads, report) => {
          reportDuplicates(
            spreads.map(({ by }) => by),
            'spread by',
            (index) => [index, 'by'],
            report,
          );
        }),
      )
      .prefault([])
      .meta({ description: 'How its replicas keep apart.', examples: [[{ by: 'zone', maxSkew: 1 }]] }),
  })
  .check(
    rule(['pools'], ({ pools }, report) => {
      const names = pools.map((pool) => {
        if (typeof pool === 'string') return pool;
        return pool.cluster === undefined ? pool.name : `${pool.cluster}/${pool.name}`;
      });
      reportDuplicates(names, 'pool', (index) => ['pools', index], report);
    }),
  );

export type PlacementDocument = z.output<typeof placementSchema>;

/** Where the replicas of a workload may run, and which places come first. Empty lists: anywhere. */
export interface PlacementSpec {
  clusters: string[];
  regions: string[];
  /** Higher priority first; `cluster` null: whichever has a pool of that name. */
  pools: { name: string; cluster: string | null; priority: number }[];
  nodeSelector: Record<string, string>;
  requirements: RequirementSpec[];
  tolerations: TolerationSpec[];
  instances: { order: PlacementDocument['instances']['order']; cpuAllowed: boolean; gpuNeeded: boolean };
  /** Null: not bounded. */
  spread: {
    by: 'node' | 'zone' | 'region' | 'cluster';
    maxSkew: number | null;
    max: number | null;
    required: boolean;
  }[];
}

export function resolvePlacement(placement: PlacementDocument): PlacementSpec {
  const { interruption: _interruption, ...rest } = placement;
  return {
    ...rest,
    pools: placement.pools.map((pool) =>
      typeof pool === 'string'
        ? { name: pool, cluster: null, priority: 0 }
        : { ...pool, cluster: pool.cluster ?? null },
    ),
    requirements: resolveRequirements(placement.requirements),
    instances: resolveInstances(placement.instances),
    tolerations: placement.tolerations.map(resolveToleration),
    spread: placement.spread.map(({ maxSkew, max, ...one }) => ({
      ...one,
      maxSkew: maxSkew ?? null,
      max: max ?? null,
    })),
  };
}

function resolveInstances({
  order,
  cpuAllowed,
  gpuNeeded,
}: PlacementDocument['instances']): PlacementSpec['instances'] {
  return { order, cpuAllowed: cpuAllowed ?? !gpuNeeded, gpuNeeded };
}
