import type { Random } from '@ebb/core';
import { ln } from './mathematics.ts';

const golden = 0x9e3779b9;

/**
 * Random numbers by counter: the n-th draw is a function of the seed, the purpose and n alone. So one more consumer, or
 * one more draw of another, moves nothing; and draw n of two runs is the same whatever happened before it, which makes
 * policies comparable request by request. Two rounds of murmur3's finaliser over (key, counter), 53 bits a draw.
 */
export class Draws implements Random {
  readonly #low: number;
  readonly #high: number;
  #counter = 0;

  constructor(seed: number, purpose = '') {
    let low = mix(seed >>> 0, golden);
    let high = mix(Math.floor(seed / 4294967296) >>> 0, low);
    for (let index = 0; index < purpose.length; index++) {
      low = mix(low ^ purpose.charCodeAt(index), golden + index);
      high = mix(high ^ low, index + 1);
    }
    this.#low = low;
    this.#high = high;
  }

  /** A generator of its own, by a purpose and a number. */
  fork(purpose: string, number = 0): Draws {
    return new Draws(this.#high * 2097152 + (this.#low & 0x1fffff), `${purpose}/${number}`);
  }

  /** The draw of a given number, [0, 1). */
  at(number: number): number {
    const upper = Math.floor(number / 4294967296);
    const first = mix(this.#low ^ number, this.#high ^ upper);
    const second = mix(this.#high ^ first, this.#low ^ (number + golden));
    return ((first >>> 5) * 67108864 + (second >>> 6)) / 9007199254740992;
  }

  /** [0, 1) */
  next(): number {
    return this.at(this.#counter++);
  }

  /** Exponentially distributed with the mean. */
  exponential(mean: number): number {
    return -mean * ln(1 - this.next());
  }
}

function mix(value: number, salt: number): number {
  let hash = (value + Math.imul(salt, golden)) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash = (hash ^ (hash >>> 16)) + salt;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return (hash ^ (hash >>> 15)) >>> 0;
}
