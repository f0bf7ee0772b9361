import { z } from 'zod';
import { int32Field } from '../kubernetes/names.ts';
import { ratioField } from './quantities.ts';

const policySchema = z.strictObject({
  type: z.enum(['Pods', 'Percent']).meta({ description: '`Pods`: replicas; `Percent`: of the replicas there are.' }),
  value: int32Field(1).meta({ description: 'How many may be added or removed within the period.' }),
  periodSeconds: int32Field(1, 1800).meta({ description: 'The time that `value` is counted over.' }),
});

const rulesSchema = z.strictObject({
  stabilizationWindowSeconds: int32Field(0, 3600)
    .optional()
    .meta({
      description:
        'Takes the most careful recommendation of this long. Left out: 0 when going up, the flag of the controller ' +
        '(300) when going down.',
    }),
  selectPolicy: z.enum(['Max', 'Min', 'Disabled']).optional().meta({
    description: 'Which of several policies counts; `Disabled` forbids the direction. Left out: `Max`.',
  }),
  policies: z.array(policySchema).min(1).optional().meta({
    description: 'Limits of the rate, in place of the default ones: 4 pods or 100 % in 15 s up, 100 % in 15 s down.',
  }),
  tolerance: ratioField()
    .optional()
    .meta({
      description: 'A ratio this close to 1 changes nothing. Left out: the flag of the controller (0.1).',
      examples: ['0.05'],
    }),
});

/** `behavior` of a HorizontalPodAutoscaler; when it is there at all, what it leaves out has defaults. */
export const behaviorSchema = z.strictObject({
  scaleUp: rulesSchema.optional().meta({ description: 'When replicas are added.' }),
  scaleDown: rulesSchema.optional().meta({ description: 'When replicas are removed.' }),
});

export type BehaviorDocument = z.output<typeof behaviorSchema>;
type RulesDocument = z.output<typeof rulesSchema>;

/** The rules of one direction with Kubernetes' defaults. */
export interface HpaRulesSpec {
  /** Null: the controller's flag. */
  stabilizationMs: number | null;
  selectPolicy: 'Max' | 'Min' | 'Disabled';
  policies: { type: 'Pods' | 'Percent'; value: number; periodMs: number }[];
  /** Null: the controller's flag. */
  tolerance: number | null;
}

export interface HpaBehaviorSpec {
  scaleUp: HpaRulesSpec;
  scaleDown: HpaRulesSpec;
}

/** What Kubernetes fills in where `behavior` is set and a direction is left out. */
export const defaultHpaBehaviorSpec: HpaBehaviorSpec = {
  scaleUp: {
    stabilizationMs: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodMs: 15_000 },
      { type: 'Percent', value: 100, periodMs: 15_000 },
    ],
    tolerance: null,
  },
  scaleDown: {
    stabilizationMs: null,
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 100, periodMs: 15_000 }],
    tolerance: null,
  },
};

/**
 * Behaviour as `SetDefaults_HorizontalPodAutoscalerBehavior` fills it (pkg/apis/autoscaling/v2/defaults.go): nothing
 * where there is none, else both directions; `policies` replaces the whole list. Null: no behaviour.
 */
export function resolveBehavior(behavior: BehaviorDocument | undefined): HpaBehaviorSpec | null {
  if (behavior?.scaleUp === undefined && behavior?.scaleDown === undefined) return null;
  const { scaleUp, scaleDown } = defaultHpaBehaviorSpec;
  return { scaleUp: filled(behavior.scaleUp, scaleUp), scaleDown: filled(behavior.scaleDown, scaleDown) };
}

function filled(rules: RulesDocument | undefined, defaults: HpaRulesSpec): HpaRulesSpec {
  const windowSeconds = rules?.stabilizationWindowSeconds;
  return {
    stabilizationMs: windowSeconds === undefined ? defaults.stabilizationMs : windowSeconds * 1000,
    selectPolicy: rules?.selectPolicy ?? defaults.selectPolicy,
    policies: (rules?.policies ?? null)?.map(toPolicy) ?? defaults.policies.map((policy) => ({ ...policy })),
    tolerance: rules?.tolerance ?? defaults.tolerance,
  };
}

function toPolicy({ type, value, periodSeconds }: z.output<typeof policySchema>): HpaRulesSpec['policies'][number] {
  return { type, value, periodMs: periodSeconds * 1000 };
}
