import type { Taint, Toleration } from '../types.ts';

/**
 * Whether one toleration covers one taint, by Kubernetes' rules: an empty effect covers all effects, an empty key with
 * `Exists` covers all keys, `Equal` compares values.
 */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== null && toleration.effect !== taint.effect) return false;
  if (toleration.key === null || toleration.key === '') return toleration.operator === 'Exists';
  if (toleration.key !== taint.key) return false;
  return toleration.operator === 'Exists' || toleration.value === taint.value;
}

/** The first taint that keeps a pod with these tolerations away, or null. PreferNoSchedule keeps nothing away. */
export function untolerated(taints: readonly Taint[], tolerations: readonly Toleration[]): Taint | null {
  for (const taint of taints) {
    if (taint.effect === 'PreferNoSchedule') continue;
    if (!tolerations.some((toleration) => tolerates(toleration, taint))) return taint;
  }
  return null;
}
