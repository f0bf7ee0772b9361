import { describe, expect, test } from 'vitest';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { problemText } from '../problem.ts';
import { resolveHttpScaledObject } from './resolveHttpScaledObject.ts';
import { resolveInterceptorRoute } from './resolveInterceptorRoute.ts';

const read = (text: string) => parseDocuments(text, { file: 'h.yaml' });
const errorsOf = (text: string) =>
  read(text)
    .problems.filter(({ severity }) => severity === 'error')
    .map(problemText);
const warningsOf = (text: string) =>
  read(text)
    .problems.filter(({ severity }) => severity === 'warning')
    .map(({ code, path }) => `${code} ${path}`);

const lines = (text: string) => text.replaceAll(/^/gm, '  ');
const target = 'scaleTargetRef: { name: shop, service: shop-svc, port: 8080 }';
const httpObject = (spec: string, metadata = 'name: shop') =>
  `apiVersion: http.keda.sh/v1alpha1\nkind: HTTPScaledObject\nmetadata: { ${metadata} }\nspec:\n${lines(spec)}\n`;
const resolved = (text: string) => resolveHttpScaledObject(read(text).documents[0]?.document);

describe('HTTPScaledObject', () => {
  test("what is left out has the add-on's defaults", () => {
    expect(errorsOf(httpObject(target))).toEqual([]);
    expect(resolved(httpObject(target))).toEqual({
      key: { cluster: 'local', namespace: 'default', name: 'shop' },
      labels: {},
      annotations: {},
      hosts: [],
      pathPrefixes: [],
      headers: [],
      target: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        name: 'shop',
        service: 'shop-svc',
        port: 8080,
        portName: null,
      },
      minReplicas: 0,
      maxReplicas: 100,
      cooldownMs: 300_000,
      initialCooldownMs: 0,
      metric: { concurrency: 100, requestRate: null },
      failover: null,
      timeouts: { requestMs: null, readinessMs: null, responseHeaderMs: null },
      createsScaledObject: true,
    });
  });

  test('everything at once', () => {
    const text = httpObject(`hosts: [a.example, b.example]
pathPrefixes: [/api]
headers: [{ name: X-Team, value: blue }, { name: X-Any }]
scaleTargetRef: { name: shop, apiVersion: v1, kind: StatefulSet, service: s, portName: http }
replicas: { min: 1, max: 5 }
scaledownPeriod: 60
initialCooldownPeriod: 10
scalingMetric: { requestRate: { targetValue: 20, window: 1m30s, granularity: 500ms } }
coldStartTimeoutFailoverRef: { service: sorry, port: 80, timeoutSeconds: 5 }
timeouts: { conditionWait: 20s, responseHeader: "0" }`);
    expect(errorsOf(text)).toEqual([]);
    expect(resolved(text)).toMatchObject({
      hosts: ['a.example', 'b.example'],
      pathPrefixes: ['/api'],
      headers: [
        { name: 'X-Team', value: 'blue' },
        { name: 'X-Any', value: null },
      ],
      target: { kind: 'StatefulSet', port: null, portName: 'http' },
      minReplicas: 1,
      maxReplicas: 5,
      cooldownMs: 60_000,
      initialCooldownMs: 10_000,
      metric: { concurrency: null, requestRate: { targetPerSecond: 20, windowMs: 90_000, granularityMs: 500 } },
      failover: { service: 'sorry', port: 80, portName: null, timeoutMs: 5000 },
      timeouts: { readinessMs: 20_000, responseHeaderMs: 0 },
    });
    expect(warningsOf(text)).toEqual([
      'deprecated kind',
      'mode-not-available spec.scaleTargetRef.portName',
      'mode-not-available spec.coldStartTimeoutFailoverRef',
    ]);
  });

  test('the older way to write the target, which the newer one wins over', () => {
    const older = httpObject(`${target}\ntargetPendingRequests: 7`);
    expect(resolved(older).metric.concurrency).toBe(7);
    expect(warningsOf(older)).toContain('deprecated spec.targetPendingRequests');
    expect(
      resolved(httpObject(`${target}\ntargetPendingRequests: 7\nscalingMetric: { concurrency: {} }`)).metric,
    ).toEqual({
      concurrency: 100,
      requestRate: null,
    });
    expect(resolved(httpObject(`${target}\nscalingMetric: { requestRate: {} }`)).metric.requestRate).toEqual({
      targetPerSecond: 100,
      windowMs: 60_000,
      granularityMs: 1000,
    });
  });

  test('without a ScaledObject of its own it needs no name', () => {
    const skip = 'annotations: { httpscaledobject.keda.sh/skip-scaledobject-creation: "true" }';
    const text = httpObject('scaleTargetRef: { service: s, port: 80 }', `name: shop, ${skip}`);
    expect(errorsOf(text)).toEqual([]);
    expect(resolved(text)).toMatchObject({ createsScaledObject: false, target: { name: null } });
  });

  test.each([
    [
      `${target}\nscalingMetric: { concurrency: {}, requestRate: {} }`,
      'h.yaml:6:50: error: an HTTPScaledObject goes by one of concurrency and requestRate, found both; concurrency is at h.yaml:6:33',
    ],
    [
      `${target}\nscalingMetric: {}`,
      'h.yaml:6:18: error: one of concurrency and requestRate is needed\n  allowed: concurrency, requestRate',
    ],
    [
      'scaleTargetRef: { name: a, service: s }',
      'h.yaml:5:19: error: one of port and portName is needed\n  allowed: port, portName',
    ],
    [
      'scaleTargetRef: { name: a, service: s, port: 80, portName: http }',
      'h.yaml:5:62: error: only one of port and portName may be there; port is at h.yaml:5:48',
    ],
    ['scaleTargetRef: { name: a, port: 80 }', 'h.yaml:5:3: error: missing field "service" in spec.scaleTargetRef'],
    [
      'scaleTargetRef: { service: a, port: 80 }',
      'h.yaml:5:19: error: scaleTargetRef needs the name of what is scaled\n  allowed: name',
    ],
    [
      `${target}\nreplicas: { min: 3, max: 2 }`,
      'h.yaml:6:20: error: min 3 is larger than max 2; max is at h.yaml:6:28',
    ],
    [
      `${target}\nreplicas: { min: 101 }`,
      'h.yaml:6:20: error: min 101 is larger than max 100; max is left at its default',
    ],
    [
      `${target}\ntimeouts: { conditionWait: 20 }`,
      'h.yaml:6:30: error: spec.timeouts.conditionWait: 20 has no unit; write 20s for seconds or 20ms for milliseconds',
    ],
    [
      `${target}\nheaders: [{ name: a }, { name: a, value: b }]`,
      'h.yaml:6:34: error: header "a" is there twice; name is at h.yaml:6:21',
    ],
    [
      `${target}\nscalingMetric: { requestRate: { granularity: 0s } }`,
      'h.yaml:6:48: error: spec.scalingMetric.requestRate.granularity: "0s" is too short; the shortest is 1ms',
    ],
  ])('%s', (spec, expected) => {
    expect(errorsOf(httpObject(spec))).toEqual([expected]);
  });
});

const route = (spec: string) =>
  `apiVersion: http.keda.sh/v1beta1\nkind: InterceptorRoute\nmetadata: { name: shop }\nspec:\n${lines(spec)}\n`;
const needed = 'target: { service: shop, port: 80 }\nscalingMetric: { concurrency: { targetValue: 8 } }';
const resolvedRoute = (text: string) => resolveInterceptorRoute(read(text).documents[0]?.document);

describe('InterceptorRoute', () => {
  test("what is left out has the add-on's defaults", () => {
    expect(errorsOf(route(needed))).toEqual([]);
    expect(resolvedRoute(route(needed))).toEqual({
      key: { cluster: 'local', namespace: 'default', name: 'shop' },
      labels: {},
      annotations: {},
      target: { service: 'shop', port: 80, portName: null },
      rules: [],
      metric: { concurrency: 8, requestRate: null },
      fallback: null,
      placeholder: null,
      timeouts: { requestMs: null, readinessMs: null, responseHeaderMs: null },
      staticRoutes: [],
    });
  });

  test('everything at once', () => {
    const text = route(`target: { service: shop, portName: http }
rules:
  - hosts: ["*.example.com", "*"]
    paths: [{ value: /api }, { value: /v2 }]
    headers: [{ name: X-Team, value: blue }, { name: X-Any }]
  - hosts: [other.example]
scalingMetric: { concurrency: { targetValue: 8 }, requestRate: { targetValue: 50, window: 30s } }
coldStart:
  fallback: { service: { name: sorry, port: 80 } }
  placeholder: { response: { headers: { Refresh: "5" }, body: soon } }
timeouts: { request: 60s, responseHeader: 5m, readiness: 0s }
staticRoutes:
  - rules: [{ paths: [{ value: /healthz }] }]
    response: { statusCode: 200, bodyFromConfigMap: { name: pages, key: ok } }
    responseMode: Always`);
    expect(errorsOf(text)).toEqual([]);
    expect(resolvedRoute(text)).toMatchObject({
      target: { service: 'shop', port: null, portName: 'http' },
      rules: [
        {
          hosts: ['*.example.com', '*'],
          pathPrefixes: ['/api', '/v2'],
          headers: [
            { name: 'X-Team', value: 'blue' },
            { name: 'X-Any', value: null },
          ],
        },
        { hosts: ['other.example'], pathPrefixes: [], headers: [] },
      ],
      metric: { concurrency: 8, requestRate: { targetPerSecond: 50, windowMs: 30_000, granularityMs: 1000 } },
      fallback: { service: 'sorry', port: 80, portName: null },
      placeholder: { statusCode: 503, headers: { Refresh: '5' }, body: 'soon', bodyFromConfigMap: null },
      timeouts: { requestMs: 60_000, responseHeaderMs: 300_000, readinessMs: 30_000 },
      staticRoutes: [
        {
          rules: [{ hosts: [], pathPrefixes: ['/healthz'], headers: [] }],
          response: { statusCode: 200, body: null, bodyFromConfigMap: { name: 'pages', key: 'ok' } },
          always: true,
        },
      ],
    });
    expect(warningsOf(text)).toEqual([
      'mode-not-available spec.target.portName',
      'mode-not-available spec.coldStart.fallback',
      'mode-not-available spec.coldStart.placeholder',
      'mode-not-available spec.staticRoutes',
    ]);
  });

  test.each([
    [
      'target: { service: a, port: 1 }\nscalingMetric: {}',
      'h.yaml:6:18: error: at least one of concurrency and requestRate is needed\n  allowed: concurrency, requestRate',
    ],
    [
      'target: { service: a, port: 1 }\nscalingMetric: { concurrency: {} }',
      'h.yaml:6:20: error: missing field "targetValue" in spec.scalingMetric.concurrency',
    ],
    [
      'target: { service: a, port: 1, portName: b }\nscalingMetric: { concurrency: { targetValue: 1 } }',
      'h.yaml:5:44: error: only one of port and portName may be there; port is at h.yaml:5:31',
    ],
    ['target: { service: a, port: 1 }', 'h.yaml:4:1: error: missing field "scalingMetric" in spec'],
    [
      `${needed}\ncoldStart: {}`,
      'h.yaml:7:14: error: one of fallback and placeholder is needed\n  allowed: fallback, placeholder',
    ],
    [
      `${needed}\ncoldStart: { placeholder: { response: { body: a, bodyFromConfigMap: { name: a, key: b } } } }`,
      'h.yaml:7:71: error: only one of body and bodyFromConfigMap may be there; body is at h.yaml:7:49',
    ],
    [`${needed}\nrules: [{ hosts: [a, a] }]`, 'h.yaml:7:24: error: host "a" is there twice; hosts is at h.yaml:7:21'],
  ])('%s', (spec, expected) => {
    expect(errorsOf(route(spec))).toEqual([expected]);
  });

  test('each kind has its own version', () => {
    const swapped = [httpObject(target).replace('v1alpha1', 'v1beta1'), route(needed).replace('v1beta1', 'v1alpha1')];
    expect(swapped.flatMap(errorsOf)).toEqual([
      'h.yaml:1:13: error: there is no HTTPScaledObject in http.keda.sh/v1beta1; write http.keda.sh/v1alpha1, or an InterceptorRoute',
      'h.yaml:1:13: error: there is no InterceptorRoute in http.keda.sh/v1alpha1; write http.keda.sh/v1beta1',
    ]);
  });
});
