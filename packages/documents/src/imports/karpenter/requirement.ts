import { requirementOperators } from '../../nodes/requirement.ts';
import { countOf, FieldError, isRecord, oneOf, textOf, textsOf } from '../values.ts';
import type { Outcome } from '../walk.ts';

/** A requirement of Karpenter as a NodePool here has it. */
export interface Requirement {
  key: string;
  operator: (typeof requirementOperators)[number];
  values: string[];
  minValues?: number;
}

const capacityKey = 'karpenter.sh/capacity-type';
const typeKey = 'node.kubernetes.io/instance-type';
/** In the order in which Karpenter takes them. */
const capacityTypes = ['reserved', 'spot', 'on-demand'];
const fields = ['key', 'operator', 'values', 'minValues'];

/** Labels that every machine of a catalogue has. */
const wellKnown = [
  typeKey,
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
];

/** Reads one requirement; `Gte 8` becomes `Gt 7`, which says the same of whole numbers. */
export function readRequirement(value: unknown): Requirement {
  if (!isRecord(value)) throw new FieldError('must be a map with key, operator and values');
  const extra = Object.keys(value).find((key) => !fields.includes(key));
  if (extra !== undefined) throw new FieldError(`has the unknown field "${extra}"; allowed: ${fields.join(', ')}`);
  const written = oneOf(value.operator, [...requirementOperators, 'Gte', 'Lte']);
  const values = value.values === undefined || value.values === null ? [] : textsOf(value.values);
  const { minValues } = value;
  return {
    key: textOf(value.key),
    ...comparison(written, values),
    ...(minValues === undefined || minValues === null ? {} : { minValues: countOf(minValues, 600) }),
  };
}

function comparison(
  operator: Requirement['operator'] | 'Gte' | 'Lte',
  values: string[],
): Pick<Requirement, 'operator' | 'values'> {
  if (operator !== 'Gte' && operator !== 'Lte') return { operator, values };
  const bound = countOf(values.length === 1 ? values[0] : values);
  if (operator === 'Lte') return { operator: 'Lt', values: [String(bound + 1)] };
  return bound === 0 ? { operator: 'Exists', values: [] } : { operator: 'Gt', values: [String(bound - 1)] };
}

/** Puts a requirement where a NodePool has a field for it, else among its requirements. */
export function placeRequirement(requirement: Requirement, spec: Record<string, unknown>): Outcome {
  const { key, operator, values, minValues } = requirement;
  if (key === capacityKey) {
    spec.capacityTypes = capacityTypesOf(requirement);
    if (minValues === undefined) return { becomes: 'capacityTypes' };
    return { becomes: 'capacityTypes', note: 'minValues is not read of capacity types' };
  }
  if (key === typeKey && operator === 'In' && minValues === undefined && spec.instanceTypes === undefined) {
    spec.instanceTypes = values;
    return { becomes: 'instanceTypes' };
  }
  const requirements = Array.isArray(spec.requirements) ? spec.requirements : [];
  spec.requirements = [...requirements, requirement];
  const becomes = `requirements[${requirements.length}]`;
  if (wellKnown.includes(key)) return { becomes };
  return { becomes, note: 'counts by the labels that the machines of the catalogue and the pool have' };
}

function capacityTypesOf({ operator, values }: Requirement): string[] {
  const unknown = values.find((one) => !capacityTypes.includes(one));
  if (unknown !== undefined) {
    throw new FieldError(`has the unknown capacity type "${unknown}"; known are ${capacityTypes.join(', ')}`);
  }
  if (operator === 'Exists') return capacityTypes;
  if (operator !== 'In' && operator !== 'NotIn') throw new FieldError(`cannot compare ${capacityKey} by ${operator}`);
  return capacityTypes.filter((one) => values.includes(one) === (operator === 'In'));
}

/** The region that a requirement settles, from one region or from zones that all lie in one; else null. */
export function regionOf({ key, operator, values }: Requirement): string | null {
  if (operator !== 'In') return null;
  const regions =
    key === 'topology.kubernetes.io/region'
      ? values
      : key === 'topology.kubernetes.io/zone'
        ? // `eu-central-1a` of AWS and `europe-west4-a` of GCP.
          values.map((zone) => zone.replace(/-?[a-z]$/, ''))
        : [];
  const [first] = regions;
  return first !== undefined && regions.every((one) => one === first) ? first : null;
}
