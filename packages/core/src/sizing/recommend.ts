import type { Reason } from '../explain/reasons.ts';
import type { Memory } from '../replicas/types.ts';
import { ContainerAggregate } from './aggregate.ts';
import { amountsOf, type ContainerEstimate, estimateContainer } from './estimator.ts';
import { type ContainerHistory, type Histories, maxMemoryBytes, readMemory, writeMemory } from './history.ts';
import { capToPolicy, controlled, entriesOf, policyOf, rounded } from './policy.ts';
import { historyMs, peakRules, takeSamples } from './samples.ts';
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
  const reasons: Reason[] = [];
  const histories = readMemory(memory, spec.settings);
  for (const name of spec.containers) historyOf(histories, name, spec.settings, nowMs);
  takeSamples(spec, histories, observation, reasons);
  dropExpired(spec, histories, nowMs, reasons);

  const sized: [string, ContainerHistory, ContainerPolicy | null][] = [];
  for (const name of [...histories.keys()].sort()) {
    const policy = policyOf(spec.policies, name);
    const history = histories.get(name);
    if (policy?.mode === 'Off') reasons.push(because('sizing-off', { container: name }));
    else if (history) sized.push([name, history, policy]);
  }
  const containers = sized.map(([name, { aggregate }, policy]) => {
    const estimate = estimateContainer(aggregate, sized.length, spec.settings);
    explainEstimate(name, aggregate, estimate, policy, spec.settings, reasons);
    const wanted = recommendationOf(name, estimate, policy, spec.settings, reasons);
    return capToPolicy(wanted, policy, spec.settings.maxAllowed, reasons);
  });

  const written = writeMemory(histories, nowMs);
  if (written.trimmed) {
    reasons.push(because('sizing-history-trimmed', { maxBytes: maxMemoryBytes, ...written.trimmed }));
  }
  return { recommendation: { containers }, memory: written.memory, reasons };
}

/** The history of a container, begun now where there is none. */
function historyOf(
  histories: Histories,
  name: string,
  settings: RecommenderSettings,
  nowMs: number,
): ContainerHistory {
  const known = histories.get(name);
  if (known) return known;
  const history = { aggregate: new ContainerAggregate(nowMs, settings), replicas: new Map() };
  histories.set(name, history);
  return history;
}

/** Begins a history anew, or removes it, when nothing was added to it for its whole length. */
function dropExpired(spec: SizingSpec, histories: Histories, nowMs: number, reasons: Reason[]): void {
  for (const [name, { aggregate, replicas }] of [...histories]) {
    const lengthMs = historyMs(spec, name);
    for (const [id, usage] of replicas) {
      if (nowMs - Math.max(usage.lastCpuMs ?? 0, usage.lastMemoryMs ?? 0) >= lengthMs) replicas.delete(id);
    }
    if (!aggregate.isExpired(nowMs, lengthMs)) continue;
    histories.delete(name);
    reasons.push(because('sizing-history-expired', { container: name, days: lengthMs / 86_400_000 }));
    if (spec.containers.includes(name)) historyOf(histories, name, spec.settings, nowMs);
  }
}

function recommendationOf(
  name: string,
  estimate: ContainerEstimate,
  policy: ContainerPolicy | null,
  settings: RecommenderSettings,
  reasons: Reason[],
): ContainerRecommendation {
  const [lowerBound, target, upperBound] = (['lowerBound', 'target', 'upperBound'] as const).map((bound) =>
    controlled(amountsOf(estimate, bound), policy),
  );
  const round = (amounts = {}) => rounded(amounts, policy, settings);
  const wanted = round(target);
  for (const { resource, key, value } of entriesOf(target ?? {})) {
    const to = wanted[key] ?? value;
    if (to !== value) reasons.push(because('sizing-rounded', { container: name, resource, from: value, to }));
  }
  return { name, lowerBound: round(lowerBound), target: wanted, upperBound: round(upperBound), uncappedTarget: { ...wanted } };
}
