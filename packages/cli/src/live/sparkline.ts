/**
 * One sign a column for the newest `width` values, scaled to `max` (at least 1). Zero has a sign of its own, so that
 * nothing and little can be told apart; where there are more values than columns each column shows its largest.
 */
export function sparkline(values: readonly number[], width: number, max: number, levels: readonly string[]): string {
  if (width <= 0) return '';
  const scale = Math.max(1, max);
  const empty = levels[0] ?? ' ';
  const perColumn = Math.max(1, Math.ceil(values.length / width));
  const columns: number[] = [];
  for (let end = values.length; end > 0 && columns.length < width; end -= perColumn) {
    columns.unshift(Math.max(...values.slice(Math.max(0, end - perColumn), end)));
  }
  const signs = columns.map((value) => {
    if (value <= 0) return empty;
    const steps = levels.length - 1;
    return levels[Math.min(steps, Math.max(1, Math.ceil((value / scale) * steps)))] ?? empty;
  });
  return empty.repeat(Math.max(0, width - signs.length)) + signs.join('');
}
