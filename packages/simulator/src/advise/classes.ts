import type { PolicyBase } from '../compare/policies.ts';
import type { WorldModel } from '../contract/model.ts';
import { type Advice, type AdvisedClass, type AdviseOptions, type ClassChoice, leastGain } from './advice.ts';
import { resampled } from './blocks.ts';

/** Advice for one world, with what its choice came to in each part of the trace. */
export interface Study {
  advice: Advice;
  /** Replica-seconds of the chosen candidate, by part. */
  seconds: number[];
  /** Late requests of the chosen one and all requests, by part rehearsed by itself; empty: the trace is too short. */
  late: number[];
  requests: number[];
  /** Money of the documents as they are, by part; null: there are none, or no price is known. */
  presentMicro: number[] | null;
}

/** What is studied in place of what the options say. */
export interface ClassWorld {
  base: PolicyBase;
  model: WorldModel;
  present: AdviseOptions['present'];
  /** The world of the documents as they are, with all their classes. */
  presentModel: WorldModel;
}

interface Studied {
  class: AdvisedClass;
  study: Study;
}

/**
 * Finds the best way to run the load on each class alone, and says which class costs least of those that keep the promise.
 * With one class the candidate does not hang on the price of an hour, so where the answer flips is a ratio of replica-hours.
 * The documents with all their classes stand beside it and stay where nothing is clearly cheaper.
 */
export async function adviseOnClasses(
  options: AdviseOptions,
  classes: readonly AdvisedClass[],
  study: (world: ClassWorld) => Promise<Study>,
): Promise<Advice> {
  const presentModel = options.model;
  const studied: Studied[] = [];
  for (const one of classes) {
    studied.push({ class: one, study: await study({ base: one.base, model: one.model, present: null, presentModel }) });
  }
  const prices = pricesOf(options, classes);
  const costOf = (one: Studied) => one.study.advice.chosen.replicaHoursAMonth * (prices?.get(one.class.name) ?? 1);
  const keepers = studied.filter((one) => one.study.advice.chosen.qualifies).sort((a, b) => costOf(a) - costOf(b));
  const [best = null, second = null] = keepers;
  const told = best ?? studied.reduce((least, one) => (lateOf(one) < lateOf(least) ? one : least));
  // Beside the documents as they are; what was rehearsed for the class alone is not rehearsed again.
  const { base, model } = told.class;
  const whole = await study({ base, model, present: options.present, presentModel });
  const { advice } = whole;
  const staysMixed = advice.present !== null && advice.chosen === advice.present;
  return {
    ...advice,
    classes: {
      best: best?.class.name ?? null,
      second: second?.class.name ?? null,
      staysMixed,
      classes: studied.map((one): ClassChoice => {
        const { chosen, coldStartMs } = one.study.advice;
        const other = one === best ? second : best;
        return {
          name: one.class.name,
          candidate: chosen,
          coldStartMs,
          pricePerHourMicro: prices?.get(one.class.name) ?? 0,
          microAMonth: prices ? costOf(one) : null,
          breakEvenMicro:
            prices && other && chosen.qualifies && chosen.replicaHoursAMonth > 0
              ? costOf(other) / chosen.replicaHoursAMonth
              : null,
          hasOwnService: one.class.hasOwnService,
        };
      }),
      mix: advice.present,
      confidence: best && !staysMixed ? confidenceOf(best, keepers, whole, prices, options) : null,
      currency: advice.chosen.currency ?? advice.candidates.find(({ currency }) => currency !== null)?.currency ?? null,
    },
  };
}

const lateOf = ({ study }: Studied) => 1 - study.advice.chosen.onTimeShare;

/** Micro-units an hour by class; null: none has a price, and replica-hours are all that can be compared. */
function pricesOf({ price = null }: AdviseOptions, classes: readonly AdvisedClass[]): Map<string, number> | null {
  const prices = new Map(classes.map(({ name, pricePerHourMicro }) => [name, price ?? pricePerHourMicro]));
  return [...prices.values()].some((one) => one > 0) ? prices : null;
}

function confidenceOf(
  best: Studied,
  keepers: readonly Studied[],
  whole: Study,
  prices: ReadonlyMap<string, number> | null,
  { model, seed }: AdviseOptions,
): number | null {
  const { late, requests, advice } = best.study;
  if (late.length === 0) return null;
  const sum = (values: readonly number[], picked: readonly number[]) =>
    picked.reduce((total, index) => total + (values[index] ?? 0), 0);
  const costIn = (one: Studied, picked: readonly number[]) =>
    (sum(one.study.seconds, picked) / 3600) * (prices?.get(one.class.name) ?? 1);
  const mix = whole.advice.present?.qualifies === true && prices ? whole.presentMicro : null;
  const held = resampled(advice.blocks.count, seed, (picked): number => {
    const allowed = sum(requests, picked) * (1 - model.onTimeShare) + 1e-9;
    const least = Math.min(
      ...keepers.map((one) => costIn(one, picked)),
      mix ? sum(mix, picked) : Number.POSITIVE_INFINITY,
    );
    return sum(late, picked) <= allowed && costIn(best, picked) <= least * (1 + leastGain) ? 1 : 0;
  });
  return held.reduce((total, one) => total + one, 0) / held.length;
}
