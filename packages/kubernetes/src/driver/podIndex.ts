import type { KubernetesObject } from '../client/objects.ts';
import type { Selector } from '../client/selector.ts';
import type { Informer } from '../informer/informer.ts';

/**
 * Pods by the labels that targets select with: who has thousands of each does not compare every one with every one. Only
 * label keys that some selector needs are kept.
 */
export class PodIndex {
  readonly #pods: Pick<Informer, 'list'>;
  /** By label key, then by namespace and value: the pods' UIDs with the pods. */
  readonly #byKey = new Map<string, Map<string, Map<string, KubernetesObject>>>();
  readonly #seen = new Map<string, KubernetesObject>();

  constructor(pods: Pick<Informer, 'list'>) {
    this.#pods = pods;
  }

  /** Pods of a namespace that may be selected: all that are, and perhaps more. */
  near(namespace: string, { pair }: Selector): KubernetesObject[] {
    if (!pair) return this.#pods.list().filter((pod) => pod.namespace === namespace);
    const [key, value] = pair;
    return [...(this.#index(key).get(place(namespace, value))?.values() ?? [])];
  }

  seen(pod: KubernetesObject): void {
    if (this.#byKey.size === 0) return;
    const before = this.#seen.get(pod.uid);
    this.#seen.set(pod.uid, pod);
    for (const [key, index] of this.#byKey) {
      if (before && before.labels[key] !== pod.labels[key]) drop(index, key, before);
      add(index, key, pod);
    }
  }

  gone({ uid }: KubernetesObject): void {
    const before = this.#seen.get(uid);
    if (!before) return;
    this.#seen.delete(uid);
    for (const [key, index] of this.#byKey) drop(index, key, before);
  }

  #index(key: string): Map<string, Map<string, KubernetesObject>> {
    const known = this.#byKey.get(key);
    if (known) return known;
    const index = new Map<string, Map<string, KubernetesObject>>();
    this.#byKey.set(key, index);
    for (const pod of this.#pods.list()) {
      this.#seen.set(pod.uid, pod);
      add(index, key, pod);
    }
    return index;
  }
}

function add(index: Map<string, Map<string, KubernetesObject>>, key: string, pod: KubernetesObject): void {
  const value = pod.labels[key];
  if (value === undefined) return;
  const at = place(pod.namespace, value);
  const pods = index.get(at) ?? new Map<string, KubernetesObject>();
  index.set(at, pods.set(pod.uid, pod));
}

function drop(index: Map<string, Map<string, KubernetesObject>>, key: string, pod: KubernetesObject): void {
  const value = pod.labels[key];
  if (value === undefined) return;
  const at = place(pod.namespace, value);
  const pods = index.get(at);
  pods?.delete(pod.uid);
  if (pods?.size === 0) index.delete(at);
}

/** Neither part can have a slash in it. */
function place(namespace: string, value: string): string {
  return `${namespace}/${value}`;
}
