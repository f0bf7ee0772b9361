import type { Path } from '../fields/rule.ts';

/** Line and column from 1; columns count UTF-16 units, as editors do. */
export interface Place {
  line: number;
  column: number;
}

/** Finds where the parts of one document stand in their file. */
export interface Locator {
  file: string;
  /** The key or the value at a path; where there is nothing, the nearest parent's key. */
  place: (path: Path, part: 'key' | 'value') => Place;
  /** Whether anything is written at the path. */
  isWritten: (path: Path) => boolean;
  /** The letters of a plain value as they are written: `1.10`, where the number is 1.1. */
  sourceOf: (path: Path) => string | undefined;
  /** Whether a plain value is written without quotes. */
  isPlain: (path: Path) => boolean;
}

/** For values that did not come from a text. */
export function withoutText(file: string): Locator {
  return {
    file,
    place: () => ({ line: 1, column: 1 }),
    isWritten: () => true,
    sourceOf: () => undefined,
    isPlain: () => false,
  };
}

/** `spec.classes[0].env["a.b"]`; the root is the empty text. */
export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

/** The inverse of `pathText`, as far as it goes: what cannot be read ends the path. */
export function parsePathText(text: string): Path {
  const path: Path = [];
  const part = /\.?([A-Za-z_][\w-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;
  for (let match = part.exec(text); match; match = part.exec(text)) {
    const [, name, index, quoted] = match;
    if (name !== undefined) path.push(name);
    else if (index !== undefined) path.push(Number(index));
    else if (quoted !== undefined) path.push(String(JSON.parse(quoted)));
  }
  return path;
}
