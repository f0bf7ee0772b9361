import type { ScaledObjectInput, WorkloadInput } from '@ebb/documents';
import type { WorldModel } from '../contract/model.ts';

/** What a policy is made for. */
export interface PolicySettings {
  model: WorldModel;
  /** More replicas than it would ever need; rates of growth are the policy's own affair. */
  maxReplicas: number;
}

/** A policy rewrites the Workload that it is to decide, and may add what scales it. */
export type PolicyDocuments = readonly (WorkloadInput | ScaledObjectInput)[];

export interface RehearsalPolicy {
  /** First part of the name: `keepalive` of `keepalive:10m`. */
  name: string;
  /** For a person: what it is, and what may stand behind the colon. */
  summary: string;
  /** An example that is complete. */
  example: string;
  /** `parameters` are what stands behind the colon, separated by commas. Throws `PolicyNameError` on those that it does not know. */
  documents(base: WorkloadInput, parameters: readonly string[], settings: PolicySettings): PolicyDocuments;
}

/** A name that is no policy, or a parameter that the policy does not have. */
export class PolicyNameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PolicyNameError';
  }
}

/** The base with another scaling section; its bounds stay. */
export function withScaling(
  base: WorkloadInput,
  { maxReplicas }: PolicySettings,
  scaling: NonNullable<WorkloadInput['spec']['scaling']>,
): WorkloadInput {
  return { ...base, spec: { ...base.spec, scaling: { maxReplicas, ...scaling } } };
}

/** `min3` → 3; null: something else. */
export function minimumOf(parameter: string): number | null {
  const found = /^min(\d{1,5})$/.exec(parameter);
  return found ? Number(found[1]) : null;
}

export function refuse(policy: string, parameter: string, allowed: string): never {
  throw new PolicyNameError(`policy ${policy}: "${parameter}" is not known; allowed are ${allowed}`);
}
