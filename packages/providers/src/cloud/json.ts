/** Readers of what a cloud answered: a field that is not as documented is absent, never a crash. */

export type Json = Readonly<Record<string, unknown>>;

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object under the path; an empty one where there is none. */
export function objectAt(value: unknown, ...path: string[]): Json {
  let at: unknown = value;
  for (const key of path) at = isJson(at) ? at[key] : undefined;
  return isJson(at) ? at : {};
}

/** The text under the path; null where there is none. */
export function textAt(value: unknown, ...path: string[]): string | null {
  const last = path.at(-1);
  const found = last === undefined ? value : objectAt(value, ...path.slice(0, -1))[last];
  return typeof found === 'string' && found !== '' ? found : null;
}

/** The number under the path; null where there is none. */
export function numberAt(value: unknown, ...path: string[]): number | null {
  const last = path.at(-1);
  const found = last === undefined ? value : objectAt(value, ...path.slice(0, -1))[last];
  return typeof found === 'number' && Number.isFinite(found) ? found : null;
}

/** The list under the path; an empty one where there is none. */
export function listAt(value: unknown, ...path: string[]): readonly unknown[] {
  const last = path.at(-1);
  const found = last === undefined ? value : objectAt(value, ...path.slice(0, -1))[last];
  return Array.isArray(found) ? found : [];
}

/** An RFC 3339 time in milliseconds; null where there is none. */
export function timeAt(value: unknown, ...path: string[]): number | null {
  const text = textAt(value, ...path);
  const atMs = text === null ? Number.NaN : Date.parse(text);
  return Number.isFinite(atMs) ? atMs : null;
}

/** What follows the last slash: a zone out of its address, a machine type out of its own. */
export function lastPart(address: string | null): string {
  return address?.split('/').at(-1) ?? '';
}
