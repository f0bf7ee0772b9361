import { isLess, sorted } from '../compare.ts';
import { convertToFloat, convertToInt } from '../convert.ts';
import type { Frame } from '../frame.ts';
import { any, float, int, isNumber, isUnknown, type Nature, natureName, typeOnly } from '../natures.ts';
import { Fault } from '../problem.ts';
import { int64, isList, toFloat, typeName, type Value, withArticle } from '../values.ts';
import { type Builtin, isNumberNature, Mismatch, takes } from './builtin.ts';

/** Halves away from zero, as Go's math.Round; Math.round sends them up. */
function round(value: number): number {
  const whole = Math.trunc(value);
  return Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole;
}

/** Ints become floats too: `round(2)` is 2.0. */
function rounding(name: string, how: (value: number) => number): Pick<Builtin, 'name' | 'check' | 'run'> {
  return { name, check: takes(name, [isNumberNature], () => float), run: ([value = null]) => how(toFloat(value)) };
}

const isConvertible: [(nature: Nature) => boolean, string] = [
  (nature) => isNumber(nature) || nature.kind === 'string',
  'a number or a string',
];

/** Several numbers or lists of them; with numbers only, the result is taken to be of the first one's type. */
function aggregate(name: string): Builtin['check'] {
  return (args) => {
    if (args.length === 0) return new Mismatch(`${name} takes numbers or lists of numbers, found nothing`);
    for (const [index, nature] of args.entries()) {
      if (isUnknown(nature) || nature.kind === 'list') return any;
      if (!isNumber(nature)) {
        return new Mismatch(`${name} takes numbers or lists of numbers, not ${withArticle(natureName(nature))}`, index);
      }
    }
    return typeOnly(args[0] ?? any);
  };
}

function isNumeric(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function notNumeric(name: string, value: Value): Fault {
  return new Fault(`${name} takes numbers or lists of numbers, not ${withArticle(typeName(value))}`);
}

/** The element that no other one replaces; nil of nothing. A NaN is never replaced and never replaces. */
function extreme(
  name: string,
  replaces: (best: Value, next: Value) => boolean,
  args: readonly Value[],
  frame: Frame,
): Value {
  let best: Value = null;
  const offer = (next: Value) => {
    if (next !== null && (best === null || replaces(best, next))) best = next;
  };
  for (const arg of args) {
    if (isNumeric(arg)) offer(arg);
    else if (isList(arg)) {
      frame.step(arg.length);
      for (const element of arg) {
        if (isNumeric(element)) offer(element);
        else if (isList(element)) offer(extreme(name, replaces, [element], frame));
        else throw notNumeric(name, element);
      }
    } else if (args.length === 1) return arg;
    else throw notNumeric(name, arg);
  }
  return best;
}

/** All numbers in the arguments, lists within lists too. */
function numbersIn(name: string, args: readonly Value[], frame: Frame, found: number[] = []): number[] {
  for (const arg of args) {
    if (isNumeric(arg)) found.push(toFloat(arg));
    else if (isList(arg)) {
      frame.step(arg.length);
      numbersIn(name, arg, frame, found);
    } else throw notNumeric(name, arg);
  }
  return found;
}

/** Sum and count. The elements of a list are added one by one; a list inside a list is summed by itself first. */
function total(args: readonly Value[], isInside: boolean, frame: Frame): { sum: number; count: number } {
  let sum = 0;
  let count = 0;
  for (const arg of args) {
    if (isNumeric(arg)) {
      sum += toFloat(arg);
      count += 1;
    } else if (!isList(arg)) throw notNumeric('mean', arg);
    else if (isInside) {
      const part = total(arg, true, frame);
      sum += part.sum;
      count += part.count;
    } else {
      for (const element of arg) {
        const part = total([element], true, frame);
        sum += part.sum;
        count += part.count;
      }
    }
    frame.step(isList(arg) ? arg.length : 0);
  }
  return { sum, count };
}

export const numberFunctions: Builtin[] = [
  {
    name: 'abs',
    summary: 'the number without its sign; an int stays an int',
    example: ['abs(-2.5)', 2.5],
    check: takes('abs', [isNumberNature], ([nature = any]) => (isUnknown(nature) ? any : nature)),
    run: ([value = null]) => {
      if (typeof value === 'bigint') return value < 0n ? int64(-value) : value;
      const number = toFloat(value);
      return number < 0 ? -number : number;
    },
  },
  { ...rounding('ceil', Math.ceil), summary: 'the next whole number upwards, as a float', example: ['ceil(a / 2)', 2] },
  {
    ...rounding('floor', Math.floor),
    summary: 'the next whole number downwards, as a float',
    example: ['floor(a / 2)', 1],
  },
  {
    ...rounding('round', round),
    summary: 'the nearest whole number, halves away from zero, as a float',
    example: ['round(-2.5)', -3],
  },
  {
    name: 'int',
    summary: 'the int of a number, cut off, or of a string of digits',
    example: ['int(a) % 2', 1],
    check: takes('int', [isConvertible], () => int),
    run: ([value = null]) => convertToInt(value),
  },
  {
    name: 'float',
    summary: 'the float of a number or a string',
    example: ['float("2.5")', 2.5],
    check: takes('float', [isConvertible], () => float),
    run: ([value = null]) => convertToFloat(value),
  },
  {
    name: 'max',
    summary: 'the largest of numbers and lists of numbers; nil when there is none',
    example: ['max(a, b, 4)', 5],
    check: aggregate('max'),
    run: (args, frame) => extreme('max', isLess, args, frame),
  },
  {
    name: 'min',
    summary: 'the smallest of numbers and lists of numbers; nil when there is none',
    example: ['min([a, b], 4)', 3],
    check: aggregate('min'),
    run: (args, frame) => extreme('min', (best, next) => isLess(next, best), args, frame),
  },
  {
    name: 'mean',
    summary: 'the mean of numbers and lists of numbers; 0 when there is none',
    example: ['mean(a, b)', 4],
    check: aggregate('mean'),
    run: (args, frame) => {
      const { sum, count } = total(args, false, frame);
      return count === 0 ? 0 : sum / count;
    },
  },
  {
    name: 'median',
    summary: 'the middle one of numbers and lists of numbers, of two the mean; 0 when there is none',
    example: ['median([a, b, 100])', 5],
    check: aggregate('median'),
    run: (args, frame) => {
      const found = numbersIn('median', args, frame);
      // NaN comes first, as in Go's sort.Float64s.
      const numbers = sorted(found, (left, right) => left < right || (Number.isNaN(left) && !Number.isNaN(right)));
      const middle = numbers.length >> 1;
      const upper = numbers[middle] ?? 0;
      return numbers.length % 2 === 0 ? ((numbers[middle - 1] ?? 0) + upper) / 2 : upper;
    },
  },
];
