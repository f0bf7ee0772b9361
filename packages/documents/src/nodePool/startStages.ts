import { z } from 'zod';
import { durationField } from '../fields/duration.ts';

/** What happens between the request for a node and its first replica, in this order. */
const stageNames = ['boot', 'driver', 'image', 'weights'] as const;

export const startStagesSchema = z.strictObject({
  boot: durationField().prefault('60s').meta({ description: 'From the request until the machine is up and joined.' }),
  driver: durationField().prefault('0s').meta({ description: 'GPU driver and device plugin.' }),
  image: durationField().prefault('0s').meta({ description: 'Fetching and unpacking what replicas run from.' }),
  weights: durationField().prefault('0s').meta({ description: "Fetching the models' weights." }),
  baked: z
    .array(z.enum(['driver', 'image', 'weights']))
    .prefault([])
    .meta({
      description: 'What the machine image has within: these stages take no time.',
      examples: [['driver', 'image']],
    }),
});

/** Expected times of the stages of a node's start; what is baked in is 0. */
export interface StartStagesSpec {
  bootMs: number;
  driverMs: number;
  imageMs: number;
  weightsMs: number;
  /** All together. */
  totalMs: number;
}

export function resolveStartStages(stages: z.output<typeof startStagesSchema>): StartStagesSpec {
  const baked: readonly string[] = stages.baked;
  const [bootMs = 0, driverMs = 0, imageMs = 0, weightsMs = 0] = stageNames.map((name) =>
    baked.includes(name) ? 0 : stages[name],
  );
  return { bootMs, driverMs, imageMs, weightsMs, totalMs: bootMs + driverMs + imageMs + weightsMs };
}
