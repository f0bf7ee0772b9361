import type { LimitRow } from './limits.ts';
import { type Bin, dimensions, type Problem } from './problem.ts';
import { capacityAt, demandAt, micro, type Relaxation } from './relaxation.ts';

/** Prices in currency units: duals of the compact program, or a guess at them. Never below 0. */
export interface Prices {
  /** λ: of a scaled unit of each resource on each kind of node, `dimensions` places a kind. */
  resources: Float64Array;
  /** ν: of a place for a class on a kind of node. */
  places: Float64Array;
  /** λ of the free room of nodes that are there. */
  together: Float64Array;
  /** μ: of a unit of each limit. */
  limits: Float64Array;
  /** π: of a pod of each class. */
  pods: Float64Array;
}

/**
 * A lower bound from any prices at all, by weak duality and by arithmetic alone: it does not rely on the solver being
 * right. λ and ν of a kind of node are scaled down until what a node holds is worth no more than the node,
 *
 *   Σ_r capacity_br λ_br + Σ_c most_cb ν_cb ≤ cost_b + Σ_l count_lb μ_l ,
 *
 * a pod is worth the least that its place costs, π_c = min_b (Σ_r demand_cr λ_br + ν_cb + penalty_cb), and then
 *
 *   bound = Σ n_c π_c − Σ left_l μ_l − Σ capacity_gr λ_gr .
 *
 * Also gives these π, in currency units.
 */
export function certifiedBound(relaxation: Relaxation, prices: Prices): { boundMicro: number; pods: Float64Array } {
  const { bins, together, counts, limits } = relaxation;
  const classes = counts.length;
  const pods = new Float64Array(classes).fill(Number.POSITIVE_INFINITY);
  for (const bin of bins) {
    const b = bin.index;
    const factor = affordable(bin, prices, limits, classes);
    for (let c = 0; c < classes; c++) {
      if ((bin.most[c] ?? 0) === 0) continue;
      let worth = (prices.places[b * classes + c] ?? 0) * factor;
      for (let r = 0; r < dimensions; r++) {
        worth += (prices.resources[b * dimensions + r] ?? 0) * factor * demandAt(bin.demand, c, r);
      }
      pods[c] = Math.min(pods[c] ?? 0, worth + (bin.penalty[c] ?? 0) / micro);
    }
  }
  let bound = 0;
  for (const [g, group] of together.entries()) {
    for (let r = 0; r < dimensions; r++) bound -= (prices.together[g * dimensions + r] ?? 0) * (group.capacity[r] ?? 0);
    for (let c = 0; c < classes; c++) {
      if ((group.most[c] ?? 0) === 0) continue;
      let worth = (group.penalty[c] ?? 0) / micro;
      for (let r = 0; r < dimensions; r++)
        worth += (prices.together[g * dimensions + r] ?? 0) * demandAt(group.demand, c, r);
      // Where only so many places are there, a pod may be worth more than one of them costs: each is then sold at the gain.
      const gain = Math.min(pods[c] ?? 0, prices.pods[c] ?? 0) - worth;
      const all = counts[c] ?? 0;
      const isGain = gain > 0 && (group.most[c] ?? 0) < all && pods[c] !== Number.POSITIVE_INFINITY;
      if (isGain) bound -= gain * (group.most[c] ?? 0);
      pods[c] = Math.min(pods[c] ?? 0, worth + (isGain ? gain : 0));
    }
  }
  for (const [l, { left }] of limits.entries()) bound -= (prices.limits[l] ?? 0) * left;
  for (let c = 0; c < classes; c++) {
    if (pods[c] === Number.POSITIVE_INFINITY) pods[c] = 0;
    bound += (counts[c] ?? 0) * (pods[c] ?? 0);
  }
  // Less than what rounding of the sums above can amount to.
  return { boundMicro: Math.max(0, Math.floor(bound * micro * (1 - 1e-9) - 1)), pods };
}

function affordable(
  { index, most, capacity, costMicro }: Bin,
  prices: Prices,
  limits: readonly LimitRow[],
  classes: number,
) {
  let held = 0;
  for (let r = 0; r < dimensions; r++) {
    if ((capacity[r] ?? 0) > 0)
      held += capacityAt({ capacity } as Bin, r) * (prices.resources[index * dimensions + r] ?? 0);
  }
  for (let c = 0; c < classes; c++) held += (most[c] ?? 0) * (prices.places[index * classes + c] ?? 0);
  let allowed = costMicro / micro;
  for (const [l, { counts }] of limits.entries()) allowed += (counts[index] ?? 0) * (prices.limits[l] ?? 0);
  return held <= allowed ? 1 : allowed / held;
}

/**
 * Prices without a solver: each kind of node is paid for by its resources, in one of some fixed proportions. The bound is
 * the best of them; a pod is worth its largest part of a node, at the cheapest node.
 */
export function guessedPrices(relaxation: Relaxation): Prices[] {
  const { bins, together, counts, limits } = relaxation;
  const proportions = [
    [1, 0, 0, 0, 0],
    [0, 1, 0, 0, 0],
    [0.5, 0.5, 0, 0, 0],
    [0, 0, 0, 1, 0],
    [0, 0, 0, 0, 1],
    [0.2, 0.2, 0, 0.6, 0],
  ];
  return proportions.map((parts) => {
    const resources = new Float64Array(bins.length * dimensions);
    for (const bin of bins) {
      const open = parts.map((part, r) => (capacityAt(bin, r) > 0 ? part : 0));
      const all = open.reduce((sum, part) => sum + part, 0);
      if (all === 0) continue;
      for (let r = 0; r < dimensions; r++) {
        if (open[r])
          resources[bin.index * dimensions + r] = (bin.costMicro / micro / capacityAt(bin, r)) * ((open[r] ?? 0) / all);
      }
    }
    return {
      resources,
      places: new Float64Array(bins.length * counts.length),
      together: new Float64Array(together.length * dimensions),
      limits: new Float64Array(limits.length),
      pods: guessedPods(relaxation),
    };
  });
}

function guessedPods({ bins, counts }: Relaxation): Float64Array {
  return Float64Array.from({ length: counts.length }, (_, c) => {
    let least = Number.POSITIVE_INFINITY;
    for (const bin of bins) {
      if ((bin.most[c] ?? 0) === 0) continue;
      let part = 0;
      for (let r = 0; r < dimensions; r++) {
        const each = demandAt(bin.demand, c, r);
        if (each > 0) part = Math.max(part, each / capacityAt(bin, r));
      }
      least = Math.min(least, (part * bin.costMicro + (bin.penalty[c] ?? 0)) / micro);
    }
    return least === Number.POSITIVE_INFINITY ? 0 : least;
  });
}

/** Prices of pods by class as they are placed: parts of one class cost what the class costs. */
export function pricesByPart({ classes }: Problem, pods: Float64Array): Float64Array {
  return Float64Array.from(classes, ({ parent }) => pods[parent] ?? 0);
}
