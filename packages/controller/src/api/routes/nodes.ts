import { type ApiRoute, apiRoute } from '../apiRoute.ts';
import type { ApiContext } from '../context.ts';
import { fleetsSchema } from '../machineSchemas.ts';

/** Machines of the clusters whose machines are rented. */
export function nodeRoutes({ engine }: ApiContext): ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/v1/nodes',
      id: 'listNodes',
      summary: 'Machines by cluster, with what is on them, what they cost and why they are there',
      answers: { 200: { description: 'The clusters whose machines are rented.', schema: fleetsSchema } },
      errors: [],
      handle: async () => ({ items: engine.fleets() }),
    }),
  ];
}
