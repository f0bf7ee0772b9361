import { z } from 'zod';
import type { Path } from '../fields/rule.ts';
import { nearest } from '../nearest.ts';
import type { Problem } from '../problem.ts';
import { type Locator, pathText } from './place.ts';

/** Names in one message; the rest is counted. */
const maxNamed = 6;

/** Keys that stand beside what they belong to. */
interface Lost {
  /** Path of the field, or of the element of a list, that they belong to. */
  home: Path;
  keys: Path[];
}

/**
 * Finds the keys of a document that stand further left than what they belong to, as after a paste that has lost spaces:
 * `spec:` without a value, and `triggers` beside it. Told as one problem, because every other one would come from it;
 * null where nothing of that kind is found.
 */
export function lostIndentation(
  schema: z.core.$ZodType,
  written: Record<string, unknown>,
  locator: Locator,
  prefix: Path,
): Problem | null {
  const lost = collect(schema, written, []).map(({ home, keys }) => ({
    home: [...prefix, ...home],
    keys: keys.map((key) => [...prefix, ...key]),
  }));
  const places = lost.flatMap(({ keys }) => keys.map((path) => ({ path, ...locator.place(path, 'key') })));
  const [first, ...others] = places.toSorted((left, right) => left.line - right.line || left.column - right.column);
  if (first === undefined) return null;
  return {
    severity: 'error',
    code: 'lost-indentation',
    message: `the indentation is lost: ${lost.map(belong).join('; ')}`,
    file: locator.file,
    line: first.line,
    column: first.column,
    path: pathText(first.path),
    ...(others.length > 0 ? { related: others.map(({ path, ...at }) => ({ path: pathText(path), ...at })) } : {}),
  };
}

function belong({ home, keys }: Lost): string {
  const named = keys.slice(0, maxNamed).map((key) => `\`${String(key.at(-1))}\``);
  const rest = keys.length > maxNamed ? ` and ${keys.length - maxNamed} more` : '';
  return `${named.join(', ')}${rest} ${keys.length === 1 ? 'belongs' : 'belong'} under \`${pathText(home)}\``;
}

function collect(schema: z.core.$ZodType, value: unknown, path: Path): Lost[] {
  const plain = bare(schema);
  if (plain instanceof z.ZodUnion) {
    const [option] = plain.options.map(bare).filter((each) => each instanceof z.ZodObject);
    return option === undefined || !isRecord(value) ? [] : collect(option, value, path);
  }
  if (plain instanceof z.ZodArray) {
    return Array.isArray(value) ? value.flatMap((item, index) => collect(plain.element, item, [...path, index])) : [];
  }
  if (!(plain instanceof z.ZodObject) || !isRecord(value)) return [];
  const { shape } = plain;
  const within = Object.entries(shape).flatMap(([name, field]) => collect(field, value[name], [...path, name]));
  return [...besideTheirHome(shape, value, path), ...within];
}

function besideTheirHome(shape: Readonly<z.core.$ZodShape>, value: Record<string, unknown>, path: Path): Lost[] {
  const lost = new Map<string, Lost>();
  /** The fields before, the nearest first, that may have lost what is in them. */
  const homes: string[] = [];
  let lastField = '';
  for (const [key, inner] of Object.entries(value)) {
    const field = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (field !== undefined) {
      if (inner === null || endsEmpty(field, inner)) homes.unshift(key);
      lastField = key;
      continue;
    }
    const home =
      homes.find((name) => takes(shape[name], value[name], key) && (value[name] === null || name === lastField)) ??
      (homes[0] === lastField && takesAnyKey(shape[lastField], value[lastField], key, shape) ? lastField : undefined);
    if (home === undefined) continue;
    const held = value[home];
    const entry = lost.get(home) ?? {
      home: Array.isArray(held) ? [...path, home, Math.max(0, held.length - 1)] : [...path, home],
      keys: [],
    };
    entry.keys.push([...path, key]);
    lost.set(home, entry);
  }
  return [...lost.values()].filter(({ home, keys }) => {
    const name = String(home[path.length]);
    return value[name] === null || keys.some((key) => isNeeded(shape[name], String(key.at(-1))));
  });
}

function takes(field: z.core.$ZodType | undefined, value: unknown, key: string): boolean {
  return shapeWithin(field).some((shape) => Object.hasOwn(shape, key)) && !hasAlready(value, key);
}

/** An element of a list cannot do without the field: without it, the key may just be a setting in a wrong place. */
function isNeeded(field: z.core.$ZodType | undefined, key: string): boolean {
  return shapeWithin(field).some((shape) => {
    const inner = Object.hasOwn(shape, key) ? shape[key] : undefined;
    return inner !== undefined && !z.safeParse(inner, undefined).success;
  });
}

/** A list whose last element may go on in the lines below. */
function endsEmpty(field: z.core.$ZodType, value: unknown): boolean {
  if (!Array.isArray(value) || !(bare(field) instanceof z.ZodArray)) return false;
  const last: unknown = value.at(-1);
  return last === null || isRecord(last);
}

function hasAlready(value: unknown, key: string): boolean {
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  return isRecord(last) && Object.hasOwn(last, key);
}

/** The fields that a field's map, or an element of its list, may have. */
function shapeWithin(field: z.core.$ZodType | undefined): Readonly<z.core.$ZodShape>[] {
  const plain = field === undefined ? undefined : bare(field);
  if (plain instanceof z.ZodObject) return [plain.shape];
  if (plain instanceof z.ZodArray) return shapeWithin(plain.element);
  if (plain instanceof z.ZodUnion) return plain.options.flatMap(shapeWithin);
  return [];
}

/** A map of free keys without a value takes what follows it, unless that looks like a misspelt field. */
function takesAnyKey(
  field: z.core.$ZodType | undefined,
  value: unknown,
  key: string,
  shape: Readonly<z.core.$ZodShape>,
): boolean {
  const isMap = field !== undefined && bare(field) instanceof z.ZodRecord;
  return isMap && value === null && nearest(key, Object.keys(shape)) === undefined;
}

function bare(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) return bare(schema.unwrap());
  return schema instanceof z.ZodPipe ? bare(schema.in) : schema;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
