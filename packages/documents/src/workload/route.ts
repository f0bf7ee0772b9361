import { z } from 'zod';
import { headersField } from '../fields/names.ts';
import { type Report, rule } from '../fields/rule.ts';
import { plainText } from '../fields/text.ts';
import type { RouteSpec } from './resolved.ts';

export const routeSchema = z
  .strictObject({
    host: z
      .string()
      .max(253)
      .regex(/^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*$/, {
        error: 'must be a host name without scheme, port or wildcard',
      })
      .optional()
      .meta({ description: 'Host of the request, without its port.', examples: ['upscale.example.com'] }),
    pathPrefix: z
      .string()
      .max(2048)
      .regex(/^\/[^\s?#]*$/, { error: 'must begin with / and have no spaces, ? or #' })
      .refine((path) => !path.split('/').some((part) => part === '.' || part === '..'), {
        error: 'must not contain . or .. as a part',
      })
      .optional()
      .meta({
        description: 'Begin of the path, in whole parts: /a fits /a and /a/b, not /ab.',
        examples: ['/upscale'],
      }),
    headers: headersField().prefault({}).meta({ description: 'Headers that must have these values.' }),
    model: plainText(256)
      .min(1)
      .optional()
      .meta({
        description: '`model` of an OpenAI-style JSON body.',
        examples: ['smollm2'],
      }),
  })
  .check(
    rule([], (route, report) => {
      if (route.host ?? route.pathPrefix ?? route.model) return;
      if (Object.keys(route.headers).length > 0) return;
      report([], 'a route needs at least one of host, pathPrefix, headers and model', {
        code: 'empty-route',
        allowed: ['host', 'pathPrefix', 'headers', 'model'],
      });
    }),
  );

export type RouteDocument = z.output<typeof routeSchema>;

/** A route in the form that routing compares: host in lower case, no slash at the end of the path. */
export function resolveRoute(route: RouteDocument): RouteSpec {
  return {
    host: route.host?.toLowerCase() ?? null,
    pathPrefix: route.pathPrefix === undefined ? null : route.pathPrefix.replace(/(?<=.)\/+$/, '') || '/',
    headers: route.headers,
    model: route.model ?? null,
  };
}

/** `/NAME` in the namespace `default`, else `/NAMESPACE/NAME`: where a workload without routes is found. */
export function defaultRoute(namespace: string, name: string): RouteSpec {
  const pathPrefix = namespace === 'default' ? `/${name}` : `/${namespace}/${name}`;
  return { host: null, pathPrefix, headers: {}, model: null };
}

/** Equal for routes that match the same requests. */
export function routeText(route: RouteSpec): string {
  const headers = Object.entries(route.headers).sort(([left], [right]) => (left < right ? -1 : 1));
  const parts = [
    route.host && `host ${route.host}`,
    route.pathPrefix && `path ${route.pathPrefix}`,
    ...headers.map(([name, value]) => `header ${name}: ${value}`),
    route.model && `model ${route.model}`,
  ];
  return parts.filter(Boolean).join(', ');
}

export function reportDuplicateRoutes(routes: RouteDocument[], report: Report): void {
  const first = new Map<string, number>();
  for (const [index, route] of routes.entries()) {
    const text = routeText(resolveRoute(route));
    const earlier = first.get(text);
    if (earlier === undefined) first.set(text, index);
    else report([index], `the route ${text} is there twice`, { code: 'duplicate-route', related: [[earlier]] });
  }
}
