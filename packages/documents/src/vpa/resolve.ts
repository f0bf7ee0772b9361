import { kubernetesKey } from '../kubernetes/document.ts';
import type { ObjectKey } from '../objectKey.ts';
import { readDocument } from '../parse/readDocument.ts';
import { type VpaDocument, vpaKind } from './vpa.ts';

type ContainerPolicyDocument = VpaDocument['spec']['resourcePolicy']['containerPolicies'][number];

/** Amounts in the core's units; what is left out has no bound. */
export interface VpaAmounts {
  cpuMilli?: number;
  memoryBytes?: number;
}

export interface VpaContainerPolicy {
  /** `*`: all without a policy of their own. */
  container: string;
  mode: 'Auto' | 'Off';
  minAllowed: VpaAmounts;
  maxAllowed: VpaAmounts;
  controlledResources: ('cpu' | 'memory')[];
  controlledValues: 'RequestsAndLimits' | 'RequestsOnly';
  /** Absent, here and below: the recommender's flag. */
  oomBumpRatio?: number;
  oomMinBumpBytes?: number;
  memoryWindowMs?: number;
  memoryWindowCount?: number;
}

/** A VerticalPodAutoscaler with its defaults, in the core's units. */
export interface VpaSpec {
  key: ObjectKey;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  target: { apiVersion: string | null; kind: string; name: string };
  /** `Auto` has become `Recreate`. */
  updateMode: 'Off' | 'Initial' | 'Recreate' | 'InPlaceOrRecreate' | 'InPlace';
  /** Null: the updater's flag. */
  minReplicas: number | null;
  evictionRequirements: {
    resources: ('cpu' | 'memory')[];
    changeRequirement: 'TargetHigherThanRequests' | 'TargetLowerThanRequests';
  }[];
  /** Null: the updater's flag. */
  evictAfterOomMs: number | null;
  containerPolicies: VpaContainerPolicy[];
  /** Null: the default one. */
  recommender: string | null;
}

/** A VerticalPodAutoscaler with its defaults. Throws `InvalidDocumentError` when it is not valid. */
export function resolveVpa(document: unknown): VpaSpec {
  const read = readDocument(vpaKind, document);
  const { metadata, spec } = read;
  const { apiVersion = null, kind, name } = spec.targetRef;
  const { updateMode = 'Recreate', minReplicas, evictionRequirements, evictAfterOOMSeconds } = spec.updatePolicy;
  return {
    key: kubernetesKey(read),
    labels: metadata.labels,
    annotations: metadata.annotations,
    target: { apiVersion, kind, name },
    updateMode: updateMode === 'Auto' ? 'Recreate' : updateMode,
    minReplicas: minReplicas ?? null,
    evictionRequirements,
    evictAfterOomMs: evictAfterOOMSeconds === undefined ? null : evictAfterOOMSeconds * 1000,
    containerPolicies: spec.resourcePolicy.containerPolicies.map(resolvePolicy),
    recommender: spec.recommenders[0]?.name ?? null,
  };
}

function resolvePolicy(policy: ContainerPolicyDocument): VpaContainerPolicy {
  const { oomBumpUpRatio, oomMinBumpUp, memoryAggregationIntervalSeconds: windowSeconds } = policy;
  const { memoryAggregationIntervalCount: windowCount } = policy;
  return {
    container: policy.containerName,
    mode: policy.mode,
    minAllowed: resolveAmounts(policy.minAllowed),
    maxAllowed: resolveAmounts(policy.maxAllowed),
    controlledResources: policy.controlledResources,
    controlledValues: policy.controlledValues ?? 'RequestsAndLimits',
    ...(oomBumpUpRatio === undefined ? {} : { oomBumpRatio: oomBumpUpRatio }),
    ...(oomMinBumpUp === undefined ? {} : { oomMinBumpBytes: oomMinBumpUp }),
    ...(windowSeconds === undefined ? {} : { memoryWindowMs: windowSeconds * 1000 }),
    ...(windowCount === undefined ? {} : { memoryWindowCount: windowCount }),
  };
}

function resolveAmounts({ cpu, memory }: ContainerPolicyDocument['minAllowed']): VpaAmounts {
  return { ...(cpu === undefined ? {} : { cpuMilli: cpu }), ...(memory === undefined ? {} : { memoryBytes: memory }) };
}
