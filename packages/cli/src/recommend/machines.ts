import type { ClassRecommendation } from '@ebb/client';
import {
  checkPlan,
  type Offering,
  type Plan,
  type PlacementInput,
  placementInputOf,
  unplaceableSentence,
} from '@ebb/core';
import type { ClusterSpec, NodePoolSpec, WorkloadClass, WorkloadSpec } from '@ebb/documents';
import { planView } from '../plan/planView.ts';

/** Machines that hold so many replicas, the cheapest that were found. */
export interface MachinePlan {
  pricePerHourMicro: number;
  /** A replica's part of it. */
  perReplicaMicro: number;
  /** `replicas` on each of them. */
  nodes: { count: number; instanceType: string; capacityType: string; pricePerHourMicro: number; replicas: number }[];
}

/** `problem` in place of machines: why there are none. */
export interface ClassMachines {
  class: string;
  replicas: number;
  /** By the requests that the document or its latest roll-out gives replicas. */
  now: MachinePlan | { problem: string };
  /** By those that are recommended; null: none are yet. */
  suggested: MachinePlan | { problem: string } | null;
}

export interface MachinesQuestion {
  spec: WorkloadSpec;
  classes: readonly ClassRecommendation[];
  /** By class. */
  replicas: ReadonlyMap<string, number>;
  clusters: readonly ClusterSpec[];
  pools: readonly NodePoolSpec[];
  offerings: readonly Offering[];
  currency: string;
  cloud: string | null;
  region: string | null;
  plan(input: PlacementInput): Promise<Plan>;
}

/**
 * Which machines each class would need for its replicas, with nothing else on them: by what it asks for now and by what is recommended.
 * The same search as `ebb plan`. `problem`: the place is unknown or sells nothing.
 */
export async function machinesOf(question: MachinesQuestion): Promise<ClassMachines[]> {
  const found: ClassMachines[] = [];
  for (const one of question.spec.classes) {
    const asked = question.classes.find((known) => known.class === one.name);
    if (!asked) continue;
    const { applied, suggested } = asked;
    found.push({
      class: one.name,
      replicas: replicasOf(question, one.name),
      now: await machinesFor(question, applied ? withAmounts(one, applied) : one),
      suggested: suggested ? await machinesFor(question, withAmounts(one, suggested)) : null,
    });
  }
  return found;
}

async function machinesFor(question: MachinesQuestion, one: WorkloadClass): Promise<MachinePlan | { problem: string }> {
  const { spec, clusters, pools, offerings, currency, cloud, region } = question;
  const replicas = replicasOf(question, one.name);
  const { input, groups, problems } = placementInputOf({
    workloads: [{ ...spec, classes: [one] }],
    replicas: new Map([[spec.key.name, replicas]]),
    ...{ clusters, pools, offerings, currency, cloud, region },
  });
  if (problems.length > 0) return { problem: problems[0] ?? '' };
  const plan = await question.plan(input);
  const wrong = checkPlan(input, plan);
  if (wrong.length > 0) throw new Error(`the plan breaks a rule: ${wrong[0]}`);
  const [left] = plan.unplaceable;
  if (left) return { problem: unplaceableSentence(left.reason) };
  return {
    pricePerHourMicro: plan.pricePerHourMicro,
    perReplicaMicro: Math.round(plan.pricePerHourMicro / replicas),
    nodes: planView(input, groups, plan).nodes.map(({ count, offering, runs }) => ({
      count,
      instanceType: offering.instanceType.name,
      capacityType: offering.capacityType,
      pricePerHourMicro: offering.pricePerHourMicro,
      replicas: runs.reduce((sum, share) => sum + share.count, 0),
    })),
  };
}

const replicasOf = ({ replicas }: MachinesQuestion, name: string): number => Math.max(1, replicas.get(name) ?? 1);

function withAmounts(
  one: WorkloadClass,
  { requests, limits }: NonNullable<ClassRecommendation['suggested']>,
): WorkloadClass {
  const { resources } = one;
  return {
    ...one,
    resources: {
      requests: { ...resources.requests, ...requests },
      limits: { ...resources.limits, ...limits },
    },
  };
}
