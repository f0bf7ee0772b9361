import { z } from 'zod';
import { amountsField } from '../fields/amounts.ts';
import { rule } from '../fields/rule.ts';

export const sizingSchema = z.strictObject({
  apply: z.enum(['never', 'nextRollout', 'inPlace']).prefault('never').meta({
    description:
      '`nextRollout`: when replicas are replaced anyway, new ones ask for what is recommended. Nothing is restarted for it. `inPlace`: pods that run are changed too, where the cluster can (docs/kubernetes-sizing.md); of processes it means `nextRollout`.',
  }),
  bounds: z
    .strictObject({
      minAllowed: amountsField().prefault({}).meta({ description: 'Never less is recommended.' }),
      maxAllowed: amountsField().prefault({}).meta({ description: 'Never more is recommended.' }),
    })
    .check(
      rule(['minAllowed', 'maxAllowed'], ({ minAllowed, maxAllowed }, report) => {
        for (const resource of ['cpu', 'memory'] as const) {
          const [least, most] = [minAllowed[resource], maxAllowed[resource]];
          // Zero means that there is no bound.
          if (!least || !most || least <= most) continue;
          report(['maxAllowed', resource], `maxAllowed of ${resource} is less than minAllowed`, {
            code: 'out-of-bounds',
            related: [['minAllowed', resource]],
          });
        }
      }),
    )
    .prefault({})
    .meta({ description: 'Bounds of what is recommended for each class.' }),
  controlledValues: z.enum(['RequestsAndLimits', 'RequestsOnly']).prefault('RequestsAndLimits').meta({
    description: '`RequestsOnly`: limits stay, and no request goes above its limit.',
  }),
});

/** Of CPU and memory; what is left out is not bounded. */
export interface SizingBounds {
  cpuMilli?: number;
  memoryBytes?: number;
}

/** Whether and how a workload's replicas follow what is recommended for them; the words are a VerticalPodAutoscaler's. */
export interface SizingApplySpec {
  apply: 'never' | 'nextRollout' | 'inPlace';
  minAllowed: SizingBounds;
  maxAllowed: SizingBounds;
  controlledValues: 'RequestsAndLimits' | 'RequestsOnly';
}

export function resolveSizing({ apply, bounds, controlledValues }: z.output<typeof sizingSchema>): SizingApplySpec {
  const { minAllowed, maxAllowed } = bounds;
  return { apply, minAllowed: resolveAmounts(minAllowed), maxAllowed: resolveAmounts(maxAllowed), controlledValues };
}

function resolveAmounts({ cpu, memory }: { cpu?: number | undefined; memory?: number | undefined }): SizingBounds {
  return { ...(cpu === undefined ? {} : { cpuMilli: cpu }), ...(memory === undefined ? {} : { memoryBytes: memory }) };
}
