import { type KindName, kindOf } from './kinds.ts';
import { replaceAt } from './parse/pathPattern.ts';

/** What stands in the place of a secret value. */
export const redactedText = '***';

/** kubectl keeps a copy of the whole document here, values and all. */
const copyOfAll = ['metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration'];

/**
 * A document as it may be shown: every value of a Secret, and every other value that its kind calls secret, is `***`.
 * Takes any value, also one that is not valid; keys stay, and so do the documents of kinds without secrets.
 */
export function redactDocument<T>(kind: KindName, document: T): T {
  const secretFields = kindOf(kind).secretFields ?? [];
  if (secretFields.length === 0) return document;
  const redacted = [...secretFields, copyOfAll].reduce<unknown>(
    (value, pattern) => replaceAt(value, pattern, redactedLeaves),
    document,
  );
  // Only texts and numbers within have changed; the shape is the one that was given.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return redacted as T;
}

function redactedLeaves(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactedLeaves);
  if (typeof value !== 'object' || value === null) return redactedText;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactedLeaves(inner)]));
}
