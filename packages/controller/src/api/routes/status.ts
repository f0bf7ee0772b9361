import { type ApiRoute, apiRoute } from '../apiRoute.ts';
import type { ApiContext } from '../context.ts';
import { healthSchema, systemStatusSchema } from '../schemas.ts';
import { systemStatus } from '../systemStatus.ts';

/** The whole, and whether it is well. */
export function statusRoutes(context: ApiContext): ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/v1/status',
      id: 'readStatus',
      summary: 'Everything that runs, and why',
      answers: { 200: { description: 'The status of the system and of every workload.', schema: systemStatusSchema } },
      errors: [],
      handle: async () => systemStatus(context),
    }),
    apiRoute({
      method: 'GET',
      path: '/healthz',
      id: 'readHealth',
      summary: 'Whether gateway and agent are connected; needs no token',
      answers: {
        200: { description: 'Both are.', schema: healthSchema },
        503: { description: 'One is away.', schema: healthSchema },
      },
      errors: [],
      async handle({ reply }) {
        const gateway = context.gateway().connected;
        const agent = context.agent().connected;
        if (!gateway || !agent) reply.code(503);
        return { status: gateway && agent ? 'ok' : 'degraded', gateway, agent };
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/livez',
      id: 'readLiveness',
      summary: 'Whether the control plane answers; needs no token',
      answers: { 200: { description: 'It does.', contentTypes: ['text/plain'] } },
      errors: [],
      async handle({ reply }) {
        reply.type('text/plain');
        return 'ok\n';
      },
    }),
  ];
}
