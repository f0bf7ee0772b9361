import { z } from 'zod';
import { rule } from '../fields/rule.ts';
import { bytesField, milliField } from '../fields/quantity.ts';
import { formatBytes, formatMilli } from '../units/quantity.ts';

const amounts = z.strictObject({
  cpu: milliField()
    .optional()
    .meta({ description: 'Processors, in whole or in thousandths.', examples: ['500m', 2] }),
  memory: bytesField()
    .optional()
    .meta({ description: 'Memory.', examples: ['512Mi'] }),
  gpu: milliField()
    .optional()
    .meta({ description: 'GPUs; a part of one shares it.', examples: [1, '500m'] }),
});

/** Kubernetes' rule: what may be used is never less than what is set aside. */
export const resourcesSchema = z
  .strictObject({
    requests: amounts.prefault({}).meta({
      description:
        'Set aside for each replica, and counted against the cluster. What is left out takes its limit, or 0.',
    }),
    limits: amounts.prefault({}).meta({ description: 'The most a replica may use. What is left out has no limit.' }),
  })
  .check(
    rule(['requests', 'limits'], ({ requests, limits }, report) => {
      for (const name of ['cpu', 'memory', 'gpu'] as const) {
        const request = requests[name];
        const limit = limits[name];
        if (request === undefined || limit === undefined || request <= limit) continue;
        const show = name === 'memory' ? formatBytes : formatMilli;
        report(['limits', name], `the ${name} limit ${show(limit)} is less than the ${name} request ${show(request)}`, {
          code: 'limit-below-request',
          related: [['requests', name]],
        });
      }
    }),
  );

export type ResourcesDocument = z.output<typeof resourcesSchema>;
