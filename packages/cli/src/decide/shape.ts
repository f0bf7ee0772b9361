import { nearest } from '@ebb/documents';
import { LineError } from './lineError.ts';

/**
 * Reads a value of unknown origin at a path, such as `observation.hpa.pods[0]`, or throws a `LineError` that says what
 * was found and what is allowed. `undefined` stands for a field that is not there.
 */
export type Shape<Value> = (value: unknown, path: string) => Value;

export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const longestShown = 60;

/** A value as a message shows it. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}

function refuse(path: string, expected: string, value: unknown): never {
  if (value === undefined) throw new LineError(`${path} is missing; it is ${expected}`);
  throw new LineError(`${path} is ${expected}, not ${shown(value)}`);
}

export const record: Shape<JsonRecord> = (value, path) => (isRecord(value) ? value : refuse(path, 'an object', value));

export const text: Shape<string> = (value, path) => (typeof value === 'string' ? value : refuse(path, 'a text', value));

export const flag: Shape<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : refuse(path, 'true or false', value);

/** A finite number. JSON has no other, but a number may be written that overflows: 1e999. */
export const number: Shape<number> = (value, path) =>
  typeof value === 'number' && Number.isFinite(value) ? value : refuse(path, 'a number', value);

export const integer: Shape<number> = (value, path) =>
  Number.isSafeInteger(value) ? Number(value) : refuse(path, 'a whole number', value);

/** A whole number from 0. */
export const count: Shape<number> = (value, path) =>
  Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : refuse(path, 'a whole number from 0', value);

export function oneOf<const Value extends string>(...allowed: Value[]): Shape<Value> {
  return (value, path) => {
    const found = allowed.find((one) => one === value);
    return found ?? refuse(path, `one of ${allowed.join(', ')}`, value);
  };
}

export function listOf<Item>(item: Shape<Item>): Shape<Item[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return refuse(path, 'a list', value);
    return value.map((one: unknown, index) => item(one, `${path}[${index}]`));
  };
}

export function recordOf<Item>(item: Shape<Item>): Shape<Record<string, Item>> {
  return (value, path) =>
    Object.fromEntries(Object.entries(record(value, path)).map(([name, one]) => [name, item(one, `${path}.${name}`)]));
}

/** The value, or this when the field is not there. */
export function orElse<Value, Otherwise>(shape: Shape<Value>, otherwise: Otherwise): Shape<Value | Otherwise> {
  return (value, path) => (value === undefined ? otherwise : shape(value, path));
}

/** The value, or null when it is null or not there. */
export function orNull<Value>(shape: Shape<Value>): Shape<Value | null> {
  return (value, path) => (value === undefined || value === null ? null : shape(value, path));
}

/** An object of exactly these fields; a name that is not among them is refused, with the nearest one. */
export function object<Value>(fields: { [Name in keyof Value]-?: Shape<Value[Name]> }): Shape<Value> {
  const names = Object.keys(fields);
  const readers: [string, Shape<unknown>][] = Object.entries(fields);
  return (value, path) => {
    const given = record(value, path);
    checkNames(given, names, path);
    const read: Record<string, unknown> = {};
    for (const [name, shape] of readers) read[name] = shape(given[name], path === '' ? name : `${path}.${name}`);
    // Every field was read by the shape of its own type.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return read as Value;
  };
}

/** Refuses names that mean nothing here: a misspelt field must not be taken for its default. */
export function checkNames(given: JsonRecord, allowed: readonly string[], path: string, noun = 'field'): void {
  for (const name of Object.keys(given)) {
    if (allowed.includes(name)) continue;
    const meant = nearest(name, allowed);
    const where = path === '' ? 'the line' : path;
    const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
    const nouns = noun === 'class' ? 'classes' : `${noun}s`;
    const names = allowed.length === 0 ? `it has no ${nouns}` : `${nouns}: ${allowed.join(', ')}`;
    throw new LineError(`${where} has no ${noun} "${name}"${hint} (${names})`);
  }
}
