import { type ClassCost, type ClassTimes, costOfClass } from './classCost.ts';
import type { ClassHintMemory, ClassTally } from './classHintMemory.ts';
import type { ClassHintClass, ClassHintSpec } from './classHintSpec.ts';
import { type RateShares, scaledRates, sharesOf } from './dayOfRates.ts';

/** A class that may be compared, with what it would cost. */
export interface ComparedClass extends ClassCost {
  class: ClassHintClass;
  /** Class that would serve what this one does not accept; null: it takes every request. */
  rest: string | null;
  serviceSeconds: number;
  served: number;
  /** Cost at the measured rates times a factor. */
  at: (scale: number) => ClassCost;
}

export interface Comparison {
  load: RateShares;
  /** Cheapest class of the document first. */
  compared: ComparedClass[];
  /** Why the others are not. */
  leftOut: { class: string; why: 'few-services' | 'not-all-requests' }[];
}

/** Services of a class that must have been seen before its length of a service is taken for known. */
const leastServed = 10;
/** A class that fewer requests than this share never come to is taken to serve all alone. */
const turnedAway = 0.001;
/** As the policy `priced` takes a class that was never started. */
const assumedColdStartMs = 30_000;

/** Every class that is known well enough, at the measured load; null before any request was seen. */
export function compareClasses(spec: ClassHintSpec, memory: ClassHintMemory): Comparison | null {
  const load = sharesOf(memory.rates);
  if (!load || load.meanPerSecond === 0) return null;
  const comparison: Comparison = { load, compared: [], leftOut: [] };
  const arrivals = Object.values(memory.classes).reduce((sum, one) => sum + one.arrivals, 0);
  const timesOf = ({ name }: ClassHintClass) => knownTimes(memory.classes[name]);
  const forAll = spec.classes.find((one) => one.acceptsAll && timesOf(one) !== null);
  for (const [index, one] of spec.classes.entries()) {
    const times = timesOf(one);
    // Requests count at the cheapest class that accepts them: only of that one it is known which part it takes.
    const own = index === 0 ? (memory.classes[one.name]?.arrivals ?? 0) / Math.max(1, arrivals) : 0;
    const part = one.acceptsAll || own > 1 - turnedAway ? 1 : own;
    const restTimes = part < 1 && forAll ? timesOf(forAll) : null;
    if (times === null) {
      comparison.leftOut.push({ class: one.name, why: 'few-services' });
    } else if (part === 0 || (part < 1 && (!forAll || !restTimes))) {
      comparison.leftOut.push({ class: one.name, why: 'not-all-requests' });
    } else {
      const at = (scale: number): ClassCost => {
        const cost = costOfClass(spec, one, times, scaledRates(load, scale * part));
        if (!forAll || !restTimes) return cost;
        const other = costOfClass(
          { ...spec, minReplicas: 0 },
          forAll,
          restTimes,
          scaledRates(load, scale * (1 - part)),
        );
        return {
          costPerHourMicro: cost.costPerHourMicro + other.costPerHourMicro,
          lateShare: part * cost.lateShare + (1 - part) * other.lateShare,
          keepsPromise: cost.keepsPromise && other.keepsPromise,
        };
      };
      const served = memory.classes[one.name]?.served ?? 0;
      const rest = restTimes ? (forAll?.name ?? null) : null;
      comparison.compared.push({ class: one, rest, serviceSeconds: times.serviceSeconds, served, at, ...at(1) });
    }
  }
  return comparison;
}

function knownTimes(tally: ClassTally | undefined): ClassTimes | null {
  if (!tally || tally.served < leastServed) return null;
  const serviceSeconds = Math.max(0.001, tally.service / tally.served);
  return { serviceSeconds, coldStartSeconds: (tally.coldStartMs ?? assumedColdStartMs) / 1000 };
}

/** The cheapest of those that keep the promise; of equal ones the first. */
export function cheapest(compared: readonly ComparedClass[]): ComparedClass | null {
  return compared.reduce<ComparedClass | null>((best, one) => {
    if (!one.keepsPromise) return best;
    return best && best.costPerHourMicro <= one.costPerHourMicro ? best : one;
  }, null);
}
