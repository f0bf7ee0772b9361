/** What becomes of one object of the cluster. */
export interface Fate {
  /** `HorizontalPodAutoscaler shop/web`. */
  object: string;
  /** `taken`: as it is. `translated`: another document says the same. `left aside`: it is not needed, or cannot be said. */
  result: 'taken' | 'translated' | 'left aside';
  /** Files that were made of it. */
  files: string[];
  /** Why it is left aside, and what is not as it was. */
  notes: string[];
}

/** A document to be written. */
export interface Draft {
  /** Folder and name below the output folder. */
  path: string;
  /** Lines above it. */
  comment: string[];
  document: object;
}

export interface Translated {
  fate: Omit<Fate, 'object' | 'files'>;
  drafts: Draft[];
}

export function leftAside(...notes: string[]): Translated {
  return { fate: { result: 'left aside', notes }, drafts: [] };
}
