/** Readers of JSON that others wrote: what has another shape is as good as left out. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectAt(value: unknown, ...path: readonly string[]): JsonObject {
  const found = valueAt(value, ...path);
  return isObject(found) ? found : {};
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found : [];
}

export function textAt(value: unknown, ...path: readonly string[]): string | null {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : null;
}

export function numberAt(value: unknown, ...path: readonly string[]): number | null {
  const found = valueAt(value, ...path);
  return typeof found === 'number' && Number.isFinite(found) ? found : null;
}

/** Values that are text, by name. */
export function textsAt(value: unknown, ...path: readonly string[]): Record<string, string> {
  const entries = Object.entries(objectAt(value, ...path));
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/** A moment as RFC 3339, in milliseconds; null where there is none. */
export function timeAt(value: unknown, ...path: readonly string[]): number | null {
  const found = textAt(value, ...path);
  const atMs = found === null ? Number.NaN : Date.parse(found);
  return Number.isFinite(atMs) ? atMs : null;
}

/** The condition of a type, in the status of an object; null where there is none. */
export function conditionOf(body: unknown, type: string): JsonObject | null {
  const found = listAt(body, 'status', 'conditions').find((one) => textAt(one, 'type') === type);
  return isObject(found) ? found : null;
}

/** The same where it is true; null where it is not. */
export function trueCondition(body: unknown, type: string): JsonObject | null {
  const found = conditionOf(body, type);
  return found?.status === 'True' ? found : null;
}

/** A moment as the API server writes it, in whole seconds. */
export function timeText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}

/** Null where it is no JSON. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}

/** A quantity as text, which YAML may have as a number. */
export function valueText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : null;
}
