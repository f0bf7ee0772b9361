import { bitFunctions } from './bits.ts';
import type { Builtin } from './builtin.ts';
import { listFunctions } from './lists.ts';
import { numberFunctions } from './numbers.ts';
import { textFunctions } from './texts.ts';

/** Every function that takes values. Those that go through a list with a predicate are in `loops`. */
export const builtins: ReadonlyMap<string, Builtin> = new Map(
  [...numberFunctions, ...listFunctions, ...textFunctions, ...bitFunctions].map((builtin) => [builtin.name, builtin]),
);

/** expr's functions that are left out, and why. */
export const unsupportedFunctions: ReadonlyMap<string, string> = new Map([
  ['now', 'a formula has no clock; use a cron trigger'],
  ['date', 'a formula has no clock; use a cron trigger'],
  ['duration', 'there are no dates to add it to; write seconds as a number'],
  ['timezone', 'a formula has no clock; use a cron trigger'],
  ['toJSON', 'a formula gives a number'],
  ['fromJSON', 'a formula reads numbers'],
  ['toBase64', 'a formula gives a number'],
  ['fromBase64', 'a formula reads numbers'],
  ['toPairs', 'use keys and values'],
  ['fromPairs', 'write the map as {name: value}'],
]);
