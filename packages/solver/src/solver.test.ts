import type { LinearProgram, Solver } from '@ebb/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { highsSolver } from './highsSolver.ts';
import { simplexSolver } from './simplexSolver.ts';

const infinity = Number.POSITIVE_INFINITY;

/** Columns as [cost, upper, entries by row], rows as [lower, upper]. */
function programOf(
  rows: readonly [number, number][],
  columns: readonly [number, number, readonly number[]][],
  whole = false,
): LinearProgram {
  const starts = [0];
  const rowOf: number[] = [];
  const value: number[] = [];
  for (const [, , entries] of columns) {
    for (const [row, each] of entries.entries()) {
      if (each === 0) continue;
      rowOf.push(row);
      value.push(each);
    }
    starts.push(rowOf.length);
  }
  return {
    columns: columns.length,
    rows: rows.length,
    cost: Float64Array.from(columns, ([cost]) => cost),
    upper: Float64Array.from(columns, ([, upper]) => upper),
    rowLower: Float64Array.from(rows, ([lower]) => lower),
    rowUpper: Float64Array.from(rows, ([, upper]) => upper),
    starts: Int32Array.from(starts),
    rowOf: Int32Array.from(rowOf),
    value: Float64Array.from(value),
    whole,
  };
}

/** Covers every row with columns that cost something: always solvable, never unbounded. */
const anyCover = fc
  .record({
    needs: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }),
    columns: fc.array(
      fc.record({
        cost: fc.integer({ min: 1, max: 30 }),
        upper: fc.constantFrom(infinity, infinity, 4),
        entries: fc.array(fc.nat(5), { minLength: 5, maxLength: 5 }),
      }),
      { maxLength: 8 },
    ),
    cap: fc.constantFrom(infinity, 12),
  })
  .map(({ needs, columns, cap }) => {
    const rows = [...needs.map((need): [number, number] => [need, infinity]), [-infinity, cap] as [number, number]];
    // The last row counts the offered columns; one dear column for each need makes every program solvable.
    const offered = columns.map(({ cost, upper, entries }): [number, number, number[]] => [
      cost,
      upper,
      [...needs.map((_, row) => entries[row] ?? 0), 1],
    ]);
    const dear = needs.map((_, row): [number, number, number[]] => [
      100,
      infinity,
      needs.map((_, i) => (i === row ? 1 : 0)),
    ]);
    return { rows, columns: [...offered, ...dear] };
  });

const close = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * (1 + Math.abs(a));
const budget = 1e6;

const solvers: Solver[] = [await highsSolver(), simplexSolver()];
describe.each(solvers)('$name', (solver) => {
  it('solves the example of the manual: 20 chairs and 10 tables', () => {
    const program = programOf(
      [
        [-infinity, 40],
        [-infinity, 50],
      ],
      [
        [-30, infinity, [1, 2]],
        [-50, infinity, [2, 1]],
      ],
      true,
    );
    const { status, x, objective } = solver.solve(program, budget);
    expect({ status, x: [...x].map(Math.round), objective: Math.round(objective) }).toEqual({
      status: 'optimal',
      x: [20, 10],
      objective: -1100,
    });
  });

  it('gives a solution that holds, and duals that prove it is the best', () => {
    fc.assert(
      fc.property(anyCover, ({ rows, columns }) => {
        const program = programOf(rows, columns);
        const { status, x, duals, objective } = solver.solve(program, budget);
        expect(status).toBe('optimal');
        let worth = 0;
        for (const [i, [lower, upper]] of rows.entries()) {
          const sum = columns.reduce((total, [, , entries], j) => total + (entries[i] ?? 0) * (x[j] ?? 0), 0);
          expect(sum).toBeGreaterThanOrEqual(lower - 1e-6);
          expect(sum).toBeLessThanOrEqual(upper + 1e-6);
          const dual = duals[i] ?? 0;
          if (Math.abs(dual) > 1e-9) worth += dual * (dual > 0 ? lower : upper);
        }
        let cost = 0;
        for (const [j, [each, upper, entries]] of columns.entries()) {
          cost += each * (x[j] ?? 0);
          const reduced = each - entries.reduce((sum, value, i) => sum + value * (duals[i] ?? 0), 0);
          if (reduced < -1e-7) worth += reduced * upper;
        }
        expect(close(cost, objective)).toBe(true);
        expect(close(worth, objective)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('finds whole numbers that hold, no cheaper than the divisible ones', () => {
    fc.assert(
      fc.property(anyCover, ({ rows, columns }) => {
        const whole = solver.solve(programOf(rows, columns, true), budget);
        const divisible = solver.solve(programOf(rows, columns), budget);
        expect(whole.status).not.toBe('failed');
        expect(whole.objective).toBeGreaterThanOrEqual(divisible.objective - 1e-6);
        for (const value of whole.x) expect(Math.abs(value - Math.round(value))).toBeLessThan(1e-6);
        for (const [i, [lower, upper]] of rows.entries()) {
          const sum = columns.reduce((total, [, , entries], j) => total + (entries[i] ?? 0) * (whole.x[j] ?? 0), 0);
          expect(sum >= lower - 1e-6 && sum <= upper + 1e-6).toBe(true);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('says when there is no solution', () => {
    const impossible = programOf(
      [
        [5, infinity],
        [-infinity, 3],
      ],
      [[1, infinity, [1, 1]]],
    );
    expect(solver.solve(impossible, budget).status).toBe('failed');
  });

  it('counts work by the program alone', () => {
    const { rows, columns } = fc.sample(anyCover, { seed: 7, numRuns: 1 })[0] ?? { rows: [], columns: [] };
    const first = solver.solve(programOf(rows, columns, true), budget);
    expect(solver.solve(programOf(rows, columns, true), budget)).toEqual(first);
    expect(first.workUnits).toBeGreaterThan(0);
  });
});

it('both agree', () => {
  fc.assert(
    fc.property(anyCover, ({ rows, columns }) => {
      const [a = 0, b = 0] = solvers.map((solver) => solver.solve(programOf(rows, columns), budget).objective);
      expect(close(a, b)).toBe(true);
    }),
    { numRuns: 30 },
  );
});
