/** One request on one replica: when it begins, and how long it would take alone; whole microseconds. */
export interface NaiveService {
  beginUs: number;
  lengthUs: number;
}

/**
 * Ends of services that slow each other down, written the plainest way: time goes on a microsecond after the other, and each
 * gets so much work done in it as their number says. `unitsPerUs`: work in a microsecond alone, `rate`: with so many.
 */
export function shareNaively(
  services: readonly NaiveService[],
  unitsPerUs: number,
  rate: (requests: number) => number,
): number[] {
  const left = services.map(({ lengthUs }) => lengthUs * unitsPerUs);
  const ends = services.map(() => -1);
  for (let nowUs = 0; ends.includes(-1); nowUs++) {
    const running = services.flatMap(({ beginUs }, index) => (beginUs <= nowUs && ends[index] === -1 ? [index] : []));
    for (const index of running) {
      left[index] = (left[index] ?? 0) - rate(running.length);
      if ((left[index] ?? 0) <= 0) ends[index] = nowUs + 1;
    }
  }
  return ends;
}
