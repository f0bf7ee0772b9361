import type { WorkloadInput } from '@ebb/documents';
import { apiVersion, resolveWorkload, type WorkloadSpec } from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';

/** A Workload document with a name and a class, and whatever is said about its spec. */
export function workloadDocument(
  name: string,
  spec: Partial<WorkloadInput['spec']> = {},
  namespace = 'default',
): WorkloadInput {
  return {
    apiVersion,
    kind: 'Workload',
    metadata: { name, namespace },
    spec: {
      classes: [{ name: 'default', command: ['serve'], pricePerHour: 0.36 }],
      ...spec,
    },
  };
}

/** The same, resolved. */
export function workloadSpec(name: string, spec: Partial<WorkloadInput['spec']> = {}): WorkloadSpec {
  return resolveWorkload(workloadDocument(name, spec), { baseDirectory: '/' });
}

/** What `Engine.apply` takes for a Workload document. */
export function applyInput(document: WorkloadInput, expectedVersion?: number): ApplyInput {
  return {
    apiVersion,
    kind: 'Workload',
    key: resolveWorkload(document, { baseDirectory: '/' }).key,
    document,
    origin: null,
    ...(expectedVersion === undefined ? {} : { expectedVersion }),
  };
}

/** What `Engine.apply` takes for a document of KEDA's. */
export function kedaInput(
  kind: 'ScaledObject' | 'ScaledJob',
  name: string,
  spec: Record<string, unknown>,
  annotations: Record<string, string> = {},
): ApplyInput {
  const version = 'keda.sh/v1alpha1';
  return {
    apiVersion: version,
    kind,
    key: { cluster: 'local', namespace: 'default', name },
    document: { apiVersion: version, kind, metadata: { name, annotations }, spec },
    origin: null,
  };
}
