import { ceilCount, round } from '../replicas/recommendation.ts';
import { sanitizeReading } from '../replicas/sanitizeReading.ts';
import type { Memory, Observation, WorkloadDecisionSpec } from '../replicas/types.ts';
import { addSample, isUnmeasured, windowMean } from '../replicas/window.ts';
import { readWindowsMemory, triggerKey, writeWindowsMemory } from '../replicas/windowsMemory.ts';
import { smallestThat, type Varied, type WhatIf } from './whatIfSearch.ts';

/** A mean is varied in steps of a thousandth, which is as fine as it is shown. */
const stepsPerUnit = 1_000;
const largestMean = 1_000_000;

/** At which mean of a trigger's stable window the count would have been another one; requests of the moment as they were. */
export function meanChanges(varied: Varied): WhatIf[] {
  const { spec } = varied;
  if (spec.policy !== 'windows' || !varied.memory) return [];
  return spec.classes.flatMap(({ name }) =>
    spec.scaling.triggers.flatMap((trigger) => changesOf(varied, spec, trigger, name)),
  );
}

function changesOf(
  varied: Varied,
  spec: WorkloadDecisionSpec,
  trigger: WorkloadDecisionSpec['scaling']['triggers'][number],
  className: string,
): WhatIf[] {
  const { observation, memory, replicas } = varied;
  const measured = withReadings(spec, memory, observation, trigger.name, className);
  const mean = measured?.mean ?? null;
  if (!measured || mean === null) return [];
  const withMean = (thousandths: number) => varied.replicasWith(measured.varied(thousandths / stepsPerUnit));
  const now = Math.round(mean * stepsPerUnit);
  const perReplica = Math.max(0.01, trigger.target * spec.scaling.windows.targetUtilization);
  const base = { trigger: trigger.name, class: className, now: round(mean), asks: ceilCount(mean / perReplica) };
  const found: WhatIf[] = [];
  const above = smallestThat(now, largestMean * stepsPerUnit, (value) => (withMean(value) ?? replicas) > replicas);
  if (above !== null) {
    // The step before gives the count as it was: it is the border.
    const mean = (above - 1) / stepsPerUnit;
    found.push({ change: 'mean-above', data: { ...base, mean, replicas: withMean(above) } });
  }
  const less = now > 0 ? smallestThat(0, now, (value) => (withMean(now - value) ?? replicas) < replicas) : null;
  if (less !== null) {
    const mean = (now - less) / stepsPerUnit;
    found.push({ change: 'mean-at-most', data: { ...base, mean, replicas: withMean(now - less) } });
  }
  return found;
}

interface Measured {
  mean: number | null;
  /** The same decision with another mean in the window, and no reading of this trigger to change it. */
  varied(mean: number): { memory: Memory; observation: Observation };
}

/** The window with this moment's readings already in it. */
function withReadings(
  spec: WorkloadDecisionSpec,
  stored: Memory | null,
  observation: Observation,
  trigger: string,
  className: string,
): Measured | null {
  const { nowMs } = observation;
  const memory = readWindowsMemory(stored, spec);
  const own = spec.scaling.triggers.find((one) => one.name === trigger);
  const remembered = own && memory?.triggers.get(triggerKey(own, className));
  if (!memory || !remembered) return null;
  const { window } = remembered;
  const isOwn = (reading: Observation['readings'][number]) =>
    reading.trigger === trigger && (reading.class ?? spec.classes[0]?.name) === className;
  for (const reading of observation.readings.filter(isOwn)) {
    const sanitized = sanitizeReading(reading, nowMs);
    // Without the source the count is held whatever its mean was.
    if ('unusable' in sanitized) return null;
    const { atMs, spanMs, value } = sanitized.usable;
    addSample(window, atMs, spanMs, value);
  }
  if (isUnmeasured(window)) return null;
  const { buckets } = window;
  return {
    mean: windowMean(window, nowMs, spec.scaling.windows.stableMs),
    varied: (mean) => {
      window.buckets = buckets.map(([index, , coveredMs]) => [index, mean * coveredMs, coveredMs]);
      const readings = observation.readings.filter((reading) => !isOwn(reading));
      return { memory: writeWindowsMemory(memory), observation: { ...observation, readings } };
    },
  };
}
