import type { LinearProgram } from '../../ports/solver.ts';

/** Collects a linear program column by column. Rows come first, then columns with their entries. */
export class ProgramBuilder {
  readonly #lower: number[] = [];
  readonly #rowUpper: number[] = [];
  readonly #cost: number[] = [];
  readonly #upper: number[] = [];
  readonly #starts: number[] = [0];
  readonly #rowOf: number[] = [];
  readonly #value: number[] = [];

  /** Returns the row's index. */
  row(lower: number, upper: number): number {
    this.#lower.push(lower);
    return this.#rowUpper.push(upper) - 1;
  }

  column(cost: number, upper: number, entries: Iterable<readonly [row: number, value: number]>): number {
    this.#cost.push(cost);
    for (const [row, value] of entries) {
      if (value === 0) continue;
      this.#rowOf.push(row);
      this.#value.push(value);
    }
    this.#starts.push(this.#rowOf.length);
    return this.#upper.push(upper) - 1;
  }

  program(whole: boolean): LinearProgram {
    return {
      columns: this.#cost.length,
      rows: this.#lower.length,
      cost: Float64Array.from(this.#cost),
      upper: Float64Array.from(this.#upper),
      rowLower: Float64Array.from(this.#lower),
      rowUpper: Float64Array.from(this.#rowUpper),
      starts: Int32Array.from(this.#starts),
      rowOf: Int32Array.from(this.#rowOf),
      value: Float64Array.from(this.#value),
      whole,
    };
  }
}
