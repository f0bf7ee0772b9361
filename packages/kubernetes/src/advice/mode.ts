import type { KubernetesObject } from '../client/objects.ts';
import { isObject, type JsonObject, listAt, readJson, textAt } from '../client/values.ts';

/** `advice`: everything is decided and nothing is written. `control`: what is decided is done. */
export type Mode = 'control' | 'advice';

/** On a ScaledObject, a Workload or an HPA: `advice` or `control`. Left out: what the operator was started with. */
export const modeAnnotation = 'ebb.dev/mode';
/** What an object was before `ebb take-over` changed it, as JSON: `ebb give-back` restores it from there. */
export const takenOverAnnotation = 'ebb.dev/taken-over';
export const pausedAnnotation = 'autoscaling.keda.sh/paused';

type Annotated = Pick<KubernetesObject, 'annotations'>;

/** A word that is neither counts as advice: nothing is written because of a slip of the pen. */
export function modeOf({ annotations }: Annotated, otherwise: Mode): Mode {
  const written = annotations[modeAnnotation];
  if (written === undefined) return otherwise;
  return written === 'control' ? 'control' : 'advice';
}

export function isTakenOver({ annotations }: Annotated): boolean {
  return annotations[takenOverAnnotation] !== undefined;
}

/** Without the pause that is meant for KEDA alone, where it is on an object that Ebb has taken over. */
export function withoutKedaPause(object: KubernetesObject): KubernetesObject {
  if (!isTakenOver(object)) return object;
  const { [pausedAnnotation]: _paused, ...annotations } = object.annotations;
  return { ...object, annotations };
}

/** Made by KEDA for a ScaledObject, which speaks for it. */
export function isKedaOwned({ body, labels }: KubernetesObject): boolean {
  const owners = listAt(body, 'metadata', 'ownerReferences');
  return (
    owners.some((owner) => textAt(owner, 'kind') === 'ScaledObject') ||
    labels['app.kubernetes.io/managed-by'] === 'keda-operator'
  );
}

/** What `take-over` keeps of an HPA: the parts of its spec that it changes, as they were; absent ones are left out. */
export interface KeptHpa {
  readonly spec: JsonObject;
  readonly annotations: Readonly<Record<string, string | null>>;
}

/** What was kept of an HPA; null where nothing was, or what is there cannot be read. */
export function keptHpa({ annotations }: Annotated): KeptHpa | null {
  const text = annotations[takenOverAnnotation];
  if (text === undefined) return null;
  const kept = readJson(text);
  if (!isObject(kept) || !isObject(kept.spec)) return null;
  return { spec: kept.spec, annotations: { [modeAnnotation]: textAt(kept, 'annotations', modeAnnotation) } };
}

/** It reads its metrics and never writes a count: both directions are switched off. */
export function isSilenced({ body }: Pick<KubernetesObject, 'body'>): boolean {
  return ['scaleUp', 'scaleDown'].every(
    (direction) => textAt(body, 'spec', 'behavior', direction, 'selectPolicy') === 'Disabled',
  );
}
