/** Scrambles 32 bits so that each input bit moves every output bit (the finaliser of MurmurHash3). */
export function mix32(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Seeded generator (splitmix32): the same seed gives the same numbers, so that a journal replays bit for bit. */
export class Prng {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number in [0, bound); `bound` is at least 1. */
  below(bound: number): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return Math.floor((mix32(this.#state) / 0x1_0000_0000) * bound);
  }
}
