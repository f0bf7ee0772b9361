import { fileURLToPath } from 'node:url';
import type { ScaledObjectInput, WorkloadInput } from '@ebb/documents';

/** Requests that one replica works on at once. */
export const slots = 2;
/** How long the worker takes from its first line of code until it listens. */
export const startMs = 1500;
const maxReplicas = 6;
const worker = fileURLToPath(new URL('./worker.mjs', import.meta.url));

type Scaling = NonNullable<WorkloadInput['spec']['scaling']>;

/** Documents of one policy; delays are some seconds, where they would be minutes, so that a minute shows them all. */
export interface FidelityPolicy {
  name: string;
  documents: (WorkloadInput | ScaledObjectInput)[];
}

export const fidelityPolicies: readonly FidelityPolicy[] = [
  {
    // What a document gets that names no policy; a cheaper miss than its own, so that it lets go within seconds.
    name: 'priced',
    documents: [workload('priced', { policy: { type: 'priced', onTime: '500ms', tuning: { missPrice: 0.05 } } })],
  },
  {
    name: 'windows',
    documents: [workload('windows', { windows: { stable: '6s', panic: '600ms' }, keepAlive: '3s' })],
  },
  {
    // The rules of the rehearsal's policy of that name.
    name: 'keepalive',
    documents: [
      workload('keepalive', {
        windows: { stable: '2s', panic: '1s', panicThreshold: 1000, maxScaleDownRate: 1_000_000, targetUtilization: 1 },
        triggers: [{ type: 'concurrency', target: slots }],
        keepAlive: '0s',
        behavior: { scaleDown: { stabilizationWindow: '3s' } },
      }),
    ],
  },
  {
    name: 'knative',
    documents: [
      workload('knative', {
        policy: {
          type: 'knative',
          stableWindow: '6s',
          // Two of Knative's buckets of a second: with less than one it would see nothing at the edge of each.
          panicWindowPercentage: 34,
          scaleToZeroGracePeriod: '3s',
          initialScale: 0,
        },
      }),
    ],
  },
  { name: 'keda', documents: [workload('keda', {}), scaledObject('keda')] },
];

function workload(name: string, scaling: Scaling): WorkloadInput {
  return {
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'Workload',
    metadata: { name },
    spec: {
      classes: [
        {
          command: ['node', worker],
          env: { START_MS: String(startMs) },
          port: 'auto',
          concurrency: slots,
          resources: { requests: { cpu: '10m', memory: '48Mi' } },
        },
      ],
      scaling: { minReplicas: 0, maxReplicas, ...scaling },
      serving: {
        routes: [{ pathPrefix: `/${name}` }],
        timeouts: { hold: '60s' },
        buffer: { maxRequests: 1000 },
      },
    },
  };
}

/** Event-driven, as `ebb.dev/improvements` makes it. */
function scaledObject(name: string): ScaledObjectInput {
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name, annotations: { 'ebb.dev/improvements': 'true' } },
    spec: {
      scaleTargetRef: { name },
      cooldownPeriod: 3,
      minReplicaCount: 0,
      maxReplicaCount: maxReplicas,
      triggers: [{ type: 'http', name: 'requests', metadata: { targetValue: String(slots), window: '2' } }],
      advanced: {
        horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 3 } } },
      },
    },
  };
}
