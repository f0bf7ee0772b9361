import { type KubernetesObject } from '../client/objects.ts';
import { textAt } from '../client/values.ts';
import type { TargetReference } from '../driver/target.ts';

/**
 * The VerticalPodAutoscaler that changes pods of a target; null: there is none. One whose mode is Off only recommends, as Ebb may beside it.
 */
export function verticalAutoscalerOf(
  all: readonly KubernetesObject[],
  { namespace, name, resource }: Pick<TargetReference, 'namespace' | 'name' | 'resource'>,
): string | null {
  const found = all.find(
    ({ namespace: at, body, deletedAtMs }) =>
      at === namespace &&
      deletedAtMs === null &&
      textAt(body, 'spec', 'targetRef', 'name') === name &&
      textAt(body, 'spec', 'targetRef', 'kind') === resource.kind &&
      textAt(body, 'spec', 'updatePolicy', 'updateMode') !== 'Off',
  );
  return found?.name ?? null;
}
