import { type KubernetesObject, objectName } from '../client/objects.ts';
import type { InformerEvent } from '../informer/informer.ts';
import { hpaTarget } from './conflicts.ts';

/** HPAs by the name of what they scale: who asks for those of one target does not look at all others. */
export class AutoscalerIndex {
  /** By the target's namespace and name, the HPAs by their own name. */
  readonly #byTarget = new Map<string, Map<string, KubernetesObject>>();

  onEvent(event: InformerEvent): void {
    const { object } = event;
    this.#drop(event.type === 'put' ? event.before : object);
    const target = event.type === 'put' ? targetOf(object) : null;
    if (target === null) return;
    const near = this.#byTarget.get(target) ?? new Map<string, KubernetesObject>();
    this.#byTarget.set(target, near.set(object.name, object));
  }

  /** Those that name a target, of whatever kind it is, by their own names. */
  of(target: { namespace: string; name: string }): KubernetesObject[] {
    const found = [...(this.#byTarget.get(objectName(target))?.values() ?? [])];
    return found.sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  #drop(object: KubernetesObject | null): void {
    const target = object && targetOf(object);
    if (!object || target === null) return;
    const near = this.#byTarget.get(target);
    near?.delete(object.name);
    if (near?.size === 0) this.#byTarget.delete(target);
  }
}

function targetOf(hpa: KubernetesObject): string | null {
  const name = hpaTarget(hpa);
  return name === null ? null : objectName({ namespace: hpa.namespace, name });
}
