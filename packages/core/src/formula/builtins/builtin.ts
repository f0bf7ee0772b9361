import type { Frame } from '../frame.ts';
import { any, isAssignable, isUnknown, type Nature, natureName } from '../natures.ts';
import { Fault } from '../problem.ts';
import { isList, type List, typeName, type Value, withArticle } from '../values.ts';

/** A function that takes values: what it accepts, what it gives, and the computation, in one place. */
export interface Builtin {
  name: string;
  /** Completes "the function gives …". */
  summary: string;
  /** A formula and its result; both are tested. */
  example: [formula: string, result: number];
  /** The type of the result, or what is wrong with the arguments. */
  check: (args: Nature[]) => Nature | Mismatch;
  run: (args: Value[], frame: Frame) => Value;
}

export class Mismatch {
  readonly message: string;
  /** Which argument it is about; undefined when it is about their number. */
  readonly argument: number | undefined;

  constructor(message: string, argument?: number) {
    this.message = message;
    this.argument = argument;
  }
}

type Accepts = (nature: Nature) => boolean;

/** Exactly these arguments; where a type is not known before evaluation, anything goes. */
export function takes(
  name: string,
  accepted: [Accepts, string][],
  result: (args: Nature[]) => Nature,
): Builtin['check'] {
  return (args) => {
    if (args.length !== accepted.length)
      return new Mismatch(`${name} takes ${count(accepted.length)}, not ${args.length}`);
    for (const [index, [accepts, wanted]] of accepted.entries()) {
      const nature = args[index] ?? any;
      if (!isUnknown(nature) && !accepts(nature))
        return new Mismatch(`${name} takes ${wanted}, not ${withArticle(natureName(nature))}`, index);
    }
    return result(args);
  };
}

/** The first of several signatures that fits. */
export function overloads(name: string, signatures: Nature[][], result: Nature): Builtin['check'] {
  return (args) => {
    const fitting = signatures.find(
      (signature) =>
        signature.length === args.length && signature.every((wanted, index) => isAccepted(args[index] ?? any, wanted)),
    );
    if (fitting) return result;
    const known = signatures.map((signature) => `${name}(${signature.map(natureName).join(', ')})`);
    const found = args.map(natureName).join(', ');
    return new Mismatch(`${[...new Set(known)].join(' or ')} was expected, found ${name}(${found})`);
  };
}

function isAccepted(nature: Nature, wanted: Nature): boolean {
  if (nature.kind === 'nil') return wanted.kind === 'any';
  return isUnknown(nature) || isAssignable(nature, wanted);
}

export function count(args: number): string {
  return args === 1 ? 'one argument' : `${args} arguments`;
}

export const isListNature: [Accepts, string] = [({ kind }) => kind === 'list', 'a list'];
export const isMapNature: [Accepts, string] = [({ kind }) => kind === 'map', 'a map'];
export const isNumberNature: [Accepts, string] = [({ kind }) => kind === 'int' || kind === 'float', 'a number'];

export function listArgument(name: string, value: Value | undefined): List {
  if (value !== undefined && isList(value)) return value;
  throw new Fault(`${name} takes a list, not ${withArticle(typeName(value ?? null))}`);
}

export function stringArgument(name: string, value: Value | undefined): string {
  if (typeof value === 'string') return value;
  throw new Fault(`${name} takes a string, not ${withArticle(typeName(value ?? null))}`);
}
