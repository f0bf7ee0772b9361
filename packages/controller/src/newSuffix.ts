import { randomInt } from 'node:crypto';

/** Without vowels, so that no suffix is a word, and without what looks alike. */
const suffixLetters = 'bcdfghjkmnpqrstvwxz23456789';
const suffixLength = 5;

/** Short random text for replica ids, such as `x7k2p`. */
export function newSuffix(): string {
  return Array.from({ length: suffixLength }, () => suffixLetters[randomInt(suffixLetters.length)]).join('');
}
