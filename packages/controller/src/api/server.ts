import { StoreError } from '@ebb/core';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { type ApiRoute, apiRoute, register } from './apiRoute.ts';
import type { ApiContext } from './context.ts';
import { documentBody } from './documentBody.ts';
import { type ApiErrorCode, ApiProblem, problemBody } from './errors.ts';
import { guard } from './guard.ts';
import { openApiDocument } from './openApi.ts';
import { proxyRoutes } from './proxy.ts';
import { applyRoutes } from './routes/apply.ts';
import { costRoutes } from './routes/cost.ts';
import { instanceRoutes } from './routes/instances.ts';
import { nodeRoutes } from './routes/nodes.ts';
import { journalRoutes } from './routes/journal.ts';
import { objectRoutes } from './routes/objects.ts';
import { statusRoutes } from './routes/status.ts';
import { systemRoutes } from './routes/system.ts';
import { watchRoutes } from './routes/watch.ts';
import { workloadRoutes } from './routes/workload.ts';
import { StreamLimit } from './streamLimit.ts';

const requestTimeoutMs = 120_000;
const longestParameter = 512;

/** The HTTP API and the page. `listen` is the caller's. */
export function apiServer(context: ApiContext): FastifyInstance {
  const app = Fastify({
    logger: false,
    // Watches and followed logs end with the server.
    forceCloseConnections: true,
    requestTimeout: requestTimeoutMs,
    routerOptions: { maxParamLength: longestParameter },
  });
  const openPaths = new Set(['/', '/healthz', '/livez', ...(context.metricsOpen ? ['/metrics'] : [])]);
  documentBody.install(app);
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
  });
  app.addHook('onRequest', guard({ token: context.token, openPaths }));
  app.addHook('onRequest', async ({ method, url }) => {
    const phase = context.phase();
    if (phase === 'starting' && url !== '/livez') throw new ApiProblem('starting', 'the control plane is starting');
    const changes = method !== 'GET' && method !== 'HEAD' && !url.startsWith('/api/v1/shutdown');
    if (phase === 'stopping' && changes) throw new ApiProblem('stopping', 'the control plane is stopping');
  });
  app.addHook('onResponse', async ({ method, url, routeOptions }, reply) => {
    // Every change is on record; reads and what goes through to workloads are not.
    if (method === 'GET' || method === 'HEAD' || routeOptions.url?.includes('/proxy')) return;
    context.log('info', 'api change', { method, path: url.split('?', 1)[0], status: reply.statusCode });
  });
  app.setErrorHandler((error: FastifyError, _request, reply) => answerProblem(context, problemFor(error), reply));
  app.setNotFoundHandler((request, reply) => {
    const detail = `nothing is served at ${request.method} ${request.url.split('?', 1)[0] ?? ''}`;
    return answerProblem(context, new ApiProblem('unknown-route', detail), reply);
  });

  const routes = apiRoutes(context);
  register(app, routes);
  register(app, [openApiRoute(routes, context, openPaths)]);
  servePage(app, context);
  app.register((scope) => proxyRoutes(scope, context));
  return app;
}

/** Every route of the API but its own description. */
export function apiRoutes(context: ApiContext): ApiRoute[] {
  const streams = new StreamLimit();
  return [
    ...statusRoutes(context),
    ...applyRoutes(context),
    ...workloadRoutes(context, streams),
    ...objectRoutes(context),
    ...watchRoutes(context, streams),
    ...journalRoutes(context),
    ...costRoutes(context),
    ...instanceRoutes(context),
    ...nodeRoutes(context),
    ...systemRoutes(context),
  ];
}

function openApiRoute(routes: readonly ApiRoute[], { version }: ApiContext, openPaths: ReadonlySet<string>): ApiRoute {
  let document: unknown;
  return apiRoute({
    method: 'GET',
    path: '/api/v1/openapi.json',
    id: 'readOpenApi',
    summary: 'This description',
    answers: { 200: { description: 'OpenAPI 3.1.' } },
    errors: [],
    async handle() {
      document ??= openApiDocument(routes, version, openPaths);
      return document;
    },
  });
}

function servePage(app: FastifyInstance, { page }: ApiContext): void {
  app.get('/', async (_request, reply) => {
    if (!page) throw new ApiProblem('unknown-route', 'this control plane was started without its page');
    const { html, contentSecurityPolicy } = page();
    return reply
      .type('text/html; charset=utf-8')
      .headers({ 'content-security-policy': contentSecurityPolicy, 'x-frame-options': 'DENY' })
      .send(html);
  });
}

function answerProblem(context: ApiContext, problem: ApiProblem, reply: FastifyReply): FastifyReply {
  if (problem.status >= 500) {
    context.log('error', 'request failed', {
      code: problem.code,
      detail: problem.message,
      cause: stackOf(problem.cause),
    });
  }
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .send(JSON.stringify(problemBody(problem)));
}

/** Fastify's own errors, by their status. */
const statusCodes: Record<number, ApiErrorCode> = { 413: 'too-large', 415: 'unsupported-media-type' };

const storeCodes: Record<StoreError['code'], ApiErrorCode> = {
  conflict: 'conflict',
  'stale-epoch': 'replaced-leader',
  corrupt: 'store-failed',
  locked: 'store-failed',
};

function problemFor(error: FastifyError | Error): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof StoreError) return new ApiProblem(storeCodes[error.code], error.message, { cause: error });
  if ('code' in error && error.code === 'disconnected') {
    return new ApiProblem('agent-unavailable', 'the agent is not connected; it is being started again', {
      cause: error,
    });
  }
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500;
  const code = statusCodes[status] ?? (status < 500 ? 'bad-request' : 'internal');
  return new ApiProblem(code, status < 500 ? error.message : 'unexpected error; see the log of the control plane', {
    cause: error,
  });
}

function stackOf(cause: unknown): string | undefined {
  return cause instanceof Error ? cause.stack : undefined;
}
