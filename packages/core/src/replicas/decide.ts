import type { Decide, DecisionSpec, Memory } from './types.ts';
import { decideByWindows } from './windows.ts';

/** Every policy by its name in a spec. A new one is a file and a line here. */
const policies: { [Policy in DecisionSpec['policy']]: Decide } = {
  windows: decideByWindows,
};

/**
 * How many replicas a workload gets, and why (design §4). Pure: the same spec, memory and observation give the same
 * decision and memory, which is what makes a journal replayable. A memory written by another policy is not used.
 */
export const decide: Decide = (spec, memory, observation) =>
  policies[spec.policy](spec, ownMemory(memory, spec), observation);

function ownMemory(memory: Memory | null, spec: DecisionSpec): Memory | null {
  return memory && memory.policy === spec.policy ? memory : null;
}
