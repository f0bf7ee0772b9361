import { z } from 'zod';
import { rule } from '../fields/rule.ts';
import { bytesField, milliField } from '../fields/quantity.ts';
import { gpuProfileField } from './gpuProfile.ts';
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
    .meta({
      description: 'GPUs; a part of one shares it. With gpuProfile: how many instances, 1 when left out.',
      examples: [1, '500m'],
    }),
  gpuMemory: bytesField()
    .optional()
    .meta({
      description: 'Memory that each GPU must have; where a GPU is shared, the part of its memory.',
      examples: ['8Gi'],
    }),
  gpuProfile: gpuProfileField()
    .optional()
    .meta({ description: 'MIG instances of this profile in place of GPUs.', examples: ['1g.10gb'] }),
});

const wholeGpu = 1000;

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
      for (const name of ['cpu', 'memory', 'gpu', 'gpuMemory'] as const) {
        const request = requests[name];
        const limit = limits[name];
        if (request === undefined || limit === undefined || request <= limit) continue;
        const show = name === 'memory' || name === 'gpuMemory' ? formatBytes : formatMilli;
        report(['limits', name], `the ${name} limit ${show(limit)} is less than the ${name} request ${show(request)}`, {
          code: 'limit-below-request',
          related: [['requests', name]],
        });
      }
    }),
    rule(['requests', 'limits'], (resources, report) => {
      for (const side of ['requests', 'limits'] as const) {
        const { gpu, gpuMemory, gpuProfile } = resources[side];
        if (gpu !== undefined && gpu % wholeGpu !== 0 && (gpu > wholeGpu || gpuProfile !== undefined)) {
          const what = gpuProfile === undefined ? 'more than one GPU' : 'a number of MIG instances';
          report([side, 'gpu'], `gpu ${formatMilli(gpu)} is ${what} and must be whole`, { code: 'invalid-value' });
        }
        if (gpuProfile === undefined || gpuMemory === undefined) continue;
        report([side, 'gpuMemory'], `the profile ${gpuProfile} says how much memory it has; leave gpuMemory out`, {
          code: 'invalid-value',
          related: [[side, 'gpuProfile']],
        });
      }
      const { requests, limits } = resources;
      if (requests.gpuProfile === undefined || limits.gpuProfile === undefined) return;
      if (requests.gpuProfile === limits.gpuProfile) return;
      const both = `${limits.gpuProfile} and the request ${requests.gpuProfile}`;
      report(['limits', 'gpuProfile'], `the limit ${both} are different MIG profiles`, {
        code: 'invalid-value',
        related: [['requests', 'gpuProfile']],
      });
    }),
  );

export type ResourcesDocument = z.output<typeof resourcesSchema>;
