import { Draws } from '../kernel/draws.ts';

const primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];

/**
 * Points that fill the unit cube evenly from the first on: Halton's sequence, moved by the seed (Cranley, Patterson 1976).
 * `number` counts from 0.
 */
export function haltonPoint(number: number, dimensions: number, seed: number): number[] {
  const draws = new Draws(seed, 'halton');
  return Array.from({ length: dimensions }, (_, index) => {
    const moved = radicalInverse(number + 1, primes[index % primes.length] ?? 2) + draws.at(index);
    return moved - Math.floor(moved);
  });
}

function radicalInverse(number: number, base: number): number {
  let share = 0;
  let digit = 1 / base;
  for (let rest = number; rest > 0; rest = Math.floor(rest / base)) {
    share += (rest % base) * digit;
    digit /= base;
  }
  return share;
}
