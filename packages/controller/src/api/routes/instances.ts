import { catalogueCurrency, queryOfferings } from '@ebb/catalogue';
import { z } from 'zod';
import { type ApiRoute, apiRoute } from '../apiRoute.ts';
import type { ApiContext } from '../context.ts';
import { countQuery } from '../parameters.ts';
import { offeringsSchema } from '../machineSchemas.ts';

const name = (description: string) => z.string().min(1).max(128).meta({ description });
const most = Number.MAX_SAFE_INTEGER;

/** Machines that can be rented, from the price list of this control plane. */
export function instanceRoutes({ offerings }: ApiContext): ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/v1/instances',
      id: 'listInstances',
      summary: 'Machines that can be rented, cheapest first',
      query: z.strictObject({
        cloud: name('Name of the cloud.').exactOptional(),
        region: name("The cloud's name of the region.").exactOptional(),
        zone: name('A zone of it.').exactOptional(),
        instance: name('Name of the machine; `*` stands for any text.').exactOptional(),
        gpu: name('Model of the GPU, or how it begins.').exactOptional(),
        minGpus: z.coerce
          .number()
          .min(0)
          .max(1024)
          .meta({ description: 'Cards; a fixed slice is a part of one.' })
          .exactOptional(),
        minGpuMemoryBytes: countQuery(0, most, 'Memory of each GPU.').exactOptional(),
        minCpuMilli: countQuery(0, most, 'Processors, in thousandths.').exactOptional(),
        minMemoryBytes: countQuery(0, most, 'Memory.').exactOptional(),
        architecture: z.enum(['amd64', 'arm64']).exactOptional(),
        capacityType: z.enum(['on-demand', 'spot', 'reserved']).exactOptional(),
        limit: countQuery(1, 10_000, 'At most so many.').default(100),
      }),
      answers: { 200: { description: 'What fits.', schema: offeringsSchema } },
      errors: ['invalid-parameter'],
      async handle({ query: { capacityType, limit, ...query } }) {
        const capacityTypes = capacityType === undefined ? {} : { capacityTypes: [capacityType] };
        const found = queryOfferings(await offerings(), { ...query, ...capacityTypes });
        return { currency: catalogueCurrency, items: found.slice(0, limit) };
      },
    }),
  ];
}
