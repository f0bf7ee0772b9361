import type { WorkloadClass, WorkloadSpec } from './resolved.ts';

/**
 * The revision of a class's replicas: 16 hexadecimal digits that change exactly when something changes that a
 * running replica would notice (command, environment, folder, port, resources, probes), not with scaling, price or
 * routes. FNV-1a of 64 bits over JSON with sorted keys; it tells revisions apart, it does not protect anything.
 */
export function templateHash(item: WorkloadClass, probes: WorkloadSpec['probes']): string {
  const { command, env, envFromHost, workingDirectory, port, resources } = item;
  const text = stableJson({ command, env, envFromHost, workingDirectory, port, resources, probes });
  return hashOf(text);
}

/** 16 hexadecimal digits that change exactly when the value does; the order of its keys does not count. */
export function revisionOf(value: unknown): string {
  return hashOf(stableJson(value));
}

function hashOf(text: string): string {
  return fnv1a64(text).toString(16).padStart(16, '0');
}

/** JSON with the keys of every object in order, so that the order in a document does not count. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}

/** http://www.isthe.com/chongo/tech/comp/fnv/: over UTF-16 code units, low byte first. */
function fnv1a64(text: string): bigint {
  const prime = 0x100000001b3n;
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    hash = BigInt.asUintN(64, (hash ^ BigInt(unit & 0xff)) * prime);
    hash = BigInt.asUintN(64, (hash ^ BigInt(unit >> 8)) * prime);
  }
  return hash;
}
