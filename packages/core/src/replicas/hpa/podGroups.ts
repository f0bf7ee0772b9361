import type { HpaControllerSettings, HpaPod, HpaPodSample } from './types.ts';

export interface PodGroups {
  readyCount: number;
  unready: Set<string>;
  missing: Set<string>;
  ignored: Set<string>;
}

/**
 * Sorts pods the way the replica calculator does (`groupPods`): ignored are terminating and failed ones; unready are
 * pending ones and, for CPU only, those whose sample says nothing yet; missing have no sample; all others are ready.
 */
export function groupPods(
  pods: HpaPod[],
  samples: ReadonlyMap<string, HpaPodSample>,
  resource: string,
  settings: HpaControllerSettings,
  nowMs: number,
): PodGroups {
  const groups: PodGroups = { readyCount: 0, unready: new Set(), missing: new Set(), ignored: new Set() };
  for (const pod of pods) {
    const sample = samples.get(pod.name);
    if (pod.deleting === true || pod.phase === 'Failed') groups.ignored.add(pod.name);
    else if (pod.phase === 'Pending') groups.unready.add(pod.name);
    else if (!sample) groups.missing.add(pod.name);
    else if (resource === 'cpu' && isCpuSampleTooEarly(pod, sample, settings, nowMs)) groups.unready.add(pod.name);
    else groups.readyCount += 1;
  }
  return groups;
}

/** CPU of a pod that is still starting says nothing about its later load. */
function isCpuSampleTooEarly(
  pod: HpaPod,
  sample: HpaPodSample,
  settings: HpaControllerSettings,
  nowMs: number,
): boolean {
  const { ready, startTimeMs } = pod;
  if (!ready || startTimeMs === null || startTimeMs === undefined) return true;
  if (startTimeMs + settings.cpuInitializationPeriodMs > nowMs) {
    const sampledAtMs = sample.atMs ?? nowMs;
    return ready.status === 'False' || sampledAtMs < ready.lastTransitionMs + (sample.windowMs ?? 0);
  }
  // Never became ready since it started.
  return ready.status === 'False' && startTimeMs + settings.initialReadinessDelayMs > ready.lastTransitionMs;
}
