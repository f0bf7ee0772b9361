import type { ImportedDocument } from '@ebb/documents';
import { stringify } from 'yaml';

/** A document as YAML, its notes as comments above. */
export function documentText({ document, notes }: ImportedDocument): string {
  const comment = notes.map((note) => `# ${note}\n`).join('');
  return `${comment}${stringify(document, { lineWidth: 110 })}`;
}

/** `nodepool-gpu.yaml`. */
export function fileNameOf({ kind, document }: ImportedDocument): string {
  return `${kind.toLowerCase()}-${document.metadata.name}.yaml`;
}
