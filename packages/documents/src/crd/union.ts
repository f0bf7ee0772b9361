import type { JsonSchema } from '../reference/jsonSchema.ts';
import type { CelRule, StructuralSchema } from './structuralSchema.ts';

/** How one schema becomes structural. */
type Convert = (schema: JsonSchema) => StructuralSchema;

/**
 * Objects that a field `type` tells apart, as one object with the fields of all of them. Which field goes with which type, and
 * which a type cannot do without, is said by rules, whose messages name both. A field that types have differently is read
 * as any of its forms.
 */
export function mergedObjects(options: readonly JsonSchema[], convert: Convert): StructuralSchema {
  const named = options.map((option) => ({ name: typeName(option), option }));
  const owners = new Map<string, { types: string[]; forms: JsonSchema[] }>();
  for (const { name, option } of named) {
    for (const [field, schema] of Object.entries(option.properties ?? {})) {
      const owner = owners.get(field) ?? { types: [], forms: [] };
      owner.types.push(name);
      owner.forms.push(schema);
      owners.set(field, owner);
    }
  }
  const properties: Record<string, StructuralSchema> = {};
  for (const [field, { forms }] of owners) properties[field] = oneForm(forms, convert);
  const all = named.map(({ name }) => name);
  const required = [...owners.keys()].filter((field) =>
    named.every(({ option }) => option.required?.includes(field) === true),
  );
  const rules = [...belonging(owners, all, properties), ...needed(named, required)];
  return {
    type: 'object',
    properties,
    required,
    ...(rules.length > 0 ? { 'x-kubernetes-validations': rules } : {}),
  };
}

function typeName(option: JsonSchema): string {
  const name = option.properties?.type?.const;
  if (typeof name !== 'string') throw new Error(`an object of a union has no type: ${JSON.stringify(option)}`);
  return name;
}

function oneForm(forms: readonly JsonSchema[], convert: Convert): StructuralSchema {
  const distinct = [...new Map(forms.map((form) => [JSON.stringify(withoutWords(form)), form])).values()];
  const [first, ...others] = distinct;
  if (!first) throw new Error('a field without a form');
  if (others.length === 0) return convert(first);
  const descriptions = [...new Set(forms.map(({ description }) => description).filter((text) => text !== undefined))];
  const described = descriptions.length === 0 ? {} : { description: descriptions.join(' Or: ') };
  const words = distinct.flatMap(({ const: word, enum: some }) => (word === undefined ? (some ?? []) : [word]));
  if (words.length >= distinct.length && distinct.every(({ type }) => type === 'string')) {
    return { ...described, type: 'string', enum: [...new Set(words)] };
  }
  if (distinct.every(({ type }) => type === 'number')) {
    return { ...convert(widest(distinct)), ...described };
  }
  const numbers = distinct.filter(({ type }) => type === 'number');
  const texts = distinct.filter(({ type }) => type === 'string');
  if (numbers.length + texts.length < distinct.length) throw new Error(`no one form of ${JSON.stringify(distinct)}`);
  return { ...convert({ anyOf: [...texts, widest(numbers)] }), ...described };
}

/** A number's bounds that let everything through that one of the forms does. */
function widest(forms: readonly JsonSchema[]): JsonSchema {
  const least = forms.map((form) => form.minimum ?? form.exclusiveMinimum ?? Number.NEGATIVE_INFINITY);
  const most = forms.map((form) => form.maximum ?? form.exclusiveMaximum ?? Number.POSITIVE_INFINITY);
  const minimum = Math.min(...least);
  const maximum = Math.max(...most);
  return {
    type: 'number',
    ...(Number.isFinite(minimum) ? { minimum } : {}),
    ...(Number.isFinite(maximum) ? { maximum } : {}),
  };
}

/** Fields that not every type has, said once for all fields of the same types. */
function belonging(
  owners: ReadonlyMap<string, { types: string[] }>,
  all: readonly string[],
  properties: Readonly<Record<string, StructuralSchema>>,
): CelRule[] {
  const groups = new Map<string, { types: string[]; fields: string[] }>();
  for (const [field, { types }] of owners) {
    // A rule cannot see a field without a type.
    if (types.length === all.length || properties[field]?.['x-kubernetes-preserve-unknown-fields']) continue;
    const group = groups.get(types.join()) ?? { types, fields: [] };
    group.fields.push(field);
    groups.set(types.join(), group);
  }
  return [...groups.values()].map(({ types, fields }) => ({
    rule: `${oneOf(types)} || !(${fields.map((field) => `has(self.${field})`).join(' || ')})`,
    message: `only the ${types.length === 1 ? 'type' : 'types'} ${types.join(', ')} ${types.length === 1 ? 'has' : 'have'} ${fields.join(', ')}`,
  }));
}

function needed(named: readonly { name: string; option: JsonSchema }[], always: readonly string[]): CelRule[] {
  return named.flatMap(({ name, option }) =>
    (option.required ?? [])
      .filter((field) => !always.includes(field))
      .map((field) => ({
        rule: `self.type != '${name}' || has(self.${field})`,
        message: `${field} is required with the type ${name}`,
      })),
  );
}

function oneOf(types: readonly string[]): string {
  return `self.type in [${types.map((type) => `'${type}'`).join(', ')}]`;
}

/** What a value must be, without what is said of it. */
function withoutWords(schema: JsonSchema): object {
  const words = ['description', 'examples', 'title', 'default'];
  return Object.fromEntries(Object.entries(schema).filter(([name]) => !words.includes(name)));
}
