import { resolveVpa } from '@ebb/documents';
import { describe, expect, it } from 'vitest';
import { recommend } from './recommend.ts';
import { defaultRecommender } from './types.ts';
import { sizingSpecOf, updatePolicyOf } from './vpaSpec.ts';

const resolved = resolveVpa({
  apiVersion: 'autoscaling.k8s.io/v1',
  kind: 'VerticalPodAutoscaler',
  metadata: { name: 'search', annotations: { 'vpa-post-processor.kubernetes.io/app_integerCPU': 'true' } },
  spec: {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'search' },
    updatePolicy: { updateMode: 'Auto', minReplicas: 1 },
    resourcePolicy: {
      containerPolicies: [
        { containerName: '*', maxAllowed: { cpu: '1500m', memory: '2Gi' } },
        { containerName: 'mesh', mode: 'Off' },
      ],
    },
  },
});

const minuteMs = 60_000;
const samples = Array.from({ length: 60 }, (_, i) => ({
  type: 'usage' as const,
  container: 'app',
  replica: 'r1',
  atMs: i * minuteMs,
  cpuMilli: 1150,
  memoryBytes: 3e9,
}));

const targetOf = (settings = defaultRecommender) =>
  recommend(sizingSpecOf(resolved, settings), null, { nowMs: 60 * minuteMs, samples }).recommendation.containers[0];

describe('a VerticalPodAutoscaler', () => {
  it('bounds what is recommended', () => {
    // 1.15 cores: 1.05 ^ n = 6.75, n = 39.1; bucket 39 ends at 0.2 * (1.05 ^ 40 − 1) = 1.20799…: 1207 + 181.
    expect(targetOf()).toMatchObject({
      target: { cpuMilli: 1388, memoryBytes: 2 * 1024 ** 3 },
      uncappedTarget: { cpuMilli: 1388 },
    });
  });

  it('asks for whole cores by annotation, where the recommender reads it; maxAllowed comes after', () => {
    const settings = { ...defaultRecommender, integerCpuByAnnotation: true };
    expect(targetOf(settings)).toMatchObject({ target: { cpuMilli: 1500 }, uncappedTarget: { cpuMilli: 2000 } });
    expect(sizingSpecOf(resolved, settings).policies.map(({ container }) => container)).toEqual(['*', 'mesh', 'app']);
  });

  it('says how what runs is changed', () => {
    expect(updatePolicyOf(resolved)).toEqual({
      mode: 'Recreate',
      minReplicas: 1,
      evictionRequirements: [],
      evictAfterOomMs: null,
    });
  });
});
