import { z } from 'zod';
import { type Report, rule } from '../fields/rule.ts';
import { labelSelectorSchema } from '../kubernetes/labelSelector.ts';
import { int32Field, segmentField } from '../kubernetes/names.ts';
import { objectReferenceSchema } from '../kubernetes/targetRef.ts';
import { positiveMilliField } from './quantities.ts';

/** The kinds of metric and the field that each of them is described in. */
export const sourceFields = {
  Resource: 'resource',
  ContainerResource: 'containerResource',
  Pods: 'pods',
  Object: 'object',
  External: 'external',
} as const;

type TargetField = 'averageUtilization' | 'averageValue' | 'value';

const targetShape = {
  type: z.enum(['Utilization', 'AverageValue', 'Value']).meta({ description: 'What the number beside it means.' }),
  averageUtilization: int32Field(1).optional().meta({ description: 'Per cent of what the pods request.' }),
  averageValue: positiveMilliField()
    .optional()
    .meta({ description: 'Mean for each pod.', examples: ['30'] }),
  value: positiveMilliField()
    .optional()
    .meta({ description: 'The metric as a whole.', examples: ['2k'] }),
};

type TargetDocument = z.output<ReturnType<typeof z.strictObject<typeof targetShape>>>;

/** A target with exactly one of some fields, as `validateMetricTarget` and its callers ask for. */
function targetSchema(fields: readonly TargetField[]) {
  return z.strictObject(targetShape).check(
    rule(['averageUtilization', 'averageValue', 'value'], (target: TargetDocument, report: Report) => {
      const written = fields.filter((field) => target[field] !== undefined);
      if (written.length === 1) return;
      if (written.length === 0) {
        report([], `the target needs ${fields.join(' or ')}`, { code: 'missing-field', allowed: [...fields] });
        return;
      }
      const [first = '', second = ''] = written;
      report([second], `a target has one number, not both ${first} and ${second}`, {
        code: 'one-of',
        related: [[first]],
      });
    }),
  );
}

const metricIdentifier = z.strictObject({
  name: segmentField().meta({ description: 'Name of the metric.' }),
  selector: labelSelectorSchema.optional().meta({ description: 'Which of its series.' }),
});

const resourceTarget = () =>
  targetSchema(['averageUtilization', 'averageValue']).meta({ description: 'What is aimed at.' });
const valueTarget = () => targetSchema(['value', 'averageValue']).meta({ description: 'What is aimed at.' });
const podsTarget = () => targetSchema(['averageValue']).meta({ description: 'What is aimed at.' });

const resourceName = () => segmentField().meta({ description: 'The resource.', examples: ['cpu'] });

const metricShape = z.strictObject({
  type: z
    .enum(['Resource', 'ContainerResource', 'Pods', 'Object', 'External'])
    .meta({ description: 'Where the metric comes from; the field of that name describes it.' }),
  resource: z
    .strictObject({ name: resourceName(), target: resourceTarget() })
    .optional()
    .meta({ description: 'CPU or memory of the pods.' }),
  containerResource: z
    .strictObject({
      name: resourceName(),
      container: segmentField().meta({ description: 'Name of the container.' }),
      target: resourceTarget(),
    })
    .optional()
    .meta({ description: 'CPU or memory of one container of each pod.' }),
  pods: z
    .strictObject({ metric: metricIdentifier.meta({ description: 'The metric.' }), target: podsTarget() })
    .optional()
    .meta({ description: 'A metric of each pod.' }),
  object: z
    .strictObject({
      describedObject: objectReferenceSchema().meta({ description: 'The object that it describes.' }),
      metric: metricIdentifier.meta({ description: 'The metric.' }),
      target: valueTarget(),
    })
    .optional()
    .meta({ description: 'A metric of another object, such as an Ingress.' }),
  external: z
    .strictObject({ metric: metricIdentifier.meta({ description: 'The metric.' }), target: valueTarget() })
    .optional()
    .meta({ description: 'A metric from outside the cluster, such as the length of a queue.' }),
});

export type MetricDocument = z.output<typeof metricShape>;

/** One metric: exactly the source that its type names. */
export const metricSchema = metricShape.check(
  rule(['type'], (metric, report) => {
    const wanted = sourceFields[metric.type];
    const written = Object.values(sourceFields).filter((field) => metric[field] !== undefined);
    if (!written.includes(wanted)) {
      const other = written[0];
      const message = `a metric of type ${metric.type} is described in the field "${wanted}", which is missing`;
      report(other ? [other] : ['type'], message, { code: 'missing-field', allowed: [wanted] });
    }
    for (const field of written) {
      if (field === wanted || !written.includes(wanted)) continue;
      const message = `a metric has one source: its type is ${metric.type}, so "${field}" must go`;
      report([field], message, { code: 'one-of', related: [['type']] });
    }
  }),
);

/** What a metric aims at, decided by the field that is set; the API server lets `type` say something else. */
export type HpaTargetSpec =
  | { type: 'Utilization'; averageUtilization: number }
  | { type: 'AverageValue'; averageValueMilli: number }
  | { type: 'Value'; valueMilli: number };

export interface HpaSelectorSpec {
  matchLabels: Record<string, string>;
  matchExpressions: { key: string; operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'; values: string[] }[];
}

/** A metric with its quantities as integer thousandths. */
export type HpaMetricDocumentSpec =
  | { type: 'Resource'; name: string; target: HpaTargetSpec }
  | { type: 'ContainerResource'; name: string; container: string; target: HpaTargetSpec }
  | { type: 'Pods' | 'External'; name: string; selector: HpaSelectorSpec | null; target: HpaTargetSpec }
  | {
      type: 'Object';
      name: string;
      selector: HpaSelectorSpec | null;
      describedObject: { apiVersion: string | null; kind: string; name: string };
      target: HpaTargetSpec;
    };

/** A metric that the schema has accepted, in the core's units. */
export function resolveMetric(metric: MetricDocument): HpaMetricDocumentSpec {
  const { resource, containerResource, pods, object, external } = metric;
  if (resource) return { type: 'Resource', name: resource.name, target: resolveTarget(resource.target) };
  if (containerResource) {
    const { name, container, target } = containerResource;
    return { type: 'ContainerResource', name, container, target: resolveTarget(target) };
  }
  if (object) {
    const { apiVersion = null, kind, name } = object.describedObject;
    return { type: 'Object', ...identifier(object), describedObject: { apiVersion, kind, name } };
  }
  if (pods) return { type: 'Pods', ...identifier(pods) };
  if (external) return { type: 'External', ...identifier(external) };
  throw new Error(`a metric of type ${metric.type} without a source`);
}

function identifier({ metric, target }: { metric: z.output<typeof metricIdentifier>; target: TargetDocument }) {
  return { name: metric.name, selector: resolveSelector(metric.selector), target: resolveTarget(target) };
}

function resolveSelector(selector: z.output<typeof labelSelectorSchema> | undefined): HpaSelectorSpec | null {
  if (!selector) return null;
  return {
    matchLabels: selector.matchLabels ?? {},
    matchExpressions: (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => ({
      key,
      operator,
      values,
    })),
  };
}

function resolveTarget({ averageUtilization, averageValue, value }: TargetDocument): HpaTargetSpec {
  if (averageValue !== undefined) return { type: 'AverageValue', averageValueMilli: averageValue };
  if (averageUtilization !== undefined) return { type: 'Utilization', averageUtilization };
  return { type: 'Value', valueMilli: value ?? 0 };
}

/** The type that the number of a target belongs to, where `type` says another; null where they agree. */
export function otherTargetType(target: TargetDocument): HpaTargetSpec['type'] | null {
  const { type } = resolveTarget(target);
  return type === target.type ? null : type;
}

/** The target of whichever source a metric has. */
export function targetOf(metric: MetricDocument): TargetDocument | undefined {
  return metric[sourceFields[metric.type]]?.target;
}
