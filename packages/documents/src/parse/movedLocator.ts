import type { Path } from '../fields/rule.ts';
import { type Locator, pathText } from './place.ts';

/**
 * Places of a document that was made from another one: by the longest part of a path that `origins` knows, else the top
 * of the source at `prefix`.
 */
export function movedLocator(source: Locator, prefix: Path, origins: Readonly<Record<string, Path>>): Locator {
  const moved = (path: Path): Path => {
    for (let length = path.length; length > 0; length -= 1) {
      const origin = origins[pathText(path.slice(0, length))];
      if (origin) return [...prefix, ...origin];
    }
    const [top] = Object.values(origins)[0] ?? [];
    return top === undefined ? prefix : [...prefix, top];
  };
  return {
    file: source.file,
    place: (path, part) => source.place(moved(path), source.isWritten(moved(path)) ? part : 'key'),
    isWritten: (path) => source.isWritten(moved(path)),
    // Values are made, and never what is written there.
    sourceOf: () => undefined,
    isPlain: () => false,
  };
}
