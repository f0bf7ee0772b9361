import type { FleetPod } from './types.ts';

const primes = [0x01000193, 0x0100019d] as const;
const offsets = [0x811c9dc5, 0x2f0b4a77] as const;

/** Tells whether what was looked at is the same as last time: two 32-bit hashes (FNV-1a) of all that was added, in order. */
export class Key {
  #first: number = offsets[0];
  #second: number = offsets[1];

  add(...values: readonly (string | number | boolean | null)[]): this {
    for (const value of values) {
      const text = String(value);
      for (let i = 0; i < text.length; i++) this.#mix(text.charCodeAt(i));
      // Parts that run together otherwise: "ab", "c" and "a", "bc".
      this.#mix(0x1f);
    }
    return this;
  }

  #mix(code: number): void {
    this.#first = Math.imul(this.#first ^ code, primes[0]) >>> 0;
    this.#second = Math.imul(this.#second ^ code, primes[1]) >>> 0;
  }

  get parts(): readonly [number, number] {
    return [this.#first, this.#second];
  }

  get text(): string {
    return `${this.#first.toString(36)}.${this.#second.toString(36)}`;
  }
}

/** Of a set of pods, in whichever order. */
export function podsKeyOf(pods: readonly FleetPod[]): string {
  let [first, second] = [0, 0];
  for (const { pod } of pods) {
    const [a, b] = new Key().add(pod.id).parts;
    first = (first + a) >>> 0;
    second = (second + b) >>> 0;
  }
  return `${pods.length}.${first.toString(36)}.${second.toString(36)}`;
}
