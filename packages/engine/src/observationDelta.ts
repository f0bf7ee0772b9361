import type { Json } from '@ebb/core';

/** What changed between two JSON values of one shape: paths such as `/readings/0/value` and the values now there. */
export type JsonDelta = Record<string, Json>;

/**
 * The changes that lead from one value to the next. Where keys or lengths differ, the whole part is given anew.
 * Key order of an unchanged shape is kept, so that applying it gives the same text.
 */
export function deltaOf(before: Json, after: Json): JsonDelta {
  const delta: JsonDelta = {};
  collect(before, after, '', delta);
  return delta;
}

/** Leaves `before` as it is. */
export function applyDelta(before: Json, delta: JsonDelta): Json {
  let value = before;
  for (const [path, part] of Object.entries(delta))
    value = withPart(value, path === '' ? [] : path.slice(1).split('/'), part);
  return value;
}

function collect(before: Json, after: Json, path: string, delta: JsonDelta): void {
  if (before === after) return;
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (const [index, value] of after.entries()) collect(before[index] ?? null, value, `${path}/${index}`, delta);
  } else if (isObject(before) && isObject(after) && haveSameKeys(before, after)) {
    for (const key of Object.keys(after)) {
      collect(before[key] ?? null, after[key] ?? null, `${path}/${escapeKey(key)}`, delta);
    }
  } else {
    delta[path] = after;
  }
}

/** Also in the same order. */
function haveSameKeys(before: object, after: object): boolean {
  const keys = Object.keys(after);
  const old = Object.keys(before);
  return keys.length === old.length && keys.every((key, index) => key === old[index]);
}

function withPart(value: Json, path: string[], part: Json): Json {
  const [first, ...rest] = path;
  if (first === undefined) return part;
  const key = first.replaceAll('~1', '/').replaceAll('~0', '~');
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === key ? withPart(item, rest, part) : item));
  if (typeof value !== 'object' || value === null) throw new Error(`no such part: ${path.join('/')}`);
  return { ...value, [key]: withPart(value[key] ?? null, rest, part) };
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escapeKey(key: string): string {
  return /[~/]/.test(key) ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key;
}
