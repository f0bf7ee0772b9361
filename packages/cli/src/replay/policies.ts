import { dirname } from 'node:path';
import { decisionSpecOf } from '@ebb/core';
import type { TriedPolicy } from '@ebb/engine';
import { keyText, resolveWorkload, type WorkloadSpec } from '@ebb/documents';
import type { EbbContext } from '../context.ts';
import { checkSources } from '../documents.ts';
import { Failure } from '../failure.ts';
import { readSources } from '../files.ts';

export interface NamedPolicy {
  workload: string;
  currency: string;
  policy: TriedPolicy;
}

/**
 * The policy for each workload: a file's only Workload stands for every workload that is named, several stand for those
 * of their own names; with no workload named, for themselves.
 */
export async function readPolicies(
  context: EbbContext,
  file: string,
  workloads: readonly string[],
  json: boolean,
): Promise<NamedPolicy[]> {
  const sources = await readSources(context, [file]);
  const found = checkSources(context, sources, json)
    .filter(({ kind }) => kind === 'Workload')
    .map(({ document }): NamedPolicy => {
      const path = sources[0]?.path ?? context.workingDirectory;
      const workload = resolveWorkload(document, { baseDirectory: dirname(path) });
      const currency = workload.classes[0]?.currency ?? 'USD';
      return { workload: keyText(workload.key), currency, policy: triedPolicy(workload) };
    });
  if (found.length === 0) {
    throw new Failure('usage', `${file} has no Workload document.`, [
      'the policy is the spec.scaling of a Workload; copy the present one and change that',
    ]);
  }
  if (workloads.length === 0) return found;
  return workloads.map((workload) => {
    const policy = found.length === 1 ? found[0] : found.find((one) => one.workload === workload);
    if (policy) return { ...policy, workload };
    throw new Failure('usage', `${file} has no policy for ${workload}.`, [
      `it has: ${found.map((one) => one.workload).join(', ')}`,
    ]);
  });
}

function triedPolicy(workload: WorkloadSpec): TriedPolicy {
  const { classes } = workload;
  return { spec: decisionSpecOf(workload), classes };
}
