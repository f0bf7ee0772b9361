import { decide } from '../replicas/decide.ts';
import type { DecisionSpec, Memory, Observation } from '../replicas/types.ts';
import { demandChanges } from './whatIfDemand.ts';
import { meanChanges } from './whatIfMean.ts';
import { ruleChanges } from './whatIfRules.ts';
import type { Varied, WhatIf } from './whatIfSearch.ts';
import { timeChanges } from './whatIfTime.ts';

/** Decisions made to answer one question, at most. */
export const mostEvaluations = 1_000;

/**
 * What would have had to be otherwise for another decision: the decision is made again with one input varied, and the
 * nearest value that changes the count is searched for. Each answer holds by itself, with everything else as it was.
 * `memory` is the one that the decision met.
 */
export function whatWouldChange(spec: DecisionSpec, memory: Memory | null, observation: Observation): WhatIf[] {
  const { replicas } = decide(spec, memory, observation).decision;
  let left = mostEvaluations;
  const varied: Varied = {
    spec,
    memory,
    observation,
    replicas,
    replicasWith: (variation) => {
      if (left-- <= 0) return null;
      const { decision } = decide(
        variation.spec ?? spec,
        variation.memory === undefined ? memory : variation.memory,
        variation.observation ?? observation,
      );
      return decision.replicas;
    },
  };
  return [...demandChanges(varied), ...meanChanges(varied), ...timeChanges(varied), ...ruleChanges(varied)];
}
