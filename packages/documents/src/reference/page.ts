import { type KindName, kindOf } from '../kinds.ts';
import { type JsonSchema, jsonSchemaOf } from './jsonSchema.ts';
import { markdownTable } from './table.ts';
import { boundsText, typeText } from './typeText.ts';

/** Parts with the same fields are told once. */
interface Section {
  paths: string[];
  fields: string;
  schema: JsonSchema;
}

/** The reference page of a kind, in Markdown: an example, then a table for each part of the document. */
export function renderReferencePage(name: KindName): string {
  const kind = kindOf(name);
  const sections: Section[] = [];
  collectSections('', jsonSchemaOf(name), sections);
  return [
    '<!-- Generated from the schemas of packages/documents; do not edit. -->',
    `# ${name}`,
    kind.summary,
    `\`\`\`yaml\n${kind.example.trimEnd()}\n\`\`\``,
    'Durations are written `250ms`, `30s`, `5m`, `1h30m`; quantities as in Kubernetes: `500m`, `2`, `512Mi`, `1Gi`. ' +
      'A field that is not listed here is an error. ' +
      `For completion in an editor: \`# yaml-language-server: $schema=PATH/schemas/${schemaFileName(name)}\`.`,
    ...sections.map(renderSection),
    ...renderAnnotations(kind.annotations ?? {}),
  ]
    .join('\n\n')
    .concat('\n');
}

/** `workload.json`, `httpScaledObject.json`: the file that a kind's JSON Schema is written to. */
export function schemaFileName(name: KindName): string {
  return `${name.replace(/^[A-Z]+(?=[A-Z][a-z])|^[A-Z]/, (head) => head.toLowerCase())}.json`;
}

/** Objects with fields of their own, depth first, in document order. */
function collectSections(path: string, schema: JsonSchema, sections: Section[]): void {
  if (schema.properties && Object.keys(schema.properties).length > 0) {
    const fields = JSON.stringify([schema.properties, schema.required]);
    const same = sections.find((section) => section.fields === fields);
    if (same) {
      same.paths.push(path);
      return;
    }
    sections.push({ paths: [path], fields, schema });
    for (const [name, field] of Object.entries(schema.properties)) {
      collectSections(path === '' ? name : `${path}.${name}`, field, sections);
    }
  }
  if (schema.items) collectSections(`${path}[]`, schema.items, sections);
  for (const option of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) {
    collectSections(option.title ? `${path} (${option.title})` : path, option, sections);
  }
}

function renderSection({ paths, schema }: Section): string {
  const required = new Set(schema.required);
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) => [
    `\`${name}\``,
    typeText(field),
    defaultText(field, required.has(name)),
    descriptionText(field),
  ]);
  const [path = ''] = paths;
  const title = path === '' ? 'The document' : paths.map((each) => `\`${each}\``).join(', ');
  const intro = path !== '' && paths.length === 1 && schema.description ? [schema.description] : [];
  return [`## ${title}`, ...intro, markdownTable(['field', 'type', 'default', 'meaning'], rows)].join('\n\n');
}

function renderAnnotations(annotations: Readonly<Record<string, string>>): string[] {
  const rows = Object.entries(annotations).map(([name, meaning]) => [`\`${name}\``, meaning]);
  return rows.length === 0 ? [] : [`## Annotations\n\n${markdownTable(['annotation', 'meaning'], rows)}`];
}

function defaultText(field: JsonSchema, isRequired: boolean): string {
  if (field.const !== undefined || isRequired) return '**required**';
  if (field.default === undefined) return '–';
  if (field.default === '') return 'empty';
  return `\`${typeof field.default === 'string' ? field.default : JSON.stringify(field.default)}\``;
}

function descriptionText(field: JsonSchema): string {
  const parts = [field.description ?? '', boundsText(field)];
  if (field.examples?.length) {
    const shown = field.examples.map((example) => `\`${JSON.stringify(example)}\``).join(', ');
    parts.push(`For example ${shown}.`);
  }
  return parts.filter(Boolean).join(' ');
}
