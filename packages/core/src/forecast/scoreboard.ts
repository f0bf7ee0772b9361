import { objectOf } from '../replicas/algorithms/storedJson.ts';
import type { Json } from '../replicas/types.ts';
import { at, dayMs, rounded, storedNumbers, weekMs } from './numbers.ts';
import type { Floors } from './shadow.ts';
import { type Evidence, isTrusted } from './trust.ts';
import type { ForecastScore, ResolvedSettings } from './types.ts';

/** A longer cold start is scored as one of so many buckets: it bounds the memory. */
const longestLead = 8;
const digits = 5;
/** Cost of a day and of a week, short slot-s of a week, raises, spread to either reference, trusted; block: cost, short, raises. */
const fields = 10;

/** Replica-milliseconds and short slot-milliseconds of each contender, slot-milliseconds of demand. */
interface SpanCost {
  held: Float64Array;
  short: Float64Array;
  area: number;
  lengthMs: number;
}

interface Contender {
  name: ForecastScore['name'];
  isStated: boolean;
  numbers: Float64Array;
  /** Floors decided at the last closings, the newest first: a replica serves when it was in all of them. */
  decided: number[];
}

/** Nothing is known yet: what is stated is trusted, what is learnt is not. */
const startOf = (isStated: boolean): Float64Array => {
  const numbers = new Float64Array(fields);
  numbers[6] = isStated ? 1 : 0;
  return numbers;
};

export const leadBuckets = (settings: ResolvedSettings): number =>
  Math.min(longestLead, Math.ceil(settings.coldStartMs / settings.bucketMs));

/**
 * What following each contender cost: replica-seconds held + late price × late requests, gathered in blocks of an hour
 * and forgotten with e-folding of a day and of a week. Contender 0 is the reactive part alone, 1 the constant count.
 */
export class Scoreboard {
  readonly contenders: Contender[];
  readonly floors: Floors;
  readonly #lead: number;
  #demandWeek = 0;
  #blockDemand = 0;
  #blockMs = 0;

  constructor(
    memory: Json | undefined,
    settings: ResolvedSettings,
    names: readonly Pick<Contender, 'name' | 'isStated'>[],
  ) {
    const stored = objectOf(memory);
    const shared = storedNumbers(stored.shared, 3);
    const scores = objectOf(stored.scores);
    const decided = objectOf(stored.decided);
    this.#lead = leadBuckets(settings);
    [this.#demandWeek = 0, this.#blockDemand = 0, this.#blockMs = 0] = shared ?? [];
    this.contenders = names.map(({ name, isStated }) => {
      const list = decided[name];
      const floors = storedNumbers(list, Array.isArray(list) ? list.length : 0) ?? [];
      return {
        name,
        isStated,
        numbers: (shared && storedNumbers(scores[name], fields)) ?? startOf(isStated),
        decided: [...floors].slice(0, longestLead + 1),
      };
    });
    this.floors = { held: new Float64Array(names.length), usable: new Float64Array(names.length) };
    for (const [index, contender] of this.contenders.entries()) this.#showFloor(index, contender);
  }

  #showFloor(index: number, { decided }: Contender): void {
    const needed = this.#lead + 1;
    this.floors.held[index] = decided[0] ?? 0;
    this.floors.usable[index] = decided.length < needed ? 0 : Math.min(...decided.slice(0, needed));
  }

  /** The floor that a contender decides for the next bucket or silent stretch, and for how many buckets it is a raise. */
  decide(index: number, replicas: number, raisedBuckets: number): void {
    const contender = this.contenders[index];
    if (!contender) return;
    contender.decided.unshift(replicas);
    contender.decided.length = Math.min(contender.decided.length, this.#lead + 1);
    contender.numbers[9] = at(contender.numbers, 9) + raisedBuckets;
    this.#showFloor(index, contender);
  }

  /** Adds a closed span at what a late request is worth now. */
  add({ latePriceSeconds, serviceMs }: ResolvedSettings, { held, short, area, lengthMs }: SpanCost): void {
    const price = latePriceSeconds / serviceMs;
    for (const [index, { numbers }] of this.contenders.entries()) {
      numbers[7] = rounded(at(numbers, 7) + at(held, index) / 1_000 + price * at(short, index), 9);
      numbers[8] = rounded(at(numbers, 8) + at(short, index) / 1_000, 9);
    }
    this.#blockDemand += area;
    this.#blockMs += lengthMs;
  }

  /** Ends a block: its costs and savings go into the scores, and trust is given or taken. */
  closeBlock(leastSaving: number): void {
    const day = Math.exp(-this.#blockMs / dayMs);
    const week = Math.exp(-this.#blockMs / weekMs);
    const [reactive, constant] = this.contenders.map(({ numbers }) => at(numbers, 7));
    for (const { numbers } of this.contenders) {
      const [costDay = 0, costWeek = 0, shortWeek = 0, raises = 0, spreadR = 0, spreadC = 0] = numbers;
      const [cost = 0, short = 0, raised = 0] = numbers.subarray(7);
      numbers[0] = rounded(costDay * day + cost, digits);
      numbers[1] = rounded(costWeek * week + cost, digits);
      numbers[2] = rounded(shortWeek * week + short, digits);
      numbers[3] = rounded(raises * week + raised, digits);
      // The spread of a decayed sum decays with the same factor as the sum.
      numbers[4] = rounded(Math.hypot(spreadR * week, (reactive ?? 0) - cost), digits);
      numbers[5] = rounded(Math.hypot(spreadC * week, (constant ?? 0) - cost), digits);
      numbers.fill(0, 7);
    }
    this.#demandWeek = rounded(this.#demandWeek * week + this.#blockDemand / 1_000, digits);
    this.#blockDemand = 0;
    this.#blockMs = 0;
    for (let index = 2; index < this.contenders.length; index += 1) {
      const contender = this.contenders[index];
      if (contender) contender.numbers[6] = isTrusted(this.evidence(index), leastSaving) ? 1 : 0;
    }
  }

  /** All that trust in a contender rests on. */
  evidence(index: number): Evidence {
    const contender = this.contenders[index];
    const [costDay = 0, costWeek = 0, shortWeek = 0, raises = 0, spreadR = 0, spreadC = 0, trusted = 0] =
      contender?.numbers ?? [];
    const [reactive, constant] = this.contenders;
    return {
      isStated: contender?.isStated ?? false,
      isTrusted: trusted > 0,
      raises,
      costDay,
      costWeek,
      reactiveDay: at(reactive?.numbers ?? [], 0),
      reactiveWeek: at(reactive?.numbers ?? [], 1),
      constantDay: at(constant?.numbers ?? [], 0),
      constantWeek: at(constant?.numbers ?? [], 1),
      spreadToReactive: spreadR,
      spreadToConstant: spreadC,
      lateShare: this.#demandWeek > 0 ? Math.min(1, shortWeek / this.#demandWeek) : 0,
    };
  }

  toJson(): Json {
    return {
      shared: [this.#demandWeek, this.#blockDemand, this.#blockMs],
      scores: Object.fromEntries(this.contenders.map(({ name, numbers }) => [name, [...numbers]])),
      decided: Object.fromEntries(this.contenders.map(({ name, decided }) => [name, [...decided]])),
    };
  }
}
