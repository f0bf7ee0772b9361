import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { z } from 'zod';
import { type ApiErrorCode, ApiProblem } from './errors.ts';

export interface ApiAnswer {
  description: string;
  /** Must be one of `components`. */
  schema?: z.ZodType;
  /** Default: `application/json`. */
  contentTypes?: string[];
}

export interface ApiCall<Params, Query> {
  params: Params;
  query: Query;
  request: FastifyRequest;
  reply: FastifyReply;
}

/** One route: what is served, what is checked and what the OpenAPI document says of it, in one place. */
export interface ApiRoute {
  method: HTTPMethods;
  /** As in OpenAPI: `/api/v1/namespaces/{namespace}/{kind}`. */
  path: string;
  /** Unique; names the operation in generated clients. */
  id: string;
  summary: string;
  description?: string;
  params: z.ZodObject;
  query: z.ZodObject;
  /** Content types of a body that is read. */
  body?: { description: string; contentTypes: string[] };
  answers: Record<number, ApiAnswer>;
  errors: ApiErrorCode[];
  serve: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

interface RouteDefinition<Params extends z.ZodObject, Query extends z.ZodObject>
  extends Omit<ApiRoute, 'params' | 'query' | 'serve'> {
  params?: Params;
  query?: Query;
  handle: (call: ApiCall<z.output<Params>, z.output<Query>>) => Promise<unknown>;
}

const none = z.strictObject({});

/** Makes a route whose handler gets its parameters checked and typed. */
export function apiRoute<Params extends z.ZodObject = typeof none, Query extends z.ZodObject = typeof none>(
  definition: RouteDefinition<Params, Query>,
): ApiRoute {
  const { params, query, handle, ...rest } = definition;
  // Left out, they are the empty object's schema, which is what the defaults of the type parameters say.
  const paramsSchema = (params ?? none) as Params;
  const querySchema = (query ?? none) as Query;
  return {
    ...rest,
    params: paramsSchema,
    query: querySchema,
    serve: (request, reply) =>
      handle({
        params: parse(paramsSchema, request.params, 'path'),
        query: parse(querySchema, request.query, 'query'),
        request,
        reply,
      }),
  };
}

export function register(app: FastifyInstance, routes: readonly ApiRoute[]): void {
  for (const route of routes) {
    app.route({ method: route.method, url: route.path.replace(/\{(\w+)\}/g, ':$1'), handler: route.serve });
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, place: 'path' | 'query'): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const name = issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : (issue?.path.join('.') ?? '');
  throw new ApiProblem('invalid-parameter', `${place} parameter "${name}": ${issue?.message ?? 'not valid'}`);
}
