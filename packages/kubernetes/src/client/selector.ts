import type { JsonObject } from './values.ts';
import { isObject, listAt, textAt, textsAt } from './values.ts';

/** Which labels an object must have. */
export interface Selector {
  (labels: Readonly<Record<string, string>>): boolean;
  /** A label with the one value that it must have; null: none is named. */
  readonly pair: readonly [key: string, value: string] | null;
  /** As a query asks for it: `a=b,c in (d,e),!f,g`. */
  readonly text: string;
}

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** A `LabelSelector` of a document. One that says nothing selects nothing: no target owns every pod. */
export function selectorOf(document: JsonObject): Selector {
  const equal = Object.entries(textsAt(document, 'matchLabels')).map(
    ([key, value]): Requirement => ({ key, operator: 'In', values: [value] }),
  );
  const listed = listAt(document, 'matchExpressions').flatMap((one): Requirement[] => {
    const key = textAt(one, 'key');
    const operator = textAt(one, 'operator');
    if (!isObject(one) || key === null || operator === null) return [];
    return [{ key, operator, values: listAt(one, 'values').filter((value) => typeof value === 'string') }];
  });
  return allOf([...equal, ...listed]);
}

/** As the scale subresource writes it: `a=b,c in (d,e),!f,g`. */
export function parseSelector(text: string): Selector {
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim());
  return allOf(parts.filter((part) => part !== '').map(parseRequirement));
}

function parseRequirement(text: string): Requirement {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(text);
  if (set) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim());
    return { key: set[1] ?? '', operator: set[2] === 'in' ? 'In' : 'NotIn', values };
  }
  const compared = /^([^=!]+)(==|=|!=)(.*)$/.exec(text);
  if (compared) {
    const operator = compared[2] === '!=' ? 'NotIn' : 'In';
    return { key: (compared[1] ?? '').trim(), operator, values: [(compared[3] ?? '').trim()] };
  }
  if (text.startsWith('!')) return { key: text.slice(1).trim(), operator: 'DoesNotExist', values: [] };
  return { key: text, operator: 'Exists', values: [] };
}

function allOf(requirements: readonly Requirement[]): Selector {
  const [pair = null] = requirements.flatMap(({ key, operator, values }): [string, string][] => {
    const [value] = values;
    return operator === 'In' && values.length === 1 && value !== undefined ? [[key, value]] : [];
  });
  const selects = (labels: Readonly<Record<string, string>>) =>
    requirements.length > 0 && requirements.every((one) => isMet(one, labels));
  return Object.assign(selects, { pair, text: requirements.map(textOf).join(',') });
}

function textOf({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      if (values.length === 1) return `${key}${operator === 'NotIn' ? '!=' : '='}${values[0]}`;
      return `${key} ${operator === 'NotIn' ? 'notin' : 'in'} (${values.join(',')})`;
  }
}

function isMet({ key, operator, values }: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}
