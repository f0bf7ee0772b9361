/** FNV-1a, 32 bits, over UTF-16 units. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/**
 * Numbers from 0 up to 1 for one bucket of one workload. Each bucket has its own, so that an arrival stays where it is
 * whatever else of the trace is taken. Integers only: the same on every machine (mulberry32, seeds mixed by murmur3's end).
 */
export function bucketRandom(seed: number, bucket: number, workload: number): () => number {
  let state = mix(mix(mix(seed >>> 0) ^ (bucket >>> 0)) ^ workload);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function mix(value: number): number {
  let hash = value ^ 0x9e3779b9;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
