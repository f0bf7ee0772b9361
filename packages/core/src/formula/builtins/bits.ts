import { int } from '../natures.ts';
import { Fault } from '../problem.ts';
import { int64, typeName, type Value, withArticle } from '../values.ts';
import { type Builtin, overloads } from './builtin.ts';

function intArgument(name: string, value: Value | undefined): bigint {
  if (typeof value === 'bigint') return value;
  throw new Fault(`${name} takes ints, not ${withArticle(typeName(value ?? null))}`);
}

function bits(
  name: string,
  summary: string,
  example: Builtin['example'],
  compute: (x: bigint, y: bigint) => bigint,
): Builtin {
  return {
    name,
    summary,
    example,
    check: overloads(name, [[int, int]], int),
    run: ([x, y]) => int64(compute(intArgument(name, x), intArgument(name, y))),
  };
}

/** A shift by 64 or more moves every bit out. */
function places(y: bigint): bigint {
  if (y < 0n) throw new Fault('a shift takes a number of places that is not negative');
  return y > 64n ? 64n : y;
}

export const bitFunctions: Builtin[] = [
  bits('bitand', 'the bits that both ints have', ['bitand(6, 3)', 2], (x, y) => x & y),
  bits('bitor', 'the bits that one of the ints has', ['bitor(6, 3)', 7], (x, y) => x | y),
  bits('bitxor', 'the bits that one of the ints has and the other has not', ['bitxor(6, 3)', 5], (x, y) => x ^ y),
  bits('bitnand', 'the bits that the first int has and the second has not', ['bitnand(6, 3)', 4], (x, y) => x & ~y),
  bits('bitshl', 'the int moved to the left by this many places', ['bitshl(3, 2)', 12], (x, y) => x << places(y)),
  bits('bitshr', 'the int moved to the right, its sign kept', ['bitshr(-8, 1)', -4], (x, y) => x >> places(y)),
  bits(
    'bitushr',
    'the int moved to the right, zeros coming in',
    ['bitushr(8, 1)', 4],
    (x, y) => BigInt.asUintN(64, x) >> places(y),
  ),
  {
    name: 'bitnot',
    summary: 'the int with every bit turned over',
    example: ['bitnot(5)', -6],
    check: overloads('bitnot', [[int]], int),
    run: ([x]) => ~intArgument('bitnot', x),
  },
];
