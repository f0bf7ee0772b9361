import type { Reason } from '../explain/reasons.ts';
import type { Memory } from '../replicas/types.ts';
import type { ContainerAggregate } from './aggregate.ts';
import { amountsOf, type ContainerEstimate, estimateContainer } from './estimator.ts';
import { explainEstimate } from './explainEstimate.ts';
import { type Histories, lastSeenMs, maxMemoryBytes, readMemory, writeMemory } from './history.ts';
import { capToPolicy, controlled, entriesOf, policyOf, rounded } from './policy.ts';
import { historyLengthMs, historyOf, takeSamples } from './samples.ts';
import { because } from './sizingReasons.ts';
import type {
  ContainerPolicy,
  ContainerRecommendation,
  RecommenderSettings,
  SizingObservation,
  SizingResult,
  SizingSpec,
} from './types.ts';

/**
 * What each container should ask for, and why: one pass of the Vertical Pod Autoscaler's recommender. Pure: the same
 * spec, memory and samples give the same answer, and samples handed over in many calls give what one call gives.
 * Upstream looks for expired histories once an hour, this at every call.
 */
export function recommend(spec: SizingSpec, memory: Memory | null, observation: SizingObservation): SizingResult {
  const { nowMs } = observation;
  const { settings } = spec;
  const reasons: Reason[] = [];
  const histories = readMemory(memory, settings);
  dropExpired(spec, histories, nowMs, reasons);
  takeSamples(spec, histories, observation, reasons);
  for (const name of spec.containers) historyOf(histories, name, spec, nowMs);

  const sized = sizedContainers(spec, histories, reasons);
  const containers = sized.map(({ name, aggregate, policy }) => {
    const estimate = estimateContainer(aggregate, sized.length, settings);
    explainEstimate(name, aggregate, estimate, policy, settings, reasons);
    const wanted = recommendationOf(name, estimate, policy, settings, reasons);
    return capToPolicy(wanted, policy, settings.maxAllowed, reasons);
  });

  const written = writeMemory(histories, nowMs);
  if (written.trimmed) {
    reasons.push(because('sizing-history-trimmed', { maxBytes: maxMemoryBytes, ...written.trimmed }));
  }
  return { recommendation: { containers }, memory: written.memory, reasons };
}

interface SizedHistory {
  name: string;
  aggregate: ContainerAggregate;
  policy: ContainerPolicy | null;
}

/** The containers to recommend for, by name; those that are off do not share the minimum per pod. */
function sizedContainers(spec: SizingSpec, histories: Histories, reasons: Reason[]): SizedHistory[] {
  const sized: SizedHistory[] = [];
  const byName = [...histories].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  for (const [name, { aggregate }] of byName) {
    const policy = policyOf(spec.policies, name);
    if (policy?.mode === 'Off') reasons.push(because('sizing-off', { container: name }));
    else sized.push({ name, aggregate, policy });
  }
  return sized;
}

/** Removes histories to which nothing was added for their whole length, and replicas unseen for as long. */
function dropExpired(spec: SizingSpec, histories: Histories, nowMs: number, reasons: Reason[]): void {
  for (const [name, { aggregate, replicas }] of [...histories]) {
    const lengthMs = historyLengthMs(spec, name);
    for (const [id, usage] of [...replicas]) if (nowMs - lastSeenMs(usage) >= lengthMs) replicas.delete(id);
    if (!aggregate.isExpired(nowMs, lengthMs)) continue;
    histories.delete(name);
    reasons.push(because('sizing-history-expired', { container: name, days: lengthMs / 86_400_000 }));
  }
}

function recommendationOf(
  name: string,
  estimate: ContainerEstimate,
  policy: ContainerPolicy | null,
  settings: RecommenderSettings,
  reasons: Reason[],
): ContainerRecommendation {
  const amounts = (bound: 'lowerBound' | 'target' | 'upperBound') => controlled(amountsOf(estimate, bound), policy);
  const exact = amounts('target');
  const target = rounded(exact, policy, settings);
  for (const { resource, key, value } of entriesOf(exact)) {
    const to = target[key] ?? value;
    if (to !== value) reasons.push(because('sizing-rounded', { container: name, resource, from: value, to }));
  }
  return {
    name,
    lowerBound: rounded(amounts('lowerBound'), policy, settings),
    target,
    upperBound: rounded(amounts('upperBound'), policy, settings),
    uncappedTarget: { ...target },
  };
}
