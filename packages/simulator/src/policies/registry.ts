import { nearest, resolveScaledObject, resolveWorkload, type WorkloadInput } from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';
import { alwaysOn } from './alwaysOn.ts';
import { hpa } from './hpa.ts';
import { keda } from './keda.ts';
import { keepAlive } from './keepAlive.ts';
import { knative } from './knative.ts';
import { type PolicyDocuments, PolicyNameError, type PolicySettings, type RehearsalPolicy } from './policy.ts';
import { priced } from './priced.ts';
import { windows } from './windows.ts';

/** Every policy that can be put beside others: one file and one line. */
export const rehearsalPolicies: readonly RehearsalPolicy[] = [priced, windows, keda, hpa, knative, keepAlive, alwaysOn];

/**
 * What the engine is given so that a Workload is decided by the policy of this name, such as `keda:min1,70`.
 * Throws `PolicyNameError`, and `InvalidDocumentError` where the base is not valid.
 */
export function policyDocuments(name: string, base: WorkloadInput, settings: PolicySettings): ApplyInput[] {
  const [first = '', ...rest] = name.split(':');
  const policy = rehearsalPolicies.find((one) => one.name === first);
  if (!policy) {
    const names = rehearsalPolicies.map((one) => one.name);
    const near = nearest(first, names);
    const hint = near ? `; did you mean ${near}?` : '';
    throw new PolicyNameError(`there is no policy "${first}"; there are ${names.join(', ')}${hint}`);
  }
  const parameters = rest
    .join(':')
    .split(',')
    .filter((parameter) => parameter !== '');
  return policy.documents(base, parameters, settings).map(applyInput);
}

function applyInput(document: PolicyDocuments[number]): ApplyInput {
  const { apiVersion, kind } = document;
  const { key } =
    kind === 'Workload' ? resolveWorkload(document, { baseDirectory: '/' }) : resolveScaledObject(document);
  return { apiVersion, kind, key, document, origin: null };
}
