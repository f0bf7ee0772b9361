import { z } from 'zod';
import { type AnyKind, type KindName, kindOf } from '../kinds.ts';

/** The part of JSON Schema that our schemas come out as. */
export interface JsonSchema {
  $schema?: string;
  $id?: string;
  title?: string;
  description?: string;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  examples?: unknown[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  additionalProperties?: boolean | JsonSchema;
  propertyNames?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
}

/** JSON Schema (draft 7, which editors know best) of a kind as it is written: for completion and checks while typing. */
export function jsonSchemaOf(name: KindName): JsonSchema {
  const kind: AnyKind = kindOf(name);
  const schema = z.toJSONSchema(kind.schema, {
    io: 'input',
    target: 'draft-7',
    reused: 'inline',
    unrepresentable: 'any',
    // Examples of fields that are turned into other units are left out by default; ours are as written, so they hold.
    override: ({ zodSchema, jsonSchema }) => {
      const examples = z.globalRegistry.get(zodSchema)?.examples;
      if (Array.isArray(examples)) jsonSchema.examples ??= examples;
    },
  });
  // As plain data, without the hidden properties of the library's result.
  const { $schema, ...rest }: JsonSchema = JSON.parse(JSON.stringify(schema));
  return {
    ...($schema === undefined ? {} : { $schema }),
    title: `${kind.kind} (${kind.apiVersion})`,
    description: kind.summary,
    ...rest,
  };
}

/** A schema as a file's text: lists of plain values in one line where they fit, everything else one a line. */
export function jsonText(value: unknown, indent = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const line = `[${value.map((item) => jsonText(item, inner)).join(', ')}]`;
    if (!line.includes('\n') && indent.length + line.length < 100) return line;
    return `[\n${value.map((item) => inner + jsonText(item, inner)).join(',\n')}\n${indent}]`;
  }
  const fields = Object.entries(value).map(
    ([name, item]) => `${inner}${JSON.stringify(name)}: ${jsonText(item, inner)}`,
  );
  return fields.length === 0 ? '{}' : `{\n${fields.join(',\n')}\n${indent}}`;
}
