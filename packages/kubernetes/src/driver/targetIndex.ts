import type { KubernetesObject } from '../client/objects.ts';
import type { Selector } from '../client/selector.ts';

interface Selecting {
  readonly reference: { readonly namespace: string };
  readonly state: { readonly selector: Selector };
}

/** Targets by the label that their selector asks for first, so that a pod is compared with few of thousands. */
export class TargetIndex<Target extends Selecting> {
  /** By label key, then by namespace and value. */
  readonly #byKey = new Map<string, Map<string, Set<Target>>>();
  /** By namespace: those whose selector names no one value. */
  readonly #others = new Map<string, Set<Target>>();

  add(target: Target): void {
    const { map, at } = this.#place(target);
    map.set(at, (map.get(at) ?? new Set()).add(target));
  }

  delete(target: Target): void {
    const { map, at } = this.#place(target);
    const found = map.get(at);
    found?.delete(target);
    if (found?.size === 0) map.delete(at);
  }

  /** The one that selects a pod. */
  ownerOf({ namespace, labels }: Pick<KubernetesObject, 'namespace' | 'labels'>): Target | null {
    for (const [key, targets] of this.#byKey) {
      const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
      if (value === undefined) continue;
      for (const target of targets.get(`${namespace}/${value}`) ?? []) if (target.state.selector(labels)) return target;
    }
    for (const target of this.#others.get(namespace) ?? []) if (target.state.selector(labels)) return target;
    return null;
  }

  #place({ reference, state }: Target): { map: Map<string, Set<Target>>; at: string } {
    const { namespace } = reference;
    const { pair } = state.selector;
    if (!pair) return { map: this.#others, at: namespace };
    const [key, value] = pair;
    const map = this.#byKey.get(key) ?? new Map<string, Set<Target>>();
    this.#byKey.set(key, map);
    return { map, at: `${namespace}/${value}` };
  }
}
