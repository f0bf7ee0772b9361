import { mix32 } from '../../dispatch/prng.ts';

/** Work that may be done, in units of a thousand simple steps. Steps depend on the input alone, never on the machine. */
export class Work {
  readonly budgetUnits: number;
  #steps = 0;

  constructor(budgetUnits: number) {
    this.budgetUnits = budgetUnits;
  }

  get usedUnits(): number {
    return Math.ceil(this.#steps / 1000);
  }

  get leftUnits(): number {
    return Math.max(0, this.budgetUnits - this.usedUnits);
  }

  spend(steps: number): void {
    this.#steps += steps;
  }

  spendUnits(units: number): void {
    this.#steps += units * 1000;
  }

  /** Whether this part of the budget is used up. */
  isOver(part: number): boolean {
    return this.#steps >= part * this.budgetUnits * 1000;
  }
}

/** Seeded numbers in [0, 1): the same seed gives the same plan. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return mix32(this.#state) / 0x1_0000_0000;
  }

  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }
}
