import { z } from 'zod';
import { rule } from '../fields/rule.ts';

const types = ['none', 'timeSlicing', 'mps', 'fraction', 'mig'] as const;
const defaultReplicas = 2;

/** By name alone, or with its number of replicas. */
export const gpuSharingSchema = z.union([
  z.enum(types),
  z
    .strictObject({
      type: z.enum(types).meta({
        description:
          '`timeSlicing` and `mps` show each GPU as several; `fraction` gives parts by what is asked for; `mig` cuts it.',
      }),
      replicas: z
        .int()
        .min(2)
        .max(48)
        .optional()
        .meta({
          description: `As how many each GPU is shown, for timeSlicing and mps. Left out: ${defaultReplicas}.`,
        }),
    })
    .check(
      rule(['type', 'replicas'], ({ type, replicas }, report) => {
        if (replicas === undefined || type === 'timeSlicing' || type === 'mps') return;
        report(['replicas'], `replicas belongs to timeSlicing and mps; the type is ${type}`, { code: 'invalid-value' });
      }),
    ),
]);

/** How the GPUs of a pool's nodes are shared, in the form of the node core. */
export type GpuSharingSpec = { kind: 'none' | 'fraction' | 'mig' } | { kind: 'time-slicing' | 'mps'; replicas: number };

export function resolveGpuSharing(sharing: z.output<typeof gpuSharingSchema>): GpuSharingSpec {
  const { type, replicas = defaultReplicas } =
    typeof sharing === 'string' ? { type: sharing, replicas: undefined } : sharing;
  if (type === 'timeSlicing') return { kind: 'time-slicing', replicas };
  return type === 'mps' ? { kind: 'mps', replicas } : { kind: type };
}
