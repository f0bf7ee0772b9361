/**
 * Fingerprint of a run, 64 bits, over integers and texts in order. Not for secrecy: it tells whether two runs did the
 * same. Two lanes of FNV-1a over whole words, with a murmur3 finaliser at the end.
 */
export class Digest {
  #first = 0x811c9dc5 | 0;
  #second = 0x01000193 | 0;

  /** Takes a whole number below 2⁵³. */
  number(value: number): void {
    const low = value | 0;
    const high = Math.floor(value / 4294967296) | 0;
    this.#word(low);
    if (high !== 0) this.#word(high);
  }

  text(value: string): void {
    for (let index = 0; index < value.length; index++) this.#word(value.charCodeAt(index));
    this.#word(value.length);
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return hex(finish(this.#first ^ this.#second)) + hex(finish(Math.imul(this.#second, 31) + this.#first));
  }

  #word(word: number): void {
    this.#first = Math.imul(this.#first ^ word, 0x01000193);
    const turned = (this.#second << 13) | (this.#second >>> 19);
    this.#second = Math.imul(turned ^ word, 0x85ebca6b) + 0x165667b1;
  }
}

function finish(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}
