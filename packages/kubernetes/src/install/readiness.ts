import { conditionOf, isObject, type JsonObject, listAt, numberAt, textAt, trueCondition } from '../client/values.ts';

export interface Readiness {
  readonly isReady: boolean;
  /** For a person: how many are, and what keeps the others. */
  readonly text: string;
}

/** Whether the operator's Deployment is there as it was written, and if not, why. */
export function operatorReadiness(
  deployment: unknown,
  pods: readonly JsonObject[],
  claims: readonly JsonObject[],
): Readiness {
  if (!isObject(deployment)) return { isReady: false, text: 'there is no Deployment' };
  const wanted = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const ready = numberAt(deployment, 'status', 'readyReplicas') ?? 0;
  const updated = numberAt(deployment, 'status', 'updatedReplicas') ?? 0;
  const isSeen =
    (numberAt(deployment, 'status', 'observedGeneration') ?? 0) >=
    (numberAt(deployment, 'metadata', 'generation') ?? 0);
  const left = (numberAt(deployment, 'status', 'replicas') ?? 0) - updated;
  const counts = `${ready} of ${wanted} ready`;
  if (isSeen && ready >= wanted && updated >= wanted && left <= 0) return { isReady: true, text: counts };
  const reasons = [
    ...claims.flatMap(claimTrouble),
    ...pods.filter((pod) => !isPodReady(pod)).flatMap((pod) => podTrouble(pod)),
    ...(pods.length === 0 ? replicaTrouble(deployment) : []),
  ];
  return { isReady: false, text: [counts, ...new Set(reasons)].join('; ') };
}

function isPodReady(pod: unknown): boolean {
  return trueCondition(pod, 'Ready') !== null;
}

function claimTrouble(claim: JsonObject): string[] {
  const phase = textAt(claim, 'status', 'phase') ?? 'Pending';
  if (phase === 'Bound') return [];
  return [`volume ${textAt(claim, 'metadata', 'name')} is ${phase}`];
}

function podTrouble(pod: JsonObject): string[] {
  const name = textAt(pod, 'metadata', 'name') ?? '';
  if (textAt(pod, 'metadata', 'deletionTimestamp') !== null) return [`pod ${name} is ending`];
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False') return [`pod ${name}: ${textAt(scheduled, 'message') ?? 'no node takes it'}`];
  for (const container of listAt(pod, 'status', 'containerStatuses')) {
    const waiting = textAt(container, 'state', 'waiting', 'reason');
    const last = numberAt(container, 'lastState', 'terminated', 'exitCode');
    if (waiting !== null) {
      const message = textAt(container, 'state', 'waiting', 'message');
      const ended = last === null ? '' : ` (exit code ${last})`;
      return [`pod ${name}: ${waiting}${ended}${message === null ? '' : `: ${message}`}`];
    }
  }
  return [`pod ${name} is ${textAt(pod, 'status', 'phase') ?? 'Pending'} and not ready`];
}

/** Why no pod is made at all: a quota, a policy, an account that is missing. */
function replicaTrouble(deployment: JsonObject): string[] {
  const failure = trueCondition(deployment, 'ReplicaFailure');
  return failure ? [textAt(failure, 'message') ?? 'no pod can be made'] : [];
}
