/**
 * Fixed numbers of the policy `priced`: one setting for every workload and every cold start. What each part is worth is
 * measured in docs/policy.md, where `0` takes a part away.
 */
export interface PricedTuning {
  /** What is remembered of an old gap or miss after one more. */
  memory: number;
  /** Gaps that the prior counts for, spread evenly over the logarithm of their length. */
  priorGaps: number;
  /** At most so many gaps count as evidence, so that old habits can be unlearnt. */
  mostEvidence: number;
  /**
   * Short excess over the slots that is borne while nobody waits long: share of half the on-time limit, and its largest
   * value; both less where a start takes more than a minute.
   */
  tolerance: number;
  mostTolerance: number;
  /** Most that is ordered for a backlog, in multiples of what the arrivals need; 0: nothing. */
  backlog: number;
  /** Starts ahead of an expected return need so many long gaps; 0: never ahead. */
  leastLongGaps: number;
  /** Weight of "any minute of the hour is as good" against the minutes seen; 0: the clock is not looked at. */
  clockPrior: number;
  /** The same for the bold view of the clock, which is trusted only where it has foretold well. */
  clockSharp: number;
  /** Levels above those found running that are held in the beginning, as a share of them; 0: none. */
  headroom: number;
  /** Late requests that a miss of such a level is taken to cost. */
  headroomLate: number;
  /** Share of the full speed at which replicas are taken to work off a queue. */
  drainSpeed: number;
  /** Price of a miss that a start ahead is too late for, as a share of a whole one. */
  halfMiss: number;
  /** Misses that are followed at once, for each level. */
  mostOpen: number;
  /** Share of the price of lateness that counts in keeping and letting go; 0: the cold start alone. */
  missPrice: number;
  /** A trusted forecast raises the floor; 0: not. */
  forecast: number;
}

export const pricedTuning: PricedTuning = {
  memory: 0.999,
  priorGaps: 0.8,
  mostEvidence: 30,
  tolerance: 0.7,
  mostTolerance: 0.25,
  backlog: 8,
  leastLongGaps: 2,
  clockPrior: 16,
  clockSharp: 1,
  headroom: 0.3,
  headroomLate: 10,
  drainSpeed: 0.9,
  halfMiss: 0.6,
  mostOpen: 4,
  missPrice: 1,
  forecast: 1,
};
