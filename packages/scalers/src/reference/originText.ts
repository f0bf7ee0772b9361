import type { Origin, Parameter } from '../contract/parameter.ts';

const words: Record<Origin, (name: string) => string> = {
  metadata: () => 'metadata',
  env: (name) => `${name}FromEnv`,
  auth: () => 'authentication',
};

/** Where a parameter may stand, in the order in which it counts: `metadata, hostFromEnv, authentication`. */
export function originText(name: string, { from }: Pick<Parameter, 'from'>): string {
  return from.map((origin) => words[origin](name)).join(', ');
}

/** What a setting is where it is left out: `required`, its default, or nothing. */
export function defaultText({ required, default: value }: Pick<Parameter, 'required' | 'default'>): string {
  if (required) return 'required';
  if (value === undefined || value === '') return '';
  if (typeof value === 'object') return value === null || Object.keys(value).length === 0 ? '' : JSON.stringify(value);
  return String(value);
}

/** The values that are allowed, unless the description of any text says nothing. */
export function allowedText({ kind, values, allowed }: Pick<Parameter, 'kind' | 'values' | 'allowed'>): string {
  if (values !== undefined && kind !== 'list') return values.join(', ');
  return allowed === 'text' ? '' : allowed;
}
