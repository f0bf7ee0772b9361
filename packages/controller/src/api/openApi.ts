import { z } from 'zod';
import type { ApiRoute } from './apiRoute.ts';
import { apiErrors, type ApiErrorCode } from './errors.ts';
import { components } from './component.ts';
import { problemBodySchema } from './schemas.ts';

const schemaPath = '#/components/schemas/';

/** Codes that any route may answer with. */
const commonErrors: ApiErrorCode[] = ['unauthorized', 'forbidden-host', 'forbidden-origin', 'internal'];

/** The OpenAPI 3.1 document of the routes. */
export function openApiDocument(routes: readonly ApiRoute[], version: string, openPaths: ReadonlySet<string>): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = operation(route, openPaths);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ebb',
      version,
      description: 'The API of the control plane. It listens on loopback only and needs the owner’s token.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'The file `token` in the data folder.' },
      },
      schemas: componentSchemas(),
    },
  };
}

function operation(route: ApiRoute, openPaths: ReadonlySet<string>): unknown {
  const { id, summary, description, body } = route;
  return {
    operationId: id,
    summary,
    ...(description ? { description } : {}),
    ...(openPaths.has(route.path) ? { security: [] } : {}),
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query')],
    ...(body ? { requestBody: requestBody(body) } : {}),
    responses: { ...answers(route), ...errors(route) },
  };
}

function parameters(schema: z.ZodObject, place: 'path' | 'query'): unknown[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = typeof property === 'object' ? property : {};
    return {
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(description ? { description } : {}),
      schema: rest,
    };
  });
}

function requestBody({ description, contentTypes }: NonNullable<ApiRoute['body']>): unknown {
  const content = Object.fromEntries(contentTypes.map((type) => [type, { schema: { type: 'string' } }]));
  return { required: true, description, content };
}

function answers({ answers }: ApiRoute): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, { description, schema, contentTypes }]) => {
      const types = contentTypes ?? (schema ? ['application/json'] : []);
      const media = schema ? { schema: reference(schema) } : {};
      const content = types.length > 0 ? { content: Object.fromEntries(types.map((type) => [type, media])) } : {};
      return [status, { description, ...content }];
    }),
  );
}

function errors(route: ApiRoute): Record<string, unknown> {
  const byStatus = Map.groupBy([...route.errors, ...commonErrors], (code) => apiErrors[code][0]);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${apiErrors[code][2]}`).join(' '),
        content: { 'application/problem+json': { schema: reference(problemBodySchema) } },
      },
    ]),
  );
}

function reference(schema: z.ZodType): { $ref: string } {
  const id = components.get(schema)?.id;
  if (id === undefined) throw new Error('the schema of an answer is not a component');
  return { $ref: `${schemaPath}${id}` };
}

function componentSchemas(): Record<string, unknown> {
  const { schemas } = z.toJSONSchema(components, { uri: (id) => `${schemaPath}${id}`, unrepresentable: 'any' });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, schema]) => {
      const { $schema: _schema, $id: _id, ...rest } = schema;
      return [id, rest];
    }),
  );
}
