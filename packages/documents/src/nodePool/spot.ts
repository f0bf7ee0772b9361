import { z } from 'zod';

export const spotSchema = z.strictObject({
  onDemandFloor: z
    .union([
      z.int().min(0).max(100_000),
      z.string().regex(/^(100|\d{1,2})%$/, { error: 'must be a number or a percentage, such as 20%' }),
    ])
    .prefault(0)
    .meta({
      description: 'Nodes that are always on demand: a number, or a part of those needed.',
      examples: [1, '20%'],
    }),
  overProvision: z
    .union([z.literal('auto'), z.int().min(0).max(1000)])
    .prefault('auto')
    .meta({
      description:
        'Spot nodes beyond those needed. `auto`: as many as the losses and the time of a start make worthwhile.',
    }),
  fallback: z.boolean().prefault(true).meta({
    description: 'Nodes on demand stand in while spot cannot be had or is lost too often.',
  }),
  spread: z.enum(['zone', 'none']).prefault('zone').meta({
    description: 'Whether spot is kept in more than one zone or machine type where that can be had.',
  }),
});

/** How a pool keeps its nodes when spot is taken away. */
export interface PoolSpotSpec {
  /** A share is a part of the nodes that are needed, 0 to 1. */
  onDemandFloor: { count: number } | { share: number };
  overProvision: 'auto' | number;
  fallback: boolean;
  spread: 'zone' | 'none';
}

export function resolveSpot({ onDemandFloor, ...rest }: z.output<typeof spotSchema>): PoolSpotSpec {
  return {
    ...rest,
    onDemandFloor:
      typeof onDemandFloor === 'number'
        ? { count: onDemandFloor }
        : { share: Number.parseInt(onDemandFloor, 10) / 100 },
  };
}
