import type { Path } from '../fields/rule.ts';
import type { PathPattern } from '../kind.ts';

/** Whether a path leads to what a pattern names, or to something within it. */
export function isWithin(path: Path, pattern: PathPattern): boolean {
  return path.length >= pattern.length && pattern.every((part, index) => part === '*' || part === String(path[index]));
}

/**
 * The value with everything that a pattern names replaced by what `replace` gives for it. What is on no such path is the
 * same object as before, and so is the whole where nothing was replaced.
 */
export function replaceAt(
  value: unknown,
  pattern: PathPattern,
  replace: (value: unknown, path: Path) => unknown,
  path: Path = [],
): unknown {
  const [part, ...rest] = pattern;
  if (part === undefined) return replace(value, path);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    if (part !== '*') return value;
    const items = value.map((item, index) => replaceAt(item, rest, replace, [...path, index]));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  let copy: Record<string, unknown> | null = null;
  for (const [key, inner] of Object.entries(value)) {
    if (part !== '*' && part !== key) continue;
    const replaced = replaceAt(inner, rest, replace, [...path, key]);
    if (replaced === inner) continue;
    copy ??= { ...value };
    copy[key] = replaced;
  }
  return copy ?? value;
}
