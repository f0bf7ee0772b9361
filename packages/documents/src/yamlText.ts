import { parseAllDocuments, stringify } from 'yaml';

/** Plain values as YAML, one document each, as `kubectl apply -f` reads them. Long texts stay on one line. */
export function yamlText(values: readonly unknown[]): string {
  return values
    .map((value) => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, version: '1.1' }))
    .join('---\n');
}

/**
 * The documents of a YAML or JSON text as plain values, unchecked; empty ones are left out. For files that are not Ebb's
 * own (a kubeconfig, a manifest). Throws the parser's error on a text that is no YAML.
 */
export function yamlValues(text: string): unknown[] {
  const documents = parseAllDocuments(text);
  if ('empty' in documents) return [];
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error) throw error;
    const value: unknown = document.toJS();
    return value === null ? [] : [value];
  });
}
