import type { StoredDocument } from '@ebb/core';
import {
  type HttpMetricSpec,
  type HttpScaledObjectSpec,
  type InterceptorRouteSpec,
  keyText,
  type KedaTriggerSpec,
  type ObjectKey,
  resolveHttpScaledObject,
  resolveInterceptorRoute,
  type RouteSpec,
  type ScaledObjectSpec,
} from '@ebb/documents';

/** Documents of KEDA's http-add-on: which requests go to which workload, and what they ask for. */
export class HttpRoutes {
  readonly #objects = new Map<string, { stored: StoredDocument; spec: HttpScaledObjectSpec }>();
  readonly #interceptors = new Map<string, InterceptorRouteSpec>();

  /** Throws when the document is not valid. */
  put(stored: StoredDocument): void {
    const key = keyText(stored.key);
    if (stored.kind === 'HTTPScaledObject') {
      this.#objects.set(key, { stored, spec: resolveHttpScaledObject(stored.document) });
    } else {
      this.#interceptors.set(key, resolveInterceptorRoute(stored.document));
    }
  }

  remove({ kind, key }: Pick<StoredDocument, 'kind' | 'key'>): void {
    if (kind === 'HTTPScaledObject') this.#objects.delete(keyText(key));
    else this.#interceptors.delete(keyText(key));
  }

  /** Key of the workload that a document speaks of; null: none yet. */
  workloadOf({ kind, key }: Pick<StoredDocument, 'kind' | 'key'>): string | null {
    const object = kind === 'HTTPScaledObject' ? this.#objects.get(keyText(key))?.spec : undefined;
    const route = kind === 'InterceptorRoute' ? this.#interceptors.get(keyText(key)) : undefined;
    const name = object ? (object.target.name ?? object.target.service) : route?.target.service;
    return name === undefined ? null : keyText({ ...key, name });
  }

  /** The HTTPScaledObject that scales a workload by itself, as a ScaledObject with an `http` trigger. */
  scaling(workload: string): { stored: StoredDocument; spec: ScaledObjectSpec } | null {
    for (const { stored, spec } of this.#objects.values()) {
      const { name } = spec.target;
      if (name === null || !spec.createsScaledObject || keyText({ ...spec.key, name }) !== workload) continue;
      return { stored, spec: asScaledObject(spec, name) };
    }
    return null;
  }

  /** What routes to a workload besides its own document. */
  routesTo({ key }: { key: ObjectKey }): RouteSpec[] {
    const objects = [...this.#objects.values()].filter(
      ({ spec }) => spec.key.namespace === key.namespace && (spec.target.name ?? spec.target.service) === key.name,
    );
    const routes = [...this.#interceptors.values()].filter(
      (spec) => spec.key.namespace === key.namespace && spec.target.service === key.name,
    );
    return [
      ...objects.flatMap(({ spec }) => routesOf(spec)),
      ...routes.flatMap((spec) => (spec.rules.length === 0 ? [anything] : spec.rules.flatMap(routesOf))),
    ];
  }

  /**
   * A trigger that asks the add-on's scaler for a route (`metadata.interceptorRoute`) counts at Ebb's own gateway; the
   * others stay as they are.
   */
  triggerOf(trigger: KedaTriggerSpec, object: Pick<ScaledObjectSpec, 'key' | 'target'>): KedaTriggerSpec {
    const name = trigger.metadata.interceptorRoute ?? trigger.metadata.httpScaledObject;
    const key = name === undefined ? '' : keyText({ ...object.key, name });
    const route = this.#interceptors.get(key);
    const isPush = trigger.type === 'external-push' || trigger.type === 'external';
    if (isPush && route) {
      return { ...trigger, type: 'http', metadata: metadataOf(route.metric, route.target.service) };
    }
    // The ScaledObject that the add-on's own operator has made of an HTTPScaledObject.
    const made = this.#objects.get(key)?.spec;
    if (isPush && made) {
      return { ...trigger, type: 'http', metadata: metadataOf(made.metric, made.target.name ?? made.target.service) };
    }
    if (trigger.type !== 'http' || trigger.metadata.workload !== undefined) return trigger;
    return { ...trigger, metadata: { ...trigger.metadata, workload: object.target.name } };
  }
}

const anything: RouteSpec = { host: null, pathPrefix: '/', headers: {}, model: null };

function routesOf({
  hosts,
  pathPrefixes,
  headers,
}: Pick<HttpScaledObjectSpec, 'hosts' | 'pathPrefixes' | 'headers'>): RouteSpec[] {
  // A header of any value cannot be told to the gateway: the others decide.
  const wanted = Object.fromEntries(headers.flatMap(({ name, value }) => (value === null ? [] : [[name, value]])));
  const paths = pathPrefixes.length > 0 ? pathPrefixes : hosts.length > 0 ? [null] : ['/'];
  const names = hosts.length > 0 ? hosts.map((host) => (host === '*' ? null : host)) : [null];
  return names.flatMap((host) =>
    paths.map((pathPrefix) => ({
      host,
      pathPrefix: pathPrefix ?? (host === null ? '/' : null),
      headers: wanted,
      model: null,
    })),
  );
}

function metadataOf({ concurrency, requestRate }: HttpMetricSpec, workload: string): Record<string, string> {
  if (concurrency !== null || requestRate === null) {
    // The add-on counts what is there now, twice a second: a mean of a minute would be late both ways.
    return { scalingMetric: 'concurrency', targetValue: String(concurrency ?? 100), window: '1', workload };
  }
  return {
    scalingMetric: 'requestRate',
    targetValue: String(requestRate.targetPerSecond),
    window: String(Math.max(1, Math.round(requestRate.windowMs / 1000))),
    workload,
  };
}

/** The add-on streams activity every 200 ms, so that its objects were never bound to KEDA's poll. */
function asScaledObject(spec: HttpScaledObjectSpec, name: string): ScaledObjectSpec {
  const { key, labels, annotations, minReplicas, maxReplicas, cooldownMs, initialCooldownMs, metric } = spec;
  return {
    key,
    labels,
    annotations,
    target: { apiVersion: spec.target.apiVersion, kind: spec.target.kind, name, envSourceContainerName: null },
    minReplicas,
    maxReplicas,
    idleReplicas: null,
    pollingIntervalMs: 30_000,
    cooldownMs,
    initialCooldownMs,
    triggers: [
      {
        name: 'http',
        type: 'http',
        metadata: metadataOf(metric, name),
        metricType: 'AverageValue',
        useCachedMetrics: false,
        authentication: null,
      },
    ],
    fallback: null,
    modifiers: null,
    hpaName: `keda-hpa-${key.name}`,
    behavior: null,
    restoreToOriginalReplicaCount: false,
    pause: { paused: false, replicas: null, scaleIn: false, scaleOut: false },
    forceActivation: false,
    improvements: true,
  };
}
