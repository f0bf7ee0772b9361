import type { ScalingSpec } from '@ebb/documents';
import type { DecisionSpec, WorkloadDecisionSpec } from '../replicas/types.ts';
import { smallestThat, type Varied, type WhatIf } from './whatIfSearch.ts';

const noRules = { stabilizationMs: 0, selectPolicy: 'Max', policies: [] } as const;
const mostReplicas = 1_000_000;
const longestKeepAliveMs = 365 * 86_400_000;

/** Which line of the document, had it been otherwise, would have given another count. */
export function ruleChanges(varied: Varied): WhatIf[] {
  const { spec, replicas, observation } = varied;
  if (spec.policy !== 'windows') return boundChanges(varied);
  const { scaling } = spec;
  const found: WhatIf[] = [];
  const tryOut = (change: string, other: Partial<ScalingSpec>, data: WhatIf['data'] = {}) => {
    const count = varied.replicasWith({ spec: withScaling(spec, other) });
    if (count !== null && count !== replicas) found.push({ change, data: { ...data, replicas: count } });
    return count;
  };

  if (scaling.paused) tryOut('unpaused', { paused: null });
  const uncapped = varied.replicasWith({ spec: withScaling(spec, { maxReplicas: mostReplicas }) });
  if (uncapped !== null && uncapped > replicas) {
    found.push({ change: 'higher-max', data: { now: scaling.maxReplicas, maxReplicas: uncapped, replicas: uncapped } });
  }
  const { minReplicas, schedules } = scaling;
  if (minReplicas > 0) tryOut('lower-min', { minReplicas: 0 }, { now: minReplicas, minReplicas: 0 });
  for (const { name } of schedules) {
    const others = schedules.filter((schedule) => schedule.name !== name);
    tryOut('without-schedule', { schedules: others }, { schedule: name });
  }
  const { scaleUp, scaleDown } = scaling.behavior;
  tryOut('without-scale-up-rules', { behavior: { scaleUp: { ...noRules, policies: [] }, scaleDown } });
  tryOut('without-scale-down-rules', { behavior: { scaleUp, scaleDown: { ...noRules, policies: [] } } });
  tryOut('without-down-rate', { windows: { ...scaling.windows, maxScaleDownRate: Number.MAX_SAFE_INTEGER } });
  const { keepAliveMs } = scaling;
  const less = smallestThat(0, keepAliveMs, (ms) => {
    return (tryOutKeepAlive(varied, spec, keepAliveMs - ms) ?? replicas) < replicas;
  });
  if (keepAliveMs > 0 && less !== null) {
    const shorter = keepAliveMs - less;
    const count = tryOutKeepAlive(varied, spec, shorter);
    found.push({ change: 'shorter-keep-alive', data: { now: keepAliveMs, keepAliveMs: shorter, replicas: count } });
  }
  const longer = smallestThat(
    keepAliveMs,
    longestKeepAliveMs,
    (ms) => (tryOutKeepAlive(varied, spec, ms) ?? replicas) > replicas,
  );
  if (longer !== null) {
    const count = tryOutKeepAlive(varied, spec, longer);
    found.push({ change: 'longer-keep-alive', data: { now: keepAliveMs, keepAliveMs: longer, replicas: count } });
  }
  if (!observation.countsKnown) {
    const count = varied.replicasWith({ observation: { ...observation, countsKnown: true } });
    if (count !== null && count !== replicas) found.push({ change: 'gateway-heard', data: { replicas: count } });
  }
  return found;
}

/** The bounds of a policy of another origin, under whichever names it has them. */
function boundChanges(varied: Varied): WhatIf[] {
  const { spec, replicas } = varied;
  const found: WhatIf[] = [];
  const tryOut = (change: string, other: DecisionSpec, data: WhatIf['data']) => {
    const count = varied.replicasWith({ spec: other });
    if (count !== null && count !== replicas) found.push({ change, data: { ...data, replicas: count } });
  };
  if ('maxReplicas' in spec && 'minReplicas' in spec) {
    const { minReplicas, maxReplicas } = spec;
    const higher = maxReplicas === null ? null : maxReplicas + 1;
    if (higher !== null) {
      tryOut('higher-max', { ...spec, maxReplicas: higher }, { now: maxReplicas, maxReplicas: higher });
    }
    const lower = minReplicas === null || minReplicas < 1 ? null : minReplicas - 1;
    if (lower !== null) tryOut('lower-min', { ...spec, minReplicas: lower }, { now: minReplicas, minReplicas: lower });
  } else if (spec.policy === 'kpa') {
    const { minScale, maxScale } = spec;
    if (maxScale > 0) {
      tryOut('higher-max', { ...spec, maxScale: maxScale + 1 }, { now: maxScale, maxReplicas: maxScale + 1 });
    }
    if (minScale > 0) {
      tryOut('lower-min', { ...spec, minScale: minScale - 1 }, { now: minScale, minReplicas: minScale - 1 });
    }
  }
  return found;
}

function tryOutKeepAlive(varied: Varied, spec: WorkloadDecisionSpec, keepAliveMs: number): number | null {
  return varied.replicasWith({ spec: withScaling(spec, { keepAliveMs }) });
}

function withScaling(spec: WorkloadDecisionSpec, scaling: Partial<ScalingSpec>): WorkloadDecisionSpec {
  return { ...spec, scaling: { ...spec.scaling, ...scaling } };
}
