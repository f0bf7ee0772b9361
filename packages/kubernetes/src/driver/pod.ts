import type { DriverPhase } from '@ebb/core';
import type { KubernetesObject } from '../client/objects.ts';
import { conditionOf, listAt, numberAt, textAt, timeAt, trueCondition } from '../client/values.ts';

/** What a driver sees of a pod. */
export interface PodView {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly createdAtMs: number;
  readonly node: string;
  readonly ip: string | null;
  /** Of the first container that names one. */
  readonly port: number | null;
  readonly phase: Extract<DriverPhase, 'starting' | 'ready' | 'stopping' | 'failed'>;
  /** Since when it is ready, by its conditions. */
  readonly readyAtMs: number | null;
  readonly restarts: number;
  readonly message: string;
  readonly failure: string | null;
  readonly deletionCost: string | null;
}

export const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';

export function podView(pod: KubernetesObject): PodView {
  const { body } = pod;
  const state = stateOf(pod);
  return {
    namespace: pod.namespace,
    name: pod.name,
    uid: pod.uid,
    createdAtMs: pod.createdAtMs,
    node: textAt(body, 'spec', 'nodeName') ?? '',
    ip: textAt(body, 'status', 'podIP'),
    port: portOf(body),
    readyAtMs: state.phase === 'ready' ? timeAt(conditionOf(body, 'Ready'), 'lastTransitionTime') : null,
    restarts: statusesOf(body).reduce((most: number, one) => Math.max(most, numberAt(one, 'restartCount') ?? 0), 0),
    deletionCost: pod.annotations[deletionCostAnnotation] ?? null,
    ...state,
  };
}

/** Its controller counts it: neither ended nor on its way out. */
export function isLive({ phase }: PodView): boolean {
  return phase === 'starting' || phase === 'ready';
}

type State = Pick<PodView, 'phase' | 'message' | 'failure'>;

function stateOf(pod: KubernetesObject): State {
  const { body } = pod;
  if (pod.deletedAtMs !== null) return { phase: 'stopping', message: 'the pod is being deleted', failure: null };
  const phase = textAt(body, 'status', 'phase');
  const reason = textAt(body, 'status', 'reason');
  if (phase === 'Failed' || phase === 'Succeeded') {
    const said = textAt(body, 'status', 'message');
    const message = [reason ?? `the pod has ended (${phase})`, ...(said ? [said] : [])].join(': ');
    return { phase: 'failed', message, failure: reason === 'Evicted' ? 'evicted' : 'crashed' };
  }
  if (isReady(body)) return { phase: 'ready', message: '', failure: null };
  return { phase: 'starting', message: waitingFor(body), failure: null };
}

/** The kubelet's word, and every readiness gate besides: a gate may be added by others than the kubelet. */
function isReady(body: unknown): boolean {
  const gates = listAt(body, 'spec', 'readinessGates').flatMap((gate) => textAt(gate, 'conditionType') ?? []);
  return ['Ready', ...gates].every((type) => trueCondition(body, type));
}

/** Why it is not ready yet, for a person. */
function waitingFor(body: unknown): string {
  for (const status of statusesOf(body)) {
    const reason = textAt(status, 'state', 'waiting', 'reason');
    const message = textAt(status, 'state', 'waiting', 'message');
    if (reason !== null) return message ? `${reason}: ${message}` : reason;
  }
  const scheduled = conditionOf(body, 'PodScheduled');
  if (textAt(scheduled, 'status') === 'False') return textAt(scheduled, 'message') ?? 'the pod has no node yet';
  const gate = listAt(body, 'spec', 'readinessGates')
    .flatMap((one) => textAt(one, 'conditionType') ?? [])
    .find((type) => !trueCondition(body, type));
  return gate === undefined ? '' : `readiness gate ${gate} is not met`;
}

function statusesOf(body: unknown): readonly unknown[] {
  return [...listAt(body, 'status', 'initContainerStatuses'), ...listAt(body, 'status', 'containerStatuses')];
}

function portOf(body: unknown): number | null {
  for (const container of listAt(body, 'spec', 'containers')) {
    for (const port of listAt(container, 'ports')) {
      const found = numberAt(port, 'containerPort');
      if (found !== null) return found;
    }
  }
  return null;
}
