import { type CompiledFormula, compileFormula, evaluate } from './compile.ts';
import { FormulaError } from './problem.ts';

/** Formulas kept ready: at least this many of those used last, at most twice as many. */
const keptFormulas = 16_384;

/** Two generations: what is used moves to the young one, and what was not used while that filled up is forgotten. */
let young = new Map<string, CompiledFormula>();
let old = new Map<string, CompiledFormula>();

/**
 * The value of a formula over these trigger values; null when it is nil. Reads the text once and keeps it ready.
 * Throws a FormulaError when it cannot be read or computed.
 */
export function evaluateFormula(text: string, values: Readonly<Record<string, number | null>>): number | null {
  return evaluate(compiled(text, Object.keys(values)), values);
}

function compiled(text: string, names: string[]): CompiledFormula {
  const key = `${text}\0${names.join('\0')}`;
  const ready = young.get(key);
  if (ready) return ready;
  const formula = old.get(key) ?? compileOrThrow(text, names);
  if (young.size >= keptFormulas) {
    old = young;
    young = new Map();
  }
  young.set(key, formula);
  return formula;
}

function compileOrThrow(text: string, names: string[]): CompiledFormula {
  const result = compileFormula(text, names);
  if (result.ok) return result.formula;
  const [problem] = result.problems;
  throw new FormulaError(
    problem?.message ?? 'the formula cannot be read',
    problem ?? { offset: 0, line: 1, column: 1 },
  );
}
