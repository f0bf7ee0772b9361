import { unitsPerUs } from './batching.ts';

/** Beyond this the count of work begins anew, long before it would not be exact. */
const mostUnits = 2 ** 52;

/**
 * What is in service together on one replica (processor sharing): each request gets the same work done in a microsecond,
 * and how much depends on their number. Progress is one count for all of them: a request ends when the count reaches what
 * it was at its begin and the request's own work. So nothing is re-scaled when the number changes; a begin or an end costs
 * the logarithm of the number. Counts are whole numbers, which makes them exact: services of up to 19 hours.
 */
export class SharedService {
  readonly #rates: Float64Array;
  /** A binary heap by the count at which each ends, then by their begins. */
  readonly #ends: number[] = [];
  readonly #orders: number[] = [];
  readonly #rows: number[] = [];
  #units = 0;
  #atUs = 0;
  #begun = 0;

  constructor(rates: Float64Array) {
    this.#rates = rates;
  }

  /** A request begins that would take so long alone, whole microseconds. */
  begin(nowUs: number, row: number, lengthUs: number): void {
    this.#advance(nowUs);
    this.#ends.push(this.#units + lengthUs * unitsPerUs);
    this.#orders.push(this.#begun++);
    this.#rows.push(row);
    let index = this.#rows.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) break;
      this.#swap(index, parent);
      index = parent;
    }
  }

  /** When the next one ends if no other begins before, the whole microsecond that has seen it through; infinity: none is here. */
  nextUs(): number {
    const end = this.#ends[0];
    if (end === undefined) return Number.POSITIVE_INFINITY;
    return this.#atUs + Math.max(0, Math.ceil((end - this.#units) / this.#rate()));
  }

  /** Takes out the first one that has ended by now; null: none has. */
  take(nowUs: number): number | null {
    this.#advance(nowUs);
    const end = this.#ends[0];
    const row = this.#rows[0];
    if (end === undefined || row === undefined || end > this.#units) return null;
    this.#swap(0, this.#rows.length - 1);
    this.#ends.pop();
    this.#orders.pop();
    this.#rows.pop();
    this.#sink();
    return row;
  }

  #rate(): number {
    const last = this.#rates.length - 1;
    return this.#rates[Math.min(this.#rows.length, last)] as number;
  }

  #advance(nowUs: number): void {
    if (this.#rows.length === 0) this.#units = 0;
    else this.#units += this.#rate() * (nowUs - this.#atUs);
    this.#atUs = nowUs;
    if (this.#units < mostUnits) return;
    for (let index = 0; index < this.#ends.length; index++) {
      this.#ends[index] = (this.#ends[index] as number) - this.#units;
    }
    this.#units = 0;
  }

  #sink(): void {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= this.#rows.length) return;
      const right = left + 1;
      const child = right < this.#rows.length && this.#isBefore(right, left) ? right : left;
      if (!this.#isBefore(child, index)) return;
      this.#swap(child, index);
      index = child;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const difference = (this.#ends[one] as number) - (this.#ends[other] as number);
    return difference < 0 || (difference === 0 && (this.#orders[one] as number) < (this.#orders[other] as number));
  }

  #swap(one: number, other: number): void {
    for (const column of [this.#ends, this.#orders, this.#rows]) {
      const kept = column[one] as number;
      column[one] = column[other] as number;
      column[other] = kept;
    }
  }
}
