/** Requests that arrive independently of one another and wait in one line for one of many slots. */
export interface Waiting {
  ratePerSecond: number;
  /** Mean length of a service. */
  serviceSeconds: number;
  /** A request that waits longer than this is late. */
  onTimeSeconds: number;
}

/** Above this load, in slots, the square-root rule takes the place of the sums. */
const exactLoad = 5_000;
const safety = 3;
const lateByRule = 0.001;
/** Inverse blocking beyond which nobody waits at all. */
const never = 1e15;

/**
 * Share of the requests that wait longer than `onTimeSeconds` for one of `slots` slots, in balance: M/M/c, Erlang's C times
 * exp(-(c/S - λ)t) (A. K. Erlang, 1917). 1 where the slots are fewer than the load.
 */
export function lateShareOf({ ratePerSecond, serviceSeconds, onTimeSeconds }: Waiting, slots: number): number {
  const load = ratePerSecond * serviceSeconds;
  if (load === 0) return 0;
  if (slots <= load) return 1;
  return lateBy(inverseBlocking(1, load, 0, slots), load, slots, onTimeSeconds / serviceSeconds);
}

/**
 * Fewest replicas of `slots` slots each with at most the share `mayBeLate` late, and the share that is then late;
 * `enough` is false where even `most` replicas do not do. Loads of more than 5000 slots by the square-root rule, with three
 * roots to spare.
 */
export function replicasNeeded(
  waiting: Waiting,
  slots: number,
  mayBeLate: number,
  most: number,
): { replicas: number; lateShare: number; enough: boolean } {
  const { ratePerSecond, serviceSeconds, onTimeSeconds } = waiting;
  const load = ratePerSecond * serviceSeconds;
  if (load === 0) return { replicas: 0, lateShare: 0, enough: true };
  if (load > exactLoad) {
    const replicas = Math.ceil((load + safety * Math.sqrt(load)) / slots);
    if (replicas > most) return { replicas: most, lateShare: 1, enough: false };
    return { replicas, lateShare: Math.min(lateByRule, mayBeLate), enough: true };
  }
  let replicas = Math.floor(load / slots) + 1;
  let lateShare = 1;
  let inverse = 1;
  let counted = 0;
  for (; replicas <= most; replicas++) {
    inverse = inverseBlocking(inverse, load, counted, replicas * slots);
    counted = replicas * slots;
    lateShare = lateBy(inverse, load, counted, onTimeSeconds / serviceSeconds);
    if (lateShare <= mayBeLate) return { replicas, lateShare, enough: true };
  }
  return { replicas: most, lateShare, enough: false };
}

/** 1/B of Erlang's loss formula for `to` slots, from that for `from`: 1/B(c) = 1 + c/a · 1/B(c-1). */
function inverseBlocking(inverse: number, load: number, from: number, to: number): number {
  let known = inverse;
  for (let slot = from + 1; slot <= to && known < never; slot++) known = 1 + (known * slot) / load;
  return known;
}

function lateBy(inverse: number, load: number, slots: number, services: number): number {
  if (inverse >= never) return 0;
  const blocked = 1 / inverse;
  const waits = blocked / (1 - (load / slots) * (1 - blocked));
  return waits * Math.exp(-(slots - load) * services);
}
