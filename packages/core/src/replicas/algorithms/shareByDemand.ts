/**
 * Spreads the count of an algorithm that knows no classes over the workload's classes: in proportion to the requests
 * each has now, at least one replica where there are any. Shares that already add up and leave nobody without are kept,
 * so that a count that does not change moves no replica. `classes` stand cheapest first and the cheapest gets the rest.
 */
export function shareByDemand(
  classes: readonly string[],
  demand: Readonly<Record<string, number>>,
  previous: Readonly<Record<string, number>>,
  total: number,
): Record<string, number> {
  const names = classes.length > 0 ? classes : ['default'];
  const wanting = names.filter((name) => (demand[name] ?? 0) > 0);
  const kept = names.map((name) => previous[name] ?? 0);
  const keptTotal = kept.reduce((sum, count) => sum + count, 0);
  if (keptTotal === total && wanting.every((name) => (previous[name] ?? 0) > 0)) return toRecord(names, kept);

  let weights = names.map((name) => demand[name] ?? 0);
  if (wanting.length === 0) weights = kept;
  const weight = weights.reduce((sum, one) => sum + one, 0);
  if (weight === 0) return toRecord(names, [total, ...names.slice(1).map(() => 0)]);

  const exact = weights.map((one) => (total * one) / weight);
  const shares = exact.map((one) => Math.floor(one));
  const byRemainder = [...names.keys()].sort((a, b) => remainder(exact, shares, b) - remainder(exact, shares, a));
  let rest = total - shares.reduce((sum, one) => sum + one, 0);
  for (const index of byRemainder) {
    if (rest <= 0) break;
    shares[index] = (shares[index] ?? 0) + 1;
    rest--;
  }
  giveEachOne(names, wanting, shares, total);
  return toRecord(names, shares);
}

function giveEachOne(names: readonly string[], wanting: readonly string[], shares: number[], total: number): void {
  if (total < wanting.length) return;
  for (const name of wanting) {
    const index = names.indexOf(name);
    if ((shares[index] ?? 0) > 0) continue;
    const largest = shares.indexOf(Math.max(...shares));
    shares[largest] = (shares[largest] ?? 0) - 1;
    shares[index] = 1;
  }
}

const remainder = (exact: number[], shares: number[], index: number) => (exact[index] ?? 0) - (shares[index] ?? 0);

function toRecord(names: readonly string[], counts: readonly number[]): Record<string, number> {
  return Object.fromEntries(names.map((name, index) => [name, counts[index] ?? 0]));
}
