import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { kindNames, kindOf } from '../kinds.ts';
import { problemCodes } from '../problemCodes.ts';
import { generatedFiles } from './generatedFiles.ts';
import { type JsonSchema, jsonSchemaOf } from './jsonSchema.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

describe.each(kindNames)('%s', (name) => {
  const schema = jsonSchemaOf(name);

  test('every field is described', () => {
    expect(undescribed('', schema)).toEqual([]);
  });

  test('its JSON Schema takes the example and refuses an unknown field', () => {
    const check = z.fromJSONSchema(JSON.parse(JSON.stringify(schema)));
    const example: Record<string, unknown> = parse(kindOf(name).example);
    expect(check.safeParse(example).error).toBeUndefined();
    expect(check.safeParse({ ...example, extra: 1 }).success).toBe(false);
  });
});

test('a Workload with a wrong value does not pass the JSON Schema', () => {
  const check = z.fromJSONSchema(JSON.parse(JSON.stringify(jsonSchemaOf('Workload'))));
  const example = parse(kindOf('Workload').example);
  example.spec.scaling.keepAlive = 30;
  expect(check.safeParse(example).success).toBe(false);
});

test.each(generatedFiles())('$path is up to date (node packages/documents/scripts/generate.mjs)', ({ path, text }) => {
  expect(readFileSync(`${root}${path}`, 'utf8')).toBe(text);
});

test('every code of a problem is used, so that no page lists one that does not exist', () => {
  // What is wrong with triggers, their scalers tell.
  const folders = ['../', '../../../scalers/src/check/'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const sources = folders
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => folder + path))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.endsWith('problemCodes.ts'))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  expect(Object.keys(problemCodes).filter((code) => !sources.includes(`'${code}'`))).toEqual([]);
});

function undescribed(path: string, schema: JsonSchema): string[] {
  const options = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.items ? [schema.items] : [])];
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    ...(field.description ? [] : [`${path}.${name}`]),
    ...undescribed(`${path}.${name}`, field),
  ]);
  return [...fields, ...options.flatMap((option) => undescribed(path, option))];
}
