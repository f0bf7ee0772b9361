import { Agent, type IncomingMessage, request as httpRequest } from 'node:http';
import { keyText } from '@ebb/documents';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from './context.ts';
import { ApiProblem } from './errors.ts';
import { clusterOnly, keyOf, objectParams } from './parameters.ts';

/** Not passed on: fields of one connection, and what belongs to the control plane and not to the workload. */
const keptBack = new Set([
  'authorization',
  'connection',
  'cookie',
  'host',
  'keep-alive',
  'origin',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'referer',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-ebb-workload',
]);

/** Of an answer. A worker must not set cookies or policies for the control plane's own origin. */
const keptBackAnswer = new Set([
  'connection',
  'content-security-policy',
  'keep-alive',
  'set-cookie',
  'transfer-encoding',
  'upgrade',
]);

const prefix = '/api/v1/namespaces/:namespace/workloads/:name/proxy';
const maxSockets = 256;

/**
 * Requests to a workload through the control plane, streamed both ways: for the page's own box, where the gateway is
 * another origin. The gateway holds, wakes and counts as for any other request. The token is never passed on.
 */
export async function proxyRoutes(app: FastifyInstance, context: ApiContext): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets });
  app.addHook('onClose', async () => agent.destroy());
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  for (const url of [prefix, `${prefix}/*`]) {
    app.route({
      method: ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'],
      url,
      exposeHeadRoute: false,
      handler: (request, reply) => forward(context, agent, request, reply),
    });
  }
}

async function forward(
  context: ApiContext,
  agent: Agent,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { url, connected } = context.gateway();
  if (!connected)
    throw new ApiProblem('gateway-unavailable', 'the gateway is not connected; it is being started again');
  const params = objectParams.loose().parse(request.params);
  const workload = keyText(keyOf(params, clusterOnly.parse({})));
  const target = new URL(url);
  const outgoing = httpRequest({
    agent,
    host: target.hostname,
    port: target.port,
    method: request.method,
    path: pathBehind(request.raw.url ?? '/'),
    headers: { ...passedOn(request.raw.headers, keptBack), 'x-ebb-workload': workload },
  });
  // Also while the request is held: a client that went away must not keep its place.
  reply.raw.once('close', () => outgoing.destroy());
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', (error) =>
      reject(new ApiProblem('gateway-unavailable', `the gateway did not answer: ${error.message}`, { cause: error })),
    );
    request.raw.pipe(outgoing);
  });
  reply.code(answer.statusCode ?? 502);
  reply.headers(passedOn(answer.headers, keptBackAnswer));
  // It comes from the control plane's own origin: whatever it is, it must not run there.
  reply.header('content-security-policy', 'sandbox');
  return reply.send(answer);
}

/** Path and query after `/proxy`, as they were written. */
function pathBehind(url: string): string {
  const path = /^\/api\/v1\/namespaces\/[^/?]+\/workloads\/[^/?]+\/proxy(.*)$/s.exec(url)?.[1] ?? '';
  return path.startsWith('/') ? path : `/${path}`;
}

function passedOn(
  headers: IncomingMessage['headers'],
  without: ReadonlySet<string>,
): Record<string, string | string[]> {
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !without.has(name)) passed[name] = value;
  return passed;
}
