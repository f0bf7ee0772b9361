import { type CompiledNeeds, compileNeeds } from './points.ts';
import type { PlacementPod } from './types.ts';

/** Pods that nothing tells apart but their ids: they are placed as a number. */
export interface PodClass {
  needs: CompiledNeeds;
  ids: readonly string[];
  /** Index of the class before it was split by zones. */
  parent: number;
  /** Its pods go to this zone; null: to any. */
  zone: string | null;
}

/** What besides their needs tells pods apart in this plan. */
export interface Distinguish {
  /** Because of `maxWorkloadShare`. */
  workload: boolean;
  /** Because some selector may ask for them. */
  labels: boolean;
}

/** Pods that are alike, in order of first appearance. What several pods share as one object is read once. */
export function podClassesOf(pods: readonly PlacementPod[], distinguish: Distinguish): PodClass[] {
  const texts = new Map<object, string>();
  const textOf = (part: object): string => {
    let text = texts.get(part);
    if (text === undefined) {
      text = JSON.stringify(part);
      texts.set(part, text);
    }
    return text;
  };
  const byKey = new Map<string, { pod: PlacementPod; ids: string[] }>();
  for (const pod of pods) {
    const numbers = [
      pod.cpuMilli,
      pod.memoryBytes,
      pod.priority,
      pod.interruptible ? pod.interruptionPriceMicro : 'no',
    ];
    const parts = [pod.gpu, pod.requirements, pod.affinityTerms, pod.preferred, pod.tolerations, pod.spread];
    const places = [pod.antiAffinity, pod.clusters, pod.regions, pod.pools, distinguish.labels ? pod.labels : null];
    const written = [...parts, ...places].map((part) => (part === null ? '' : textOf(part)));
    const key = [...numbers, ...written, distinguish.workload ? pod.workload : ''].join('|');
    const known = byKey.get(key);
    if (known) known.ids.push(pod.id);
    else byKey.set(key, { pod, ids: [pod.id] });
  }
  return [...byKey.values()].map(({ pod, ids }, parent) => ({ needs: compileNeeds(pod), ids, parent, zone: null }));
}
