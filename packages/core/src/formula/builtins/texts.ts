import { bounded, checkLength } from '../arithmetic.ts';
import { format } from '../format.ts';
import { any, anyList, bool, int, string, stringList } from '../natures.ts';
import { Fault } from '../problem.ts';
import { isList, nilList, toInt, typeName, type Value } from '../values.ts';
import { type Builtin, listArgument, overloads, stringArgument } from './builtin.ts';

const outerSpace = /^[\t\n\v\f\r \u0085\p{Z}]+|[\t\n\v\f\r \u0085\p{Z}]+$/gu;

/** Bytes of a string in UTF-8: Go counts positions in them. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

function trimSet(text: string, set: string): string {
  const characters = [...text];
  const members = new Set(set);
  let from = 0;
  let to = characters.length;
  while (from < to && members.has(characters[from] ?? '')) from += 1;
  while (to > from && members.has(characters[to - 1] ?? '')) to -= 1;
  return characters.slice(from, to).join('');
}

/** Character by character: where JavaScript would make two of one (ß), Go keeps it. */
function eachCase(text: string, change: (character: string) => string): string {
  if (/^\p{ASCII}*$/u.test(text)) return change(text);
  return Array.from(text, (character) => ([...change(character)].length === 1 ? change(character) : character)).join(
    '',
  );
}

/** At most `limit` parts, all of them when it is negative; none at all when it is zero. */
function split(text: string, separator: string, limit: bigint, keep: boolean): Value {
  if (limit === 0n) return nilList;
  const parts = separator === '' ? [...text] : text.split(separator);
  const most = limit < 0n || limit > BigInt(parts.length) ? parts.length : Number(limit);
  const whole = parts.slice(0, Math.max(0, most - 1)).map((part) => (keep ? part + separator : part));
  const rest = parts.slice(Math.max(0, most - 1));
  if (most === parts.length) return [...whole, ...rest];
  return [...whole, rest.join(separator)];
}

function replace(text: string, old: string, next: string, limit: bigint): string {
  // Nothing is found before each character and at the end, but not between the two.
  const parts = old === '' ? ['', ...text] : text.split(old);
  const gaps = old === '' ? parts.length : parts.length - 1;
  const times = limit < 0n || limit > BigInt(gaps) ? gaps : Number(limit);
  checkLength(text.length + times * (next.length - old.length));
  let changed = '';
  for (const [index, part] of parts.entries()) {
    if (old === '') changed += part + (index < times ? next : '');
    else changed += part + (index === parts.length - 1 ? '' : index < times ? next : old);
  }
  return changed;
}

const one = [string];
const two = [string, string];

export const textFunctions: Builtin[] = [
  {
    name: 'string',
    summary: 'the value as text',
    example: ['len(string(a))', 1],
    check: overloads('string', [[any]], string),
    run: ([value = null], frame) => bounded(format(value, frame)),
  },
  {
    name: 'type',
    summary: 'the name of the value’s type: "nil", "bool", "int", "float", "string", "array" or "map"',
    example: ['type(a) == "float" ? 1 : 0', 1],
    check: overloads('type', [[any]], string),
    run: ([value = null]) => (isList(value) ? 'array' : typeName(value)),
  },
  {
    name: 'trim',
    summary: 'the string without spaces, or without the given characters, at both ends',
    example: ['len(trim("  x "))', 1],
    check: overloads('trim', [one, two], string),
    run: ([text, set]) => {
      const value = stringArgument('trim', text);
      return set === undefined ? value.replace(outerSpace, '') : trimSet(value, stringArgument('trim', set));
    },
  },
  {
    name: 'trimPrefix',
    summary: 'the string without this beginning (a space when not given)',
    example: ['float(trimPrefix("x5", "x"))', 5],
    check: overloads('trimPrefix', [two, one], string),
    run: ([text, prefix = ' ']) => {
      const [value, part] = [stringArgument('trimPrefix', text), stringArgument('trimPrefix', prefix)];
      return value.startsWith(part) ? value.slice(part.length) : value;
    },
  },
  {
    name: 'trimSuffix',
    summary: 'the string without this end (a space when not given)',
    example: ['float(trimSuffix("5ms", "ms"))', 5],
    check: overloads('trimSuffix', [two, one], string),
    run: ([text, suffix = ' ']) => {
      const [value, part] = [stringArgument('trimSuffix', text), stringArgument('trimSuffix', suffix)];
      return value.endsWith(part) ? value.slice(0, value.length - part.length) : value;
    },
  },
  {
    name: 'upper',
    summary: 'the string in capitals',
    example: ['upper("ab") == "AB" ? 1 : 0', 1],
    check: overloads('upper', [one], string),
    run: ([text]) => eachCase(stringArgument('upper', text), (part) => part.toUpperCase()),
  },
  {
    name: 'lower',
    summary: 'the string in small letters',
    example: ['lower("AB") == "ab" ? 1 : 0', 1],
    check: overloads('lower', [one], string),
    run: ([text]) => eachCase(stringArgument('lower', text), (part) => part.toLowerCase()),
  },
  {
    name: 'split',
    summary: 'the parts between separators, at most as many as given',
    example: ['len(split("a,b,c", ","))', 3],
    check: overloads('split', [two, [...two, int]], stringList),
    run: ([text, separator, limit = -1n]) =>
      split(stringArgument('split', text), stringArgument('split', separator), toInt(limit), false),
  },
  {
    name: 'splitAfter',
    summary: 'as split, with each part’s separator kept',
    example: ['len(splitAfter("a,b", ",")[0])', 2],
    check: overloads('splitAfter', [two, [...two, int]], stringList),
    run: ([text, separator, limit = -1n]) =>
      split(stringArgument('splitAfter', text), stringArgument('splitAfter', separator), toInt(limit), true),
  },
  {
    name: 'replace',
    summary: 'the string with one part replaced by another, everywhere or the first few times',
    example: ['float(replace("1x2", "x", "."))', 1.2],
    check: overloads(
      'replace',
      [
        [...two, string, int],
        [...two, string],
      ],
      string,
    ),
    run: ([text, old, next, limit = -1n]) =>
      replace(
        stringArgument('replace', text),
        stringArgument('replace', old),
        stringArgument('replace', next),
        toInt(limit),
      ),
  },
  {
    name: 'repeat',
    summary: 'the string several times over',
    example: ['float(repeat("1", 3))', 111],
    check: overloads('repeat', [[string, int]], string),
    run: ([text, times = 0n], frame) => {
      const [value, number] = [stringArgument('repeat', text), toInt(times)];
      if (number < 0n) throw new Fault('repeat takes a number that is not negative');
      if (number > 1_000_000n) throw new Fault('repeat takes at most 1000000 times');
      frame.grow(utf8Length(value) * Number(number));
      return value.repeat(Number(number));
    },
  },
  {
    name: 'join',
    summary: 'the strings of a list as one, with the given glue between them',
    example: ['float(join(["1", "2"], "."))', 1.2],
    check: overloads('join', [[stringList, string], [anyList, string], [anyList], [stringList]], string),
    run: ([list, glue = '']) => {
      const parts = listArgument('join', list).map((part) => stringArgument('join', part));
      const between = stringArgument('join', glue);
      const length = parts.reduce((sum, part) => sum + part.length, between.length * Math.max(0, parts.length - 1));
      checkLength(length);
      return parts.join(between);
    },
  },
  {
    name: 'indexOf',
    summary: 'where a part first stands in a string, in bytes from 0; -1 when nowhere',
    example: ['indexOf("abcb", "b")', 1],
    check: overloads('indexOf', [two], int),
    run: ([text, part]) =>
      position(stringArgument('indexOf', text), (value) => value.indexOf(stringArgument('indexOf', part))),
  },
  {
    name: 'lastIndexOf',
    summary: 'where a part last stands in a string, in bytes from 0; -1 when nowhere',
    example: ['lastIndexOf("abcb", "b")', 3],
    check: overloads('lastIndexOf', [two], int),
    run: ([text, part]) =>
      position(stringArgument('lastIndexOf', text), (value) => value.lastIndexOf(stringArgument('lastIndexOf', part))),
  },
  {
    name: 'hasPrefix',
    summary: 'whether a string begins so',
    example: ['hasPrefix("abc", "ab") ? 1 : 0', 1],
    check: overloads('hasPrefix', [two], bool),
    run: ([text, part]) => stringArgument('hasPrefix', text).startsWith(stringArgument('hasPrefix', part)),
  },
  {
    name: 'hasSuffix',
    summary: 'whether a string ends so',
    example: ['hasSuffix("abc", "bc") ? 1 : 0', 1],
    check: overloads('hasSuffix', [two], bool),
    run: ([text, part]) => stringArgument('hasSuffix', text).endsWith(stringArgument('hasSuffix', part)),
  },
];

function position(text: string, find: (text: string) => number): bigint {
  const index = find(text);
  return BigInt(index < 0 ? index : utf8Length(text.slice(0, index)));
}
