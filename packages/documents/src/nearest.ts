/** Longer names are never compared: no field or value is that long, and the cost grows with the square. */
const maxComparedLength = 64;

/**
 * The candidate that was most likely meant, or undefined when none is near: the same name in another case or with
 * other separators first, then the only one that begins or ends with it, else the smallest distance, at most a third of the
 * name's length.
 */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  if (name.length === 0 || name.length > maxComparedLength) return undefined;
  const folded = fold(name);
  const same = candidates.find((candidate) => fold(candidate) === folded);
  if (same !== undefined) return same === name ? undefined : same;
  const longer = candidates.filter((candidate) => folded.length > 2 && beginsOrEnds(fold(candidate), folded));
  if (longer.length === 1) return longer[0];
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(folded.length / 3)) + 1;
  for (const candidate of candidates) {
    const other = fold(candidate);
    if (Math.abs(other.length - folded.length) >= bestDistance) continue;
    const distance = editDistance(folded, other);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function beginsOrEnds(text: string, part: string): boolean {
  return text.startsWith(part) || text.endsWith(part);
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[-_ ]/g, '');
}

/**
 * Damerau–Levenshtein distance in its optimal string alignment form: insertions, deletions, replacements and
 * swaps of neighbours each cost one.
 */
export function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        cost = Math.min(cost, at(beforePrevious, column - 2) + 1);
      }
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, right.length);
}

function at(row: number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
