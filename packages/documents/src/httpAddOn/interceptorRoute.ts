import { z } from 'zod';
import { goDurationField } from '../fields/goDuration.ts';
import { headerNameField } from '../fields/names.ts';
import { reportDuplicates, rule } from '../fields/rule.ts';
import { defineKind, type Hint } from '../kind.ts';
import { kubernetesDocument, kubernetesKey, withoutClusterFields } from '../kubernetes/document.ts';
import { int32Field } from '../kubernetes/names.ts';
import { headersSchema, httpGroup, portHint, portRule, requestRateFields, serviceFields } from './fields.ts';

const apiVersion = `${httpGroup}/v1beta1`;

const rulesSchema = z.array(
  z.strictObject({
    hosts: z
      .array(z.string().min(1).max(253))
      .check(
        rule(['*'], (hosts, report) => {
          reportDuplicates(hosts, 'host', (index) => [index], report);
        }),
      )
      .optional()
      .meta({ description: 'Hosts, also `*.example.com` and `*`; the most exact wins. Left out: any.' }),
    paths: z
      .array(z.strictObject({ value: z.string().min(1).max(4096).meta({ description: 'Beginning of the path.' }) }))
      .optional()
      .meta({ description: 'Paths, of which the longest beginning wins. Left out: any.' }),
    headers: headersSchema().optional().meta({ description: 'Headers that all must match.' }),
  }),
);

const responseSchema = z
  .strictObject({
    statusCode: int32Field(100, 599).prefault(503).meta({ description: 'Status of the answer.' }),
    headers: z
      .record(headerNameField(), z.string().max(4096))
      .optional()
      .meta({ description: 'Headers of the answer.' }),
    body: z
      .string()
      .max(1024 * 1024)
      .optional()
      .meta({ description: 'The answer itself.' }),
    bodyFromConfigMap: z
      .strictObject({
        name: z.string().min(1).max(253).meta({ description: 'Name of the ConfigMap.' }),
        key: z.string().min(1).max(253).meta({ description: 'Key within it.' }),
      })
      .optional()
      .meta({ description: 'The answer itself, from a ConfigMap of the same namespace.' }),
  })
  .check(
    rule(['body', 'bodyFromConfigMap'], ({ body, bodyFromConfigMap }, report) => {
      if (body === undefined || bodyFromConfigMap === undefined) return;
      report(['bodyFromConfigMap'], 'only one of body and bodyFromConfigMap may be there', {
        code: 'one-of',
        related: [['body']],
      });
    }),
  );

const targetValue = () => int32Field(1).meta({ description: 'Target for each replica.' });

const specSchema = z.strictObject({
  target: z
    .strictObject(serviceFields('service'))
    .check(portRule())
    .meta({ description: 'The Service that requests go to.' }),
  rules: rulesSchema.optional().meta({ description: 'Which requests; one of the rules must match. Left out: any.' }),
  scalingMetric: z
    .strictObject({
      concurrency: z
        .strictObject({ targetValue: targetValue() })
        .optional()
        .meta({ description: 'By requests in flight.' }),
      requestRate: z
        .strictObject({ targetValue: targetValue(), ...requestRateFields() })
        .optional()
        .meta({ description: 'By requests a second.' }),
    })
    .check(
      rule(['concurrency', 'requestRate'], ({ concurrency, requestRate }, report) => {
        if (concurrency || requestRate) return;
        report([], 'at least one of concurrency and requestRate is needed', {
          code: 'missing-field',
          allowed: ['concurrency', 'requestRate'],
        });
      }),
    )
    .meta({ description: 'What is counted; where both are there, the one that asks for more wins.' }),
  coldStart: z
    .strictObject({
      fallback: z
        .strictObject({
          service: z
            .strictObject(serviceFields('name'))
            .check(portRule())
            .meta({ description: 'The Service that requests go to instead.' }),
        })
        .optional()
        .meta({ description: 'Where a request goes that has waited for `timeouts.readiness`.' }),
      placeholder: z
        .strictObject({ response: responseSchema.meta({ description: 'The answer.' }) })
        .optional()
        .meta({ description: 'What is answered at once while nothing is ready.' }),
    })
    .check(
      rule(['fallback', 'placeholder'], ({ fallback, placeholder }, report) => {
        if (fallback || placeholder) return;
        report([], 'one of fallback and placeholder is needed', {
          code: 'missing-field',
          allowed: ['fallback', 'placeholder'],
        });
      }),
    )
    .optional()
    .meta({ description: 'What happens to requests while nothing is ready. Left out: they are held.' }),
  timeouts: z
    .strictObject({
      request: goDurationField()
        .optional()
        .meta({ description: 'How long a request may take in all; `0s`: any time.' }),
      responseHeader: goDurationField().optional().meta({ description: 'How long the answer may take to begin.' }),
      readiness: goDurationField().optional().meta({
        description:
          'How long a request waits for a replica; `0s`: as long as the request may take, or 30 s with a fallback.',
      }),
    })
    .prefault({})
    .meta({ description: 'Limits of time. Left out: those of the gateway.' }),
  staticRoutes: z
    .array(
      z.strictObject({
        rules: rulesSchema.min(1).meta({ description: 'Which requests.' }),
        response: responseSchema.meta({ description: 'The answer.' }),
        responseMode: z
          .enum(['WhenUnavailable', 'Always'])
          .prefault('WhenUnavailable')
          .meta({ description: 'Whether it is answered only while nothing is ready, or always.' }),
      }),
    )
    .optional()
    .meta({ description: 'Requests that are answered by themselves and never counted.' }),
  proxyMode: z.enum(['Service', 'Endpoint']).optional().meta({
    description: 'Whether requests go by the Service or straight to a replica; here always the second.',
  }),
});

export const interceptorRouteSchema = kubernetesDocument(
  apiVersion,
  'InterceptorRoute',
  specSchema.meta({ description: 'Which requests, where they go and what is counted.' }),
);
export type InterceptorRouteInput = z.input<typeof interceptorRouteSchema>;
export type InterceptorRouteDocument = z.output<typeof interceptorRouteSchema>;

export const interceptorRouteKind = defineKind({
  kind: 'InterceptorRoute',
  plural: 'interceptorroutes',
  apiVersion,
  schema: interceptorRouteSchema,
  summary: "The KEDA HTTP add-on's InterceptorRoute, unchanged: requests are routed and counted for a ScaledObject.",
  example: `apiVersion: ${apiVersion}
kind: InterceptorRoute
metadata:
  name: shop
spec:
  target: { service: shop, port: 8080 }
  rules:
    - hosts: ["*.shop.example.com"]
      paths: [{ value: /api }]
  scalingMetric:
    concurrency: { targetValue: 8 }
  timeouts: { readiness: 20s }
`,
  keyOf: kubernetesKey,
  normalize: withoutClusterFields,
  refusedVersions: {
    [`${httpGroup}/v1alpha1`]: `there is no InterceptorRoute in ${httpGroup}/v1alpha1; write ${apiVersion}`,
  },
  hints,
});

function hints({ spec }: InterceptorRouteDocument): Hint[] {
  const found = portHint(['spec', 'target'], spec.target);
  const say = (path: string[], code: Hint['code'], message: string): void => void found.push({ path, code, message });
  if (spec.coldStart?.fallback) {
    const path = ['spec', 'coldStart', 'fallback'];
    say(
      path,
      'mode-not-available',
      'on one machine there are no Services to fall back to; a request waits, within its limits of time',
    );
  }
  if (spec.coldStart?.placeholder) {
    const message = "this version's gateway holds a request until a replica is ready and sends no placeholder";
    say(['spec', 'coldStart', 'placeholder'], 'mode-not-available', message);
  }
  if (spec.staticRoutes?.length) {
    const message = "this version's gateway answers no static routes: such requests are counted like the others";
    say(['spec', 'staticRoutes'], 'mode-not-available', message);
  }
  if (spec.proxyMode === 'Service') {
    say(['spec', 'proxyMode'], 'mode-not-available', 'on one machine requests always go straight to a replica');
  }
  return found;
}
