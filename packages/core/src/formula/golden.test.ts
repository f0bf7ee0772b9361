import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Compilation, compileFormula, evaluate } from './compile.ts';
import { FormulaError } from './problem.ts';

/** What the real library made of a formula (tools/golden/expr writes the table). */
type Outcome = number | 'NaN' | '+Inf' | '-Inf' | '-0' | 'nil' | Refused;
/** Refused when compiled; when tried with every trigger at -1; failed when run; gave something else than a float. */
type Refused = 'compile' | 'admission' | 'run' | 'type';

interface Head {
  byHand: number;
  names: string[];
  environments: Record<string, number | null>[];
}

const [head, ...rows] = readFileSync(new URL('./golden.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line): unknown => JSON.parse(line)) as [
  Head,
  ...[formula: string, results: [environment: number, Outcome][]][],
];

/** Formulas that KEDA takes by accident and we do not: its `float(` + formula + `)` closes what the formula left open. */
const onlyByAccident = new Set(['a) + (b', 'a,']);

/** Formulas that KEDA cannot take although they make sense: it wraps a closing comment together with the `)`. */
const onlyHere = new Set(['a // end']);

/**
 * Going through a list from its end leaves values behind on expr's stack (v1.17.8), so that what stands to the left of
 * such a call finds a wrong operand and fails. Here the call does what it says.
 */
const fromTheEnd = /findLast|\[-1\]|last\(/;

const words = {
  NaN: Number.NaN,
  '+Inf': Number.POSITIVE_INFINITY,
  '-Inf': Number.NEGATIVE_INFINITY,
  '-0': -0,
  nil: null,
};

function isRefused(outcome: Outcome): outcome is Refused {
  return outcome === 'compile' || outcome === 'admission' || outcome === 'run' || outcome === 'type';
}

/** The value, or undefined when it cannot be computed. */
function ours(compiled: Compilation, values: Record<string, number | null>): number | null | undefined {
  if (!compiled.ok) return undefined;
  try {
    return evaluate(compiled.formula, values);
  } catch (error) {
    if (error instanceof FormulaError) return undefined;
    throw error;
  }
}

const bits = new DataView(new ArrayBuffer(8));

function ulpsBetween(one: number, other: number): number {
  const place = (value: number) => {
    bits.setFloat64(0, value);
    return bits.getBigInt64(0);
  };
  const distance = place(one) - place(other);
  return Number(distance < 0n ? -distance : distance);
}

describe('the formula language beside the real library', () => {
  it('has a table worth comparing with', () => {
    expect(rows.length).toBeGreaterThan(3_500);
    expect(head.byHand).toBeGreaterThan(600);
    const outcomes = rows.flatMap(([, results]) => results.map(([, outcome]) => outcome));
    expect(outcomes.filter((outcome) => typeof outcome === 'number').length).toBeGreaterThan(6_000);
    expect(outcomes.filter(isRefused).length).toBeGreaterThan(1_500);
  });

  it('agrees on every value and every refusal', () => {
    const differences: string[] = [];
    const exceptions = { byAccident: 0, fromTheEnd: 0, onlyHere: 0, nearly: 0 };
    let agreed = 0;
    for (const [formula, results] of rows) {
      const compiled = compileFormula(formula, head.names);
      for (const [environment, outcome] of results) {
        const wanted = isRefused(outcome) ? undefined : typeof outcome === 'number' ? outcome : words[outcome];
        const found = ours(compiled, head.environments[environment] ?? {});
        // Refused at admission there, and only when evaluated here, would be too late.
        const isLate = (outcome === 'compile' || outcome === 'admission') && compiled.ok;
        if (Object.is(found, wanted) && !isLate) agreed += 1;
        else if (onlyByAccident.has(formula) && !compiled.ok) exceptions.byAccident += 1;
        else if (onlyHere.has(formula) && outcome === 'compile') exceptions.onlyHere += 1;
        else if (fromTheEnd.test(formula) && (outcome === 'admission' || outcome === 'run')) exceptions.fromTheEnd += 1;
        // exp and log of Go and JavaScript differ in the last bit; whole exponents do not go through them.
        else if (
          /\*\*|\^/.test(formula) &&
          typeof found === 'number' &&
          typeof wanted === 'number' &&
          ulpsBetween(found, wanted) <= 2
        ) {
          exceptions.nearly += 1;
        } else
          differences.push(
            `${JSON.stringify(formula)} in ${environment}: ${String(outcome)} there, ${String(found)} here`,
          );
      }
    }
    expect(differences).toEqual([]);
    expect(agreed).toBeGreaterThan(9_000);
    expect(exceptions).toEqual({ byAccident: 11, onlyHere: 1, fromTheEnd: 6, nearly: 7 });
  });
});
