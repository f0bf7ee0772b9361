import type { Endpoint } from './classPool.ts';
import { mix32 } from './prng.ts';

/** 32-bit hash of a text (FNV-1a over its UTF-16 units, scrambled). */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix32(hash);
}

/**
 * The endpoint that a session belongs to among those with a free slot: rendezvous hashing (Thaler and Ravishankar,
 * 1998). When an endpoint comes or goes, only the sessions that belong to it move. Linear in the endpoints of the
 * class, a few nanoseconds each, and only for requests of sessions.
 */
export function endpointOfSession(
  sessionHash: number,
  endpoints: Iterable<Endpoint>,
  excluded: readonly Endpoint[],
): Endpoint | null {
  let best: Endpoint | null = null;
  let bestScore = -1;
  for (const endpoint of endpoints) {
    if (!endpoint.isAvailable || excluded.includes(endpoint)) continue;
    const score = mix32(sessionHash ^ endpoint.hash);
    if (score > bestScore || (score === bestScore && best !== null && endpoint.replica < best.replica)) {
      best = endpoint;
      bestScore = score;
    }
  }
  return best;
}
