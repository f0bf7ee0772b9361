import type { ScaledObjectSpec } from '@ebb/documents';
import { hpaOfClaim } from '../advice/hpaDocument.ts';
import { isSilenced, isTakenOver, type Mode, modeOf } from '../advice/mode.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { textAt } from '../client/values.ts';

/** A ScaledObject that is valid, or an HPA that is followed as one, with what it says. */
export interface ReadScaledObject {
  readonly object: KubernetesObject;
  readonly spec: ScaledObjectSpec;
  readonly mode: Mode;
}

/** An HPA with this annotation on `"false"` is meant to be there beside a ScaledObject. */
const ownershipAnnotation = 'validations.keda.sh/hpa-ownership';

/** Which of several controllers has a target, and why the others are refused, by name. */
export interface Ownership {
  readonly owner: ReadScaledObject | null;
  readonly refused: ReadonlyMap<ReadScaledObject, string>;
}

/**
 * One controller for each target: an HPA is there before any ScaledObject, which it would fight; of ScaledObjects the
 * oldest has it. Nothing is done for those that are refused, and they are told by whose name. Advice writes nothing, so it
 * fights nobody: it is refused only where another document is followed for the same target.
 */
export function ownershipOf(
  claims: readonly ReadScaledObject[],
  autoscalers: readonly KubernetesObject[],
  target: { kind: string; name: string },
): Ownership {
  const refused = new Map<ReadScaledObject, string>();
  const scales = (other: string) => `${target.kind} ${target.name} is scaled by the ${other} already`;
  const hpa = liveAutoscaler(autoscalers, target);
  const sorted = [...claims].sort(
    (left, right) =>
      order(left) - order(right) ||
      left.object.createdAtMs - right.object.createdAtMs ||
      (left.object.name < right.object.name ? -1 : 1),
  );
  const [first] = sorted;
  for (const claim of sorted) {
    if (hpa && claim.mode === 'control') refused.set(claim, scales(`HorizontalPodAutoscaler ${hpa.name}`));
    else if (first && claim !== first) refused.set(claim, scales(nameOf(first)));
  }
  return { owner: first && !refused.has(first) ? first : null, refused };
}

/** Those that write come first, and HPAs after the ScaledObjects. */
function order({ mode, object }: ReadScaledObject): number {
  return (mode === 'control' ? 0 : 2) + (hpaOfClaim(object.name) === null ? 0 : 1);
}

function nameOf({ object }: ReadScaledObject): string {
  const hpa = hpaOfClaim(object.name);
  return hpa === null ? `ScaledObject ${object.name}` : `HorizontalPodAutoscaler ${hpa}`;
}

/** The HPA that scales a target by itself; null: none does. One that was taken over reads its metrics and no more. */
export function liveAutoscaler(
  autoscalers: readonly KubernetesObject[],
  target: { kind: string; name: string },
): KubernetesObject | null {
  const found = autoscalers.find(
    (one) =>
      one.annotations[ownershipAnnotation] !== 'false' &&
      isScaledBy(target, one) &&
      !(isTakenOver(one) && isSilenced(one) && modeOf(one, 'advice') === 'control'),
  );
  return found ?? null;
}

/** Whether an HPA is meant for a target. */
export function isScaledBy(target: { kind: string; name: string }, hpa: KubernetesObject): boolean {
  return hpaTarget(hpa) === target.name && textAt(hpa.body, 'spec', 'scaleTargetRef', 'kind') === target.kind;
}

/** Name of what an HPA scales. */
export function hpaTarget({ body }: KubernetesObject): string | null {
  return textAt(body, 'spec', 'scaleTargetRef', 'name');
}
