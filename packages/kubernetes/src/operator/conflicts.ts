import type { ScaledObjectSpec } from '@ebb/documents';
import type { KubernetesObject } from '../client/objects.ts';
import { textAt } from '../client/values.ts';

/** A ScaledObject that is valid, with what it says. */
export interface ReadScaledObject {
  readonly object: KubernetesObject;
  readonly spec: ScaledObjectSpec;
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
 * oldest has it. Nothing is done for those that are refused, and they are told by whose name.
 */
export function ownershipOf(
  claims: readonly ReadScaledObject[],
  autoscalers: readonly KubernetesObject[],
  target: { kind: string; name: string },
): Ownership {
  const refused = new Map<ReadScaledObject, string>();
  const scales = (other: string) => `${target.kind} ${target.name} is scaled by the ${other} already`;
  const hpa = autoscalers.find((one) => one.annotations[ownershipAnnotation] !== 'false' && isScaledBy(target, one));
  const sorted = [...claims].sort(
    (left, right) =>
      left.object.createdAtMs - right.object.createdAtMs || (left.object.name < right.object.name ? -1 : 1),
  );
  const [first] = sorted;
  for (const claim of sorted) {
    if (hpa) refused.set(claim, scales(`HorizontalPodAutoscaler ${hpa.name}`));
    else if (first && claim !== first) refused.set(claim, scales(`ScaledObject ${first.object.name}`));
  }
  return { owner: hpa ? null : (first ?? null), refused };
}

function isScaledBy(target: { kind: string; name: string }, hpa: KubernetesObject): boolean {
  return hpaTarget(hpa) === target.name && textAt(hpa.body, 'spec', 'scaleTargetRef', 'kind') === target.kind;
}

/** Name of what an HPA scales. */
export function hpaTarget({ body }: KubernetesObject): string | null {
  return textAt(body, 'spec', 'scaleTargetRef', 'name');
}
