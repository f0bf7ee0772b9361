import { nearest, type WorkloadInput } from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';
import { PolicyNameError, type PolicySettings } from '../policies/policy.ts';
import { policyDocuments, rehearsalPolicies } from '../policies/registry.ts';
import type { PolicyToCompare } from './options.ts';

/** The documents as they are, whatever decides in them. */
const ownName = 'ebb';
const staticName = 'always-on';

export interface PolicyBase {
  workload: WorkloadInput;
  settings: PolicySettings;
}

/** What may stand in a list of policies: name, what it is, and an example. */
export function comparablePolicies(): { name: string; summary: string; example: string }[] {
  const others = rehearsalPolicies.map(({ name, summary, example }) =>
    name === staticName
      ? { name, summary: `${summary}; without a count the fewest that keep the promise (hindsight)`, example: name }
      : { name, summary, example },
  );
  return [{ name: ownName, summary: 'the documents as they are', example: ownName }, ...others];
}

/**
 * Takes a list such as `ebb,keda:min1,70,keepalive:10m` apart: what begins with a digit, is `minN` or has a `=` belongs to the policy
 * before it.
 */
export function policyNames(text: string): string[] {
  const names: string[] = [];
  for (const part of text.split(',').map((one) => one.trim())) {
    const before = names.at(-1);
    if (part === '') continue;
    if (before?.includes(':') && /^(\d|min\d+$|\w+=)/.test(part)) names[names.length - 1] = `${before},${part}`;
    else names.push(part);
  }
  return names;
}

/**
 * Policies by name: `ebb` runs the documents as they are, every other one the Workloads with another scaling.
 *
 * @throws PolicyNameError with the nearest name, InvalidDocumentError where a Workload is not valid.
 */
export function policiesToCompare(
  names: readonly string[],
  own: readonly ApplyInput[],
  bases: readonly PolicyBase[],
): PolicyToCompare[] {
  const known = comparablePolicies().map(({ name }) => name);
  return names.map((name): PolicyToCompare => {
    const first = name.split(':', 1)[0] ?? '';
    if (!known.includes(first)) {
      const near = nearest(first, known);
      throw new PolicyNameError(
        `there is no policy "${first}"; there are ${known.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`,
      );
    }
    if (first === ownName) {
      if (name !== ownName) throw new PolicyNameError(`policy ebb: it is what the documents say and has no parameters`);
      return { name, documents: own };
    }
    const made = (complete: string) =>
      bases.flatMap(({ workload, settings }) => policyDocuments(complete, workload, settings));
    if (name === staticName) return { name, documents: (staticPeak) => made(`${staticName}:${staticPeak}`) };
    return { name, documents: made(name) };
  });
}
