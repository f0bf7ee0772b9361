import { evaluateFormula } from '../formula/evaluate.ts';
import { decideByAibrix } from './algorithms/aibrixApa.ts';
import { decideByClarifai } from './algorithms/clarifai.ts';
import { decideByKpa } from './algorithms/kpa.ts';
import { decideByKubeAi } from './algorithms/kubeAi.ts';
import { decideByRay } from './algorithms/rayServe.ts';
import { decideBySky } from './algorithms/skyServe.ts';
import { decideBySlo } from './algorithms/slo.ts';
import { decideByHpa } from './hpa/hpa.ts';
import { decideByKeda } from './keda/keda.ts';
import { decideByPriced } from './priced/priced.ts';
import type { Decide, DecideResult, DecisionSpec, Memory, Observation } from './types.ts';
import { decideByWindows } from './windows.ts';

type SpecOf<Policy extends DecisionSpec['policy']> = Extract<DecisionSpec, { policy: Policy }>;

/** Every policy by its name in a spec. A new one is a file and a line here. */
const policies: { [Policy in DecisionSpec['policy']]: Decide<SpecOf<Policy>> } = {
  aibrix: decideByAibrix,
  clarifai: decideByClarifai,
  hpa: decideByHpa,
  keda: decideByKeda(evaluateFormula),
  kpa: decideByKpa,
  kubeai: decideByKubeAi,
  priced: decideByPriced,
  ray: decideByRay,
  skyserve: decideBySky,
  slo: decideBySlo,
  windows: decideByWindows,
};

/**
 * How many replicas a workload gets, and why (design §4). Pure: the same spec, memory and observation give the same
 * decision and memory, which is what makes a journal replayable. A memory written by another policy is not used.
 */
export function decide<Policy extends DecisionSpec['policy']>(
  spec: SpecOf<Policy>,
  memory: Memory | null,
  observation: Observation,
): DecideResult {
  const policy: Decide<SpecOf<Policy>> = policies[spec.policy as Policy];
  return policy(spec, memory && memory.policy === spec.policy ? memory : null, observation);
}
