import type { JsonSchema } from '../reference/jsonSchema.ts';
import type { StructuralSchema } from './structuralSchema.ts';
import { mergedObjects } from './union.ts';

/**
 * JSON Schema as a structural schema: everything has a type, unions of objects are one object with rules about which field
 * goes with which type, and unions of other sorts say what they are not. Defaults are told in words only, since they are
 * the reader's to fill in: a stored object keeps what was written. Throws on what has no structural form.
 */
export function structural(schema: JsonSchema): StructuralSchema {
  const described = descriptionOf(schema);
  const options = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  if (options.length > 0) return { ...described, ...unionOf(options) };
  const types: unknown = schema.type;
  if (Array.isArray(types))
    return { ...described, ...unionOf(types.map((type) => ({ ...schema, type: String(type) }))) };
  if (schema.const !== undefined) return { ...described, type: typeOf(schema.const), enum: [schema.const] };
  switch (schema.type) {
    case 'object':
      return { ...described, ...objectOf(schema) };
    case 'array':
      if (!schema.items) throw new Error(`a list without a type of its elements: ${JSON.stringify(schema)}`);
      return {
        ...described,
        type: 'array',
        ...defined({ minItems: schema.minItems, maxItems: schema.maxItems }),
        items: structural(schema.items),
      };
    case 'string':
      return { ...described, type: 'string', ...defined({ enum: schema.enum }), ...textBounds(schema) };
    case 'integer':
    case 'number':
      return { ...described, type: schema.type, ...defined({ enum: schema.enum }), ...numberBounds(schema) };
    case 'boolean':
      return { ...described, type: 'boolean' };
    default:
      throw new Error(`no structural form of ${JSON.stringify(schema)}`);
  }
}

function objectOf(schema: JsonSchema): StructuralSchema {
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => [name, structural(field)] as const);
  if (typeof schema.additionalProperties === 'object') {
    if (fields.length > 0) throw new Error('an object has fields of its own and of any name');
    // A map's keys cannot be described; who reads the document checks them.
    return { type: 'object', additionalProperties: structural(schema.additionalProperties) };
  }
  return {
    type: 'object',
    ...(fields.length > 0 ? { properties: Object.fromEntries(fields) } : {}),
    ...(schema.required && schema.required.length > 0 ? { required: schema.required } : {}),
  };
}

/** Sorts of value that one place of a document can take. */
type Sort = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

function unionOf(options: readonly JsonSchema[]): StructuralSchema {
  const values = options.filter(({ type }) => type !== 'null');
  const nullable = values.length < options.length ? { nullable: true } : {};
  const [only, ...more] = values;
  if (only && more.length === 0) return { ...structural(only), ...nullable };
  if (values.every(({ properties }) => properties)) return { ...mergedObjects(values, structural), ...nullable };
  const sorts = new Set(values.map(sortOf));
  const texts = values.filter((option) => sortOf(option) === 'string');
  const numbers = values.filter((option) => sortOf(option) === 'number');
  const bounds = {
    ...(texts.length === 1 && texts[0] ? textOf(texts[0]) : {}),
    ...(numbers.length === 1 && numbers[0] ? numberBounds(numbers[0]) : {}),
  };
  const isWhole = numbers.every(({ type }) => type === 'integer');
  if (isWhole && sorts.size === 2 && sorts.has('string') && sorts.has('number')) {
    return {
      ...nullable,
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      ...bounds,
      'x-kubernetes-int-or-string': true,
    };
  }
  return { ...nullable, ...bounds, ...refusalOf(sorts), 'x-kubernetes-preserve-unknown-fields': true };
}

/**
 * Structural schemas know one union only, of whole numbers and texts. Anything else has no type, and says instead what it is
 * not: each bound below holds for one sort of value alone, and none of that sort keeps it.
 */
function refusalOf(sorts: ReadonlySet<Sort>): StructuralSchema {
  return {
    ...(sorts.has('object') ? {} : { minProperties: 1, maxProperties: 0 }),
    ...(sorts.has('array') ? {} : { minItems: 1, maxItems: 0 }),
    ...(sorts.has('string') ? {} : { minLength: 1, maxLength: 0 }),
    ...(sorts.has('number') ? {} : { minimum: 1, maximum: 0 }),
    ...(sorts.has('boolean') ? {} : { not: { enum: [true, false] } }),
  };
}

function sortOf(schema: JsonSchema): Sort {
  const type = schema.const === undefined ? schema.type : typeof schema.const;
  switch (type) {
    case 'integer':
    case 'number':
      return 'number';
    case 'object':
    case 'array':
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    default:
      throw new Error(`no sort of value: ${JSON.stringify(schema)}`);
  }
}

/** What a text must be like, where the type cannot stand beside it. */
function textOf(schema: JsonSchema): StructuralSchema {
  const words = schema.const === undefined ? schema.enum : [schema.const];
  return words ? { pattern: `^(${words.map(String).join('|')})$` } : textBounds(schema);
}

function textBounds({ pattern, minLength, maxLength }: JsonSchema): StructuralSchema {
  return defined({ pattern, minLength, maxLength });
}

/** Draft 7 has exclusive bounds as numbers, OpenAPI 3.0 as a word beside the bound. */
function numberBounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): StructuralSchema {
  return defined({
    minimum: exclusiveMinimum ?? minimum,
    maximum: exclusiveMaximum ?? maximum,
    exclusiveMinimum: exclusiveMinimum === undefined ? undefined : true,
    exclusiveMaximum: exclusiveMaximum === undefined ? undefined : true,
  });
}

function descriptionOf({ description, default: value }: JsonSchema): StructuralSchema {
  const isTold = value !== undefined && value !== '' && !isEmpty(value);
  const text = isTold ? `Default: ${typeof value === 'string' ? value : JSON.stringify(value)}.` : undefined;
  const parts = [description, text].filter((part) => part !== undefined);
  return parts.length === 0 ? {} : { description: parts.join(' ') };
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function typeOf(value: unknown): 'string' | 'integer' | 'number' | 'boolean' {
  if (typeof value === 'string' || typeof value === 'boolean') return typeof value as 'string' | 'boolean';
  return Number.isInteger(value) ? 'integer' : 'number';
}

/** Without the fields that have no value. */
function defined<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: NonNullable<Fields[Name]>;
  };
}
