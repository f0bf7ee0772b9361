/**
 * Whether a text may hold a Secret or a cluster's token, as far as can be told without reading it as YAML. Problems of
 * its syntax must not quote it then: what is broken may be the value.
 */
export function mayHoldSecret(text: string): boolean {
  return (
    /\bkind["']?\s*:\s*["']?Secret\b/.test(text) ||
    /["']?\b(stringData|compute_cluster|tokenSecretRef)["']?\s*:/.test(text)
  );
}
