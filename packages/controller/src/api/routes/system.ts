import { z } from 'zod';
import { type ApiRoute, apiRoute } from '../apiRoute.ts';
import type { ApiContext } from '../context.ts';
import { metricsText } from '../metrics.ts';
import { flagQuery } from '../parameters.ts';

/** The control plane itself. */
export function systemRoutes(context: ApiContext): ApiRoute[] {
  return [
    apiRoute({
      method: 'POST',
      path: '/api/v1/shutdown',
      id: 'shutdown',
      summary: 'Stop cleanly',
      description:
        'Drains and ends every replica, then gateway, agent and control plane. With `leaveRunning` only the control plane ' +
        'ends; the next one adopts what runs. Documents stay either way.',
      query: z.strictObject({ leaveRunning: flagQuery.meta({ description: 'End the control plane only.' }) }),
      answers: { 202: { description: 'The stop has begun.' } },
      errors: [],
      async handle({ query, reply }) {
        context.shutdown(query);
        reply.code(202);
        return { stopping: true };
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/metrics',
      id: 'readMetrics',
      summary: 'Metrics in the Prometheus text format',
      answers: { 200: { description: 'The metrics.', contentTypes: ['text/plain'] } },
      errors: [],
      async handle({ reply }) {
        reply.type('text/plain; version=0.0.4; charset=utf-8');
        return metricsText(context);
      },
    }),
  ];
}
