import { plan } from '../placement/plan.ts';
import type { PlacementPod } from '../placement/types.ts';
import type { Draft } from './draft.ts';
import type { FleetNode } from './types.ts';
import { Views } from './views.ts';

/** Goes to save money only, and is still there. */
export function isKeepable({ phase, going }: FleetNode): boolean {
  if (phase !== 'draining' || going === null || going.evictedAtMs !== null) return false;
  const { kind } = going.reason;
  return kind === 'underutilized' || kind === 'spot-ready' || kind === 'empty' || kind === 'not-needed';
}

/** A pod that waits in vain may stand for one on a node that goes to save money: such nodes stay. */
export function keepWanted(draft: Draft): void {
  for (const node of draft.book.all()) if (isKeepable(node) && isWanted(draft, node)) draft.keep(node);
}

/** Whether a pod waits that is of a workload on the node and could run there. */
export function isWanted(draft: Draft, node: FleetNode): boolean {
  const workloads = new Set(draft.podsOn(node.id).map(({ pod }) => pod.workload));
  const pods = draft.waiting().flatMap(({ pod }) => (workloads.has(pod.workload) ? [pod] : []));
  return pods.length > 0 && holdsOne(draft, node, pods);
}

/** Whether the node, were it empty, has room for the pod. */
export function holdsPod(draft: Draft, node: FleetNode, pod: PlacementPod): boolean {
  return holdsOne(draft, node, [pod]);
}

function holdsOne(draft: Draft, node: FleetNode, pods: readonly PlacementPod[]): boolean {
  const { nowMs, spec } = draft;
  const nodes = [new Views(draft).forConsolidation(node).empty];
  const input = { nowMs, pods, nodes, pools: [], settings: spec.settings };
  return plan(input, { solver: null, seed: spec.seed, workUnits: 0 }).bind.length > 0;
}
