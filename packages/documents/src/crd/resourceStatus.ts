import { z } from 'zod';
import type { FleetStatus, WorkloadStatus } from '../status.ts';
import { formatMoneyMicro } from '../units/money.ts';

/** Decimals of a price an hour: a small worker costs parts of a cent. */
const priceDigits = 4;

const count = (description: string) => z.int().min(0).meta({ description });
const text = (description: string) => z.string().meta({ description });

const conditionsSchema = z
  .array(
    z.object({
      type: text('What it is about.'),
      status: z.enum(['True', 'False', 'Unknown']).meta({ description: 'Whether it holds.' }),
      reason: text('One word for programs.'),
      message: text('A sentence for people.'),
      lastTransitionTime: text('When the status last changed, RFC 3339.'),
      observedGeneration: z.int().min(0).optional().meta({ description: 'The generation that it was said of.' }),
    }),
  )
  .meta({ description: 'What holds of the object.' });

const replicaCountsSchema = z.object({
  wanted: count('Replicas that there shall be.'),
  starting: count('Replicas that are not ready yet.'),
  ready: count('Replicas that answer requests.'),
  draining: count('Replicas that finish what they have.'),
  failed: count('Replicas that do not start.'),
});

/** `status` of a Workload in Kubernetes: what the engine says, without what grows with the replicas. */
export const workloadResourceStatusSchema = z.object({
  observedGeneration: count('The generation of the document that all of this was said of.'),
  replicas: replicaCountsSchema.meta({ description: 'Replicas of all classes together.' }),
  classes: z.record(z.string(), replicaCountsSchema).meta({ description: 'Replicas by class.' }),
  selector: text("Selects the workload's pods, as `/scale` gives it."),
  inFlight: count('Requests that replicas work on.'),
  held: count('Requests that wait for a slot or a replica.'),
  requests: z
    .object({
      total: count('All.'),
      succeeded: count('Answered.'),
      failed: count('Begun on a replica and broken there, or answered 5xx by the gateway after they were accepted.'),
      refused: count('Turned away with a reason.'),
      cancelled: count('Given up by the client.'),
      held: count('Those that waited at all.'),
    })
    .meta({ description: 'Requests since the workload was applied.' }),
  minReplicas: count('Lower bound in force.'),
  maxReplicas: count('Upper bound in force.'),
  decision: z
    .object({
      sequence: count('Number of the decision in the journal.'),
      at: text('When, RFC 3339.'),
      replicas: count('Replicas that it wants.'),
      summary: text('The sentence that matters most; `ebb explain` has all of them.'),
    })
    .optional()
    .meta({ description: 'The decision in force.' }),
  url: z.string().optional().meta({ description: 'Where the gateway serves it.' }),
  shown: z
    .object({
      ready: text('Ready of wanted, as `1/2`.'),
      bounds: text('The bounds in force, as `0-4`.'),
      costPerHour: text('What it costs an hour now.'),
    })
    .meta({ description: 'The same for columns.' }),
  conditions: conditionsSchema,
});

/** `status` of a Cluster in Kubernetes. */
export const clusterResourceStatusSchema = z.object({
  observedGeneration: count('The generation of the document that all of this was said of.'),
  provider: z.string().optional().meta({ description: 'Who rents its machines.' }),
  nodes: count('Machines, those that start included.').optional(),
  readyNodes: count('Machines that replicas can run on.').optional(),
  waiting: count('Replicas that have no place yet.').optional(),
  pricePerHour: z.string().optional().meta({ description: 'What its machines cost an hour.' }),
  lowerBoundPerHour: z.string().optional().meta({ description: 'The least that its replicas could cost an hour.' }),
  conditions: conditionsSchema,
});

/** `status` of a NodePool in Kubernetes. */
export const nodePoolResourceStatusSchema = z.object({
  observedGeneration: count('The generation of the document that all of this was said of.'),
  nodes: count('Machines of the pool, those that start included.').optional(),
  readyNodes: count('Machines of the pool that replicas can run on.').optional(),
  pricePerHour: z.string().optional().meta({ description: 'What its machines cost an hour.' }),
  conditions: conditionsSchema,
});

export type WorkloadResourceStatus = z.infer<typeof workloadResourceStatusSchema>;
export type ClusterResourceStatus = z.infer<typeof clusterResourceStatusSchema>;
export type NodePoolResourceStatus = z.infer<typeof nodePoolResourceStatusSchema>;

/** What the engine does not know of a workload in Kubernetes. */
export interface WorkloadInKubernetes {
  /** Label selector of its pods. */
  readonly selector: string;
  /** When its decision was made, RFC 3339. */
  readonly decidedAt: string;
}

/** What the engine says of a workload, as the `status` of its custom resource. */
export function workloadResourceStatus(
  status: WorkloadStatus,
  { selector, decidedAt }: WorkloadInKubernetes,
): WorkloadResourceStatus {
  const { replicas, minReplicas, maxReplicas, decision, cost, url } = status;
  return {
    observedGeneration: status.observedGeneration,
    replicas,
    classes: status.classes,
    selector,
    inFlight: status.inFlight,
    held: status.held,
    requests: status.requests,
    minReplicas,
    maxReplicas,
    ...(decision
      ? {
          decision: {
            sequence: decision.sequence,
            at: decidedAt,
            replicas: decision.replicas,
            summary: decision.summary,
          },
        }
      : {}),
    ...(url === null ? {} : { url }),
    shown: {
      ready: `${replicas.ready}/${replicas.wanted}`,
      bounds: `${minReplicas}-${maxReplicas}`,
      costPerHour: formatMoneyMicro(cost.ratePerHourMicro, cost.currency, priceDigits),
    },
    conditions: status.conditions,
  };
}

/** What is known of a cluster's machines, as the `status` of its custom resource. */
export function clusterResourceStatus(
  fleet: FleetStatus,
  observedGeneration: number,
  conditions: ClusterResourceStatus['conditions'],
): ClusterResourceStatus {
  const { provider, nodes, waiting, currency, pricePerHourMicro, lowerBoundMicro } = fleet;
  return {
    observedGeneration,
    provider,
    nodes: nodes.length,
    readyNodes: nodes.filter(({ phase }) => phase === 'ready').length,
    waiting,
    pricePerHour: formatMoneyMicro(pricePerHourMicro, currency, priceDigits),
    ...(lowerBoundMicro === null
      ? {}
      : { lowerBoundPerHour: formatMoneyMicro(lowerBoundMicro, currency, priceDigits) }),
    conditions,
  };
}

/** What is known of one pool's machines, as the `status` of its custom resource. */
export function nodePoolResourceStatus(
  pool: string,
  fleet: FleetStatus,
  observedGeneration: number,
  conditions: NodePoolResourceStatus['conditions'],
): NodePoolResourceStatus {
  const nodes = fleet.nodes.filter((node) => node.pool === pool);
  const price = nodes.reduce((sum, node) => sum + node.pricePerHourMicro, 0);
  return {
    observedGeneration,
    nodes: nodes.length,
    readyNodes: nodes.filter(({ phase }) => phase === 'ready').length,
    pricePerHour: formatMoneyMicro(price, fleet.currency, priceDigits),
    conditions,
  };
}
