import type { AntiAffinity, PlacementPod, Requirement, TopologySpread, Toleration } from '@ebb/core';
import { type JsonObject, listAt, numberAt, objectAt, textAt, textsAt } from '../client/values.ts';
import { hostnameLabel, poolLabel, zoneLabel } from './labels.ts';

/** Pods of other namespaces are not meant by a selector: each has this label, and each selector asks for it. */
export const namespaceLabel = 'ebb.dev/namespace';

type Rules = Pick<
  PlacementPod,
  'requirements' | 'affinityTerms' | 'preferred' | 'tolerations' | 'spread' | 'antiAffinity'
>;

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] as const;
const topologies: Record<string, 'zone' | 'hostname'> = {
  [zoneLabel]: 'zone',
  [hostnameLabel]: 'hostname',
};

/** Where a pod may run by its own words. What is no rule that placement knows comes as a note. */
export function podRules(spec: JsonObject, namespace: string): Rules & { notes: string[] } {
  const notes: string[] = [];
  const nodeAffinity = objectAt(spec, 'affinity', 'nodeAffinity');
  const required = listAt(nodeAffinity, 'requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms');
  if (listAt(spec, 'affinity', 'podAffinity', 'requiredDuringSchedulingIgnoredDuringExecution').length > 0) {
    notes.push('that it must run beside other pods (podAffinity) is left to the scheduler');
  }
  return {
    requirements: Object.entries(textsAt(spec, 'nodeSelector')).map(([key, value]) => ruleOf(key, 'In', [value])),
    affinityTerms: required.map((term) => expressionsOf(term, notes)),
    preferred: listAt(nodeAffinity, 'preferredDuringSchedulingIgnoredDuringExecution').map((one) => ({
      weight: numberAt(one, 'weight') ?? 1,
      requirements: expressionsOf(objectAt(one, 'preference'), notes),
    })),
    tolerations: tolerationsOf(spec),
    spread: listAt(spec, 'topologySpreadConstraints').flatMap((one) => spreadOf(one, namespace, notes)),
    antiAffinity: listAt(spec, 'affinity', 'podAntiAffinity', 'requiredDuringSchedulingIgnoredDuringExecution').flatMap(
      (term) => antiAffinityOf(term, namespace, notes),
    ),
    notes,
  };
}

function tolerationsOf(spec: JsonObject): Toleration[] {
  return listAt(spec, 'tolerations').map((one) => {
    const effect = textAt(one, 'effect');
    return {
      key: textAt(one, 'key') || null,
      operator: textAt(one, 'operator') === 'Exists' ? 'Exists' : 'Equal',
      value: textAt(one, 'value') ?? '',
      effect: effect === 'NoSchedule' || effect === 'PreferNoSchedule' || effect === 'NoExecute' ? effect : null,
    };
  });
}

/** A term as rules on labels; `metadata.name` is a node's name, as its hostname label nearly always is. */
function expressionsOf(term: unknown, notes: string[]): Requirement[] {
  const fields = listAt(term, 'matchFields').map((one) => ({ one, key: hostnameLabel }));
  const labels = listAt(term, 'matchExpressions').map((one) => ({ one, key: textAt(one, 'key') ?? '' }));
  return [...labels, ...fields].flatMap(({ one, key }): Requirement[] => {
    const operator = operators.find((known) => known === textAt(one, 'operator'));
    if (operator === undefined) {
      notes.push(`a rule on ${key} has an operator that is not known`);
      // Nothing meets it: a place that may be wrong is worse than none.
      return [{ key, operator: 'In', values: [] }];
    }
    return [ruleOf(key, operator, listAt(one, 'values').map(String))];
  });
}

/** Values of labels have no slash: nodes have `cluster_namespace_name` where pools are named `cluster/namespace/name`. */
function ruleOf(key: string, operator: Requirement['operator'], values: string[]): Requirement {
  return { key, operator, values: key === poolLabel ? values.map((value) => value.replaceAll('_', '/')) : values };
}

function spreadOf(one: unknown, namespace: string, notes: string[]): TopologySpread[] {
  const key = textAt(one, 'topologyKey') ?? '';
  const topology = topologies[key];
  if (textAt(one, 'whenUnsatisfiable') === 'ScheduleAnyway') return [];
  const selector = selectorOf(objectAt(one, 'labelSelector'), namespace);
  if (topology === undefined || selector === null) {
    notes.push(`the spread over ${key || 'an unnamed key'} is left to the scheduler`);
    return [];
  }
  return [{ topology, maxSkew: numberAt(one, 'maxSkew') ?? 1, selector }];
}

function antiAffinityOf(term: unknown, namespace: string, notes: string[]): AntiAffinity[] {
  const key = textAt(term, 'topologyKey') ?? '';
  const topology = topologies[key];
  const selector = selectorOf(objectAt(term, 'labelSelector'), namespace);
  const isOwn =
    listAt(term, 'namespaces').length === 0 && Object.keys(objectAt(term, 'namespaceSelector')).length === 0;
  if (topology === undefined || selector === null || !isOwn) {
    notes.push(`the rule that keeps it apart by ${key || 'an unnamed key'} is left to the scheduler`);
    return [];
  }
  return [{ topology, selector }];
}

/** Null: it has rules beside plain labels. */
function selectorOf(selector: JsonObject, namespace: string): Record<string, string> | null {
  const single = listAt(selector, 'matchExpressions').map((one) => {
    const [value, ...others] = listAt(one, 'values');
    const isPlain = textAt(one, 'operator') === 'In' && typeof value === 'string' && others.length === 0;
    return isPlain ? ([textAt(one, 'key') ?? '', value] as const) : null;
  });
  if (single.some((one) => one === null)) return null;
  const more = Object.fromEntries(single.flatMap((one) => (one === null ? [] : [one])));
  return { ...textsAt(selector, 'matchLabels'), ...more, [namespaceLabel]: namespace };
}
