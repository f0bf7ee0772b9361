import { Column } from './column.ts';

/** A request in a slot. */
export interface Overlap {
  /** Least time in service within the slot. */
  overlapUs: number;
  /** The same over all slots: the part of the request that is in this one is overlap ÷ sum. */
  sumUs: number;
  /** In service at the slot's most crowded instant, whenever it begins on time. */
  isCertain: boolean;
}

/** Below this a remainder is rounding. */
const epsilon = 1e-9;

const none: Overlap = { overlapUs: 0, sumUs: 1, isCertain: false };

/**
 * What it takes to get on with m levels, for each m of each slot after the other. Work has to go in the cheapest way: first that of
 * requests of which least is lost for the work, the longest ones (a fractional knapsack). At the crowded instant whole
 * requests have to go, those with the smallest part in this slot first.
 */
export class LatePrices {
  readonly #slots: number;
  readonly late = new Column();
  readonly workUs = new Column();

  constructor(slots: number) {
    this.#slots = slots;
  }

  /** Appends the slot's numbers, from m = 0 on; the request that is longest in service in it. Sorts the entries. */
  add(entries: Overlap[], lengthUs: number): Overlap {
    if (entries.length === 0) {
      this.late.push(0);
      this.workUs.push(0);
      return none;
    }
    const slots = this.#slots;
    entries.sort((a, b) => b.sumUs - a.sumUs);
    let totalUs = 0;
    let longest = none;
    const certain: number[] = [];
    for (const entry of entries) {
      totalUs += entry.overlapUs;
      if (entry.overlapUs > longest.overlapUs) longest = entry;
      if (entry.isCertain) certain.push(entry.overlapUs / entry.sumUs);
    }
    certain.sort((a, b) => a - b);
    const levels = Math.max(1, Math.ceil(totalUs / (slots * lengthUs) - epsilon), Math.ceil(certain.length / slots));
    const first = this.late.length;
    for (let level = 0; level <= levels; level++) {
      this.late.push(0);
      this.workUs.push(0);
    }
    // The knapsack as far as it has been filled; m falls, so it only gets fuller.
    let [next, goneUs, gone] = [0, 0, 0];
    let [dropped, instant] = [0, 0];
    for (let level = levels; level >= 0; level--) {
      for (; dropped < certain.length - level * slots; dropped++) instant += certain[dropped] ?? 0;
      const needUs = level === 0 ? totalUs : Math.max(0, totalUs - level * slots * lengthUs);
      for (; next < entries.length && (goneUs < needUs || gone < instant); next++) {
        const { overlapUs, sumUs } = entries[next] ?? none;
        if (goneUs + overlapUs > needUs && gone + overlapUs / sumUs > instant) break;
        goneUs += overlapUs;
        gone += overlapUs / sumUs;
      }
      // The one that goes only in part.
      const { sumUs } = entries[next] ?? none;
      const partUs = next < entries.length ? Math.max(0, needUs - goneUs, (instant - gone) * sumUs) : 0;
      this.late.set(first + level, gone + partUs / sumUs);
      this.workUs.set(first + level, Math.max(0, totalUs - goneUs - partUs) / slots);
    }
    return longest;
  }
}
