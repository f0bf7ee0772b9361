import type { ClusterInput } from '../cluster/cluster.ts';
import type { NodePoolInput } from '../nodePool/nodePool.ts';
import type { Problem } from '../problem.ts';

/** A text to import from, with the name that messages give it. */
export interface ImportSource {
  name: string;
  text: string;
}

/** `approximated`: it counts, and not in every respect; the reason says in which. */
export type FieldResult = 'honoured' | 'approximated' | 'ignored';

/** What becomes of one field or flag. */
export interface ImportedField {
  file: string;
  line: number;
  column: number;
  /** Such as `nodepool/gpu`. */
  object: string;
  /** Its path, or its flag with dashes. */
  field: string;
  /** As written, shortened; `***` where it may be secret. */
  value: string;
  result: FieldResult;
  /** Field of the document that has it now, with its kind where that is not plain; null: none. */
  becomes: string | null;
  /** Why it is not, or not wholly, honoured; null where it is. */
  reason: string | null;
}

/** A document that is made, with what a person has to look at. */
export type ImportedDocument = { notes: string[] } & (
  | { kind: 'Cluster'; document: ClusterInput }
  | { kind: 'NodePool'; document: NodePoolInput }
);

/** All that is made of the files of another system, and what becomes of each of their fields. */
export interface Imported {
  documents: ImportedDocument[];
  fields: ImportedField[];
  problems: Problem[];
}
