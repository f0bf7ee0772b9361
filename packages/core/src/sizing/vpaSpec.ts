import { keyText, type VpaSpec } from '@ebb/documents';
import { policyOf } from './policy.ts';
import { type ContainerPolicy, defaultRecommender, type RecommenderSettings, type SizingSpec } from './types.ts';
import type { UpdatePolicy } from './updaterTypes.ts';

/** What a VerticalPodAutoscaler's containers are sized from, under a recommender with the given flags. */
export function sizingSpecOf(resolved: VpaSpec, settings: RecommenderSettings = defaultRecommender): SizingSpec {
  const policies: ContainerPolicy[] = resolved.containerPolicies;
  const integer = settings.integerCpuByAnnotation ? integerCpuContainers(resolved.annotations) : [];
  return {
    workload: keyText(resolved.key),
    containers: [],
    policies: [
      ...policies.filter(({ container }) => !integer.includes(container)),
      ...integer.map((container) => ({ ...policyOf(policies, container), container, integerCpu: true })),
    ],
    settings,
  };
}

/** How a VerticalPodAutoscaler changes what runs. */
export function updatePolicyOf(resolved: VpaSpec): UpdatePolicy {
  const { updateMode: mode, minReplicas, evictionRequirements, evictAfterOomMs } = resolved;
  return { mode, minReplicas, evictionRequirements, evictAfterOomMs };
}

/** Containers named by annotations of the form `vpa-post-processor.kubernetes.io/NAME_integerCPU: "true"`. */
function integerCpuContainers(annotations: Record<string, string>): string[] {
  return Object.entries(annotations).flatMap(([key, value]) => {
    const name = /^vpa-post-processor\.kubernetes\.io\/(.+)_integerCPU$/.exec(key)?.[1];
    return name && value === 'true' ? [name] : [];
  });
}
