/**
 * Whether a text may hold a Secret, as far as can be told without reading it as YAML. Problems of its syntax must not
 * quote it then: what is broken may be the value.
 */
export function mayHoldSecret(text: string): boolean {
  return /\bkind["']?\s*:\s*["']?Secret\b/.test(text) || /["']?\bstringData["']?\s*:/.test(text);
}
