/**
 * Spreads a workload's count over its classes: each gets what its own demand asks for; what the bounds add goes to the
 * cheapest class, what they take is taken from the dearest first. `asked` is in order of price, cheapest first.
 */
export function shareAmongClasses(asked: { name: string; replicas: number }[], total: number): Record<string, number> {
  const shares = asked.map(({ name, replicas }) => ({ name, replicas }));
  let difference = total - shares.reduce((sum, share) => sum + share.replicas, 0);
  const cheapest = shares[0];
  if (difference > 0 && cheapest) cheapest.replicas += difference;
  for (let i = shares.length - 1; i >= 0 && difference < 0; i--) {
    const share = shares[i];
    if (!share) continue;
    const taken = Math.min(share.replicas, -difference);
    share.replicas -= taken;
    difference += taken;
  }
  return Object.fromEntries(shares.map((share) => [share.name, share.replicas]));
}
