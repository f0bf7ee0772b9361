import type { ApplyInput } from '@ebb/engine';
import { rolloutsAnnotation, targetRevision } from '@ebb/engine';
import {
  apiVersion as ebbVersion,
  defaultCluster,
  defaultNamespace,
  formatMilli,
  type ObjectKey,
  parseBytes,
  parseMilli,
} from '@ebb/documents';
import type { KubernetesObject } from '../client/objects.ts';
import { type JsonObject, listAt, objectAt, valueText } from '../client/values.ts';

/** Names what a Workload scales where it is not the Deployment of its own name: `StatefulSet/name`. */
export const targetAnnotation = 'ebb.dev/scale-target';
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

export function keyOf({ namespace, name }: { namespace: string; name: string }): ObjectKey {
  return { cluster: defaultCluster, namespace, name };
}

/** An object as its user wrote it: without what only the cluster writes, so that a new status is no new document. */
export function scaledObjectInput(object: KubernetesObject): ApplyInput {
  const { namespace, name, labels, createdAtMs } = object;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    key: keyOf({ namespace: namespace === '' ? defaultNamespace : namespace, name }),
    origin: null,
    document: {
      apiVersion: object.apiVersion,
      kind: object.kind,
      metadata: {
        name,
        // Kinds of the whole cluster have none.
        ...(namespace === '' ? {} : { namespace }),
        labels,
        annotations: ownAnnotations(object),
        // KEDA counts its first cool-down from it.
        creationTimestamp: new Date(createdAtMs).toISOString(),
      },
      spec: object.body.spec,
    },
  };
}

/** A Workload of the cluster. Its pods are its target's, so that one's controller replaces those of older templates. */
export function workloadInput(object: KubernetesObject): ApplyInput {
  const { namespace, name, labels } = object;
  const annotations = { ...ownAnnotations(object), [rolloutsAnnotation]: targetRevision };
  const metadata = { name, namespace, labels, annotations };
  return workloadOf(object, { apiVersion: object.apiVersion, kind: object.kind, metadata, spec: object.body.spec });
}

/**
 * The Workload that a scale target stands for: one class, with what its pods request. `environment` tells one set of
 * variables from another: when they change, triggers are opened anew.
 */
export function derivedWorkload(target: KubernetesObject, environment: string): ApplyInput {
  const { namespace, name } = target;
  const requests = requestsOf(target.body);
  return workloadOf(target, {
    apiVersion: ebbVersion,
    kind: 'Workload',
    metadata: {
      name,
      namespace,
      annotations: {
        [rolloutsAnnotation]: targetRevision,
        [targetAnnotation]: `${target.kind}/${name}`,
        'ebb.dev/environment': environment,
      },
    },
    spec: {
      // The kubelet runs what the template says; nothing here is ever executed.
      classes: [{ name: 'default', command: ['pod'], concurrency: 0, resources: { requests } }],
      scaling: { minReplicas: 0, maxReplicas: 1 },
    },
  });
}

function workloadOf(at: { namespace: string; name: string }, document: JsonObject): ApplyInput {
  return { apiVersion: ebbVersion, kind: 'Workload', key: keyOf(at), document, origin: null };
}

function ownAnnotations({ annotations }: KubernetesObject): Record<string, string> {
  const { [lastApplied]: _copy, ...own } = annotations;
  return own;
}

/** Of all containers of the template together. What cannot be read counts as nothing. */
function requestsOf(body: JsonObject): Record<string, string> {
  let cpuMilli = 0;
  let memoryBytes = 0;
  let gpuMilli = 0;
  for (const container of listAt(body, 'spec', 'template', 'spec', 'containers')) {
    const limits = objectAt(container, 'resources', 'limits');
    // What is left out takes its limit, as the API server does it for pods.
    const amounts = { ...limits, ...objectAt(container, 'resources', 'requests') };
    cpuMilli += amount(parseMilli, amounts.cpu);
    memoryBytes += amount(parseBytes, amounts.memory);
    gpuMilli += amount(parseMilli, amounts['nvidia.com/gpu'] ?? amounts['amd.com/gpu']);
  }
  return {
    ...(cpuMilli > 0 ? { cpu: formatMilli(cpuMilli) } : {}),
    ...(memoryBytes > 0 ? { memory: String(memoryBytes) } : {}),
    ...(gpuMilli > 0 ? { gpu: formatMilli(gpuMilli) } : {}),
  };
}

function amount(parse: typeof parseMilli, written: unknown): number {
  const text = valueText(written);
  if (text === null) return 0;
  const parsed = parse(text);
  return 'value' in parsed ? parsed.value : 0;
}
