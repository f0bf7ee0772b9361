import { kubernetesKey } from '../kubernetes/document.ts';
import type { ObjectKey } from '../objectKey.ts';
import { readDocument } from '../parse/readDocument.ts';
import { type InterceptorRouteDocument, interceptorRouteKind } from './interceptorRoute.ts';
import {
  type HttpHeaderSpec,
  type HttpMetricSpec,
  type HttpTimeoutsSpec,
  resolveHeaders,
  resolveMetric,
  resolveService,
  type ServiceSpec,
} from './resolved.ts';

/** How long a request waits before a fallback, where nothing or 0 is written. */
const defaultFallbackWaitMs = 30_000;

/** Which requests: any of the hosts, any of the prefixes, all of the headers. */
export interface InterceptorRuleSpec {
  /** Empty: any; `*.example.com` and `*` are patterns. */
  hosts: string[];
  /** Empty: any; the longest that matches wins. */
  pathPrefixes: string[];
  headers: HttpHeaderSpec[];
}

/** An answer that is given without a replica. */
export interface StaticResponseSpec {
  statusCode: number;
  headers: Record<string, string>;
  body: string | null;
  bodyFromConfigMap: { name: string; key: string } | null;
}

/** An InterceptorRoute with the add-on's defaults and times in milliseconds. */
export interface InterceptorRouteSpec {
  key: ObjectKey;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  target: ServiceSpec;
  /** Empty: every request. */
  rules: InterceptorRuleSpec[];
  metric: HttpMetricSpec;
  fallback: ServiceSpec | null;
  placeholder: StaticResponseSpec | null;
  timeouts: HttpTimeoutsSpec;
  staticRoutes: { rules: InterceptorRuleSpec[]; response: StaticResponseSpec; always: boolean }[];
}

type Spec = InterceptorRouteDocument['spec'];

/** An InterceptorRoute with its defaults. Throws `InvalidDocumentError` when it is not valid. */
export function resolveInterceptorRoute(document: unknown): InterceptorRouteSpec {
  const read = readDocument(interceptorRouteKind, document);
  const { metadata, spec } = read;
  const { fallback, placeholder } = spec.coldStart ?? {};
  const { request, readiness, responseHeader } = spec.timeouts;
  return {
    key: kubernetesKey(read),
    labels: metadata.labels,
    annotations: metadata.annotations,
    target: resolveService(spec.target.service, spec.target),
    rules: resolveRules(spec.rules ?? []),
    metric: resolveMetric(spec.scalingMetric),
    fallback: fallback ? resolveService(fallback.service.name, fallback.service) : null,
    placeholder: placeholder ? resolveResponse(placeholder.response) : null,
    timeouts: {
      requestMs: request ?? null,
      readinessMs: fallback ? readiness || defaultFallbackWaitMs : (readiness ?? null),
      responseHeaderMs: responseHeader ?? null,
    },
    staticRoutes: (spec.staticRoutes ?? []).map(({ rules, response, responseMode }) => ({
      rules: resolveRules(rules),
      response: resolveResponse(response),
      always: responseMode === 'Always',
    })),
  };
}

function resolveRules(rules: NonNullable<Spec['rules']>): InterceptorRuleSpec[] {
  return rules.map(({ hosts = [], paths = [], headers = [] }) => ({
    hosts,
    pathPrefixes: paths.map(({ value }) => value),
    headers: resolveHeaders(headers),
  }));
}

function resolveResponse(response: NonNullable<Spec['staticRoutes']>[number]['response']): StaticResponseSpec {
  const { statusCode, headers = {}, body = null, bodyFromConfigMap = null } = response;
  return { statusCode, headers, body, bodyFromConfigMap };
}
