import { kubernetesKey } from '../kubernetes/document.ts';
import type { ObjectKey } from '../objectKey.ts';
import { readDocument } from '../parse/readDocument.ts';
import { httpAnnotations, httpScaledObjectKind } from './httpScaledObject.ts';
import {
  type HttpHeaderSpec,
  type HttpMetricSpec,
  type HttpTimeoutsSpec,
  resolveHeaders,
  resolveMetric,
  resolveService,
  type ServiceSpec,
} from './resolved.ts';

/** Requests in flight for each replica where nothing is said. */
const defaultConcurrency = 100;

/** An HTTPScaledObject with the add-on's defaults and times in milliseconds. */
export interface HttpScaledObjectSpec {
  key: ObjectKey;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Empty: any. */
  hosts: string[];
  /** Empty: any; the longest that matches wins. */
  pathPrefixes: string[];
  headers: HttpHeaderSpec[];
  /** `name` is null only where no ScaledObject is wanted. */
  target: ServiceSpec & { apiVersion: string; kind: string; name: string | null };
  minReplicas: number;
  maxReplicas: number;
  cooldownMs: number;
  initialCooldownMs: number;
  metric: HttpMetricSpec;
  failover: (ServiceSpec & { timeoutMs: number }) | null;
  timeouts: HttpTimeoutsSpec;
  /** Whether it scales by itself; otherwise it only routes and counts, for a ScaledObject that refers to it. */
  createsScaledObject: boolean;
}

/** An HTTPScaledObject with its defaults. Throws `InvalidDocumentError` when it is not valid. */
export function resolveHttpScaledObject(document: unknown): HttpScaledObjectSpec {
  const read = readDocument(httpScaledObjectKind, document);
  const { metadata, spec } = read;
  const { scaleTargetRef: target, coldStartTimeoutFailoverRef: failover, targetPendingRequests } = spec;
  return {
    key: kubernetesKey(read),
    labels: metadata.labels,
    annotations: metadata.annotations,
    hosts: spec.hosts ?? [],
    pathPrefixes: spec.pathPrefixes ?? [],
    headers: resolveHeaders(spec.headers ?? []),
    target: {
      ...resolveService(target.service, target),
      apiVersion: target.apiVersion,
      kind: target.kind,
      name: target.name ?? null,
    },
    minReplicas: spec.replicas.min,
    maxReplicas: spec.replicas.max,
    cooldownMs: spec.scaledownPeriod * 1000,
    initialCooldownMs: spec.initialCooldownPeriod * 1000,
    metric: resolveMetric(
      spec.scalingMetric ?? { concurrency: { targetValue: targetPendingRequests ?? defaultConcurrency } },
    ),
    failover: failover
      ? { ...resolveService(failover.service, failover), timeoutMs: failover.timeoutSeconds * 1000 }
      : null,
    timeouts: {
      requestMs: null,
      readinessMs: spec.timeouts.conditionWait ?? null,
      responseHeaderMs: spec.timeouts.responseHeader ?? null,
    },
    createsScaledObject: metadata.annotations[httpAnnotations.skipScaledObject] !== 'true',
  };
}
