const serverMetadata = ['cluster', 'resourceVersion', 'generation', 'creationTimestamp'];

/**
 * An object as Ebb gave it out, without what Ebb itself writes, so that `ebb get -o yaml` can be applied again. A
 * document that was never given out (it has no `resourceVersion`) is left as it is: there such a field is a mistake.
 */
export function withoutServerFields(written: Record<string, unknown>): Record<string, unknown> {
  const { metadata, status: _status, ...rest } = written;
  if (typeof metadata !== 'object' || metadata === null || !('resourceVersion' in metadata)) return written;
  const own = Object.entries(metadata).filter(([name]) => !serverMetadata.includes(name));
  return { ...rest, metadata: Object.fromEntries(own) };
}
