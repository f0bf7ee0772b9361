/** A pool's key as launches and machines have it. */
export function keyText({ cluster, namespace, name }: { cluster: string; namespace: string; name: string }): string {
  return `${cluster}/${namespace}/${name}`;
}
