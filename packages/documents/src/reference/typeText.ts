import type { JsonSchema } from './jsonSchema.ts';

const typeNames: Record<string, string> = {
  integer: 'whole number',
  array: 'list',
  object: 'map',
  boolean: 'true or false',
};

/** A field's type in words, such as `list of string` or `` `Max`, `Min` ``. */
export function typeText(schema: JsonSchema): string {
  const options = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const).replaceAll('"', '')}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.title && !schema.properties && options.length === 0 && schema.type !== 'array') return schema.title;
  if (options.length > 0) return [...new Set(options.map(typeText))].join(' or ');
  if (schema.type === 'array') return `list of ${schema.items ? typeText(schema.items) : 'anything'}`;
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object') {
    return `map of ${typeText(schema.additionalProperties)}`;
  }
  return (schema.type === undefined ? undefined : typeNames[schema.type]) ?? schema.type ?? 'anything';
}

/** `0 to 100000.`, `at least 1.`; empty where no bound tells anything. */
export function boundsText(schema: JsonSchema): string {
  const { minimum, exclusiveMinimum, maximum } = schema;
  const most = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const least = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum;
  if (least !== undefined && most !== undefined) return `From ${least} to ${most}.`;
  if (exclusiveMinimum !== undefined)
    return `More than ${exclusiveMinimum}${most === undefined ? '' : `, at most ${most}`}.`;
  if (least !== undefined) return `At least ${least}.`;
  return most === undefined ? '' : `At most ${most}.`;
}
