import { Checker } from './check.ts';
import { convertToFloat } from './convert.ts';
import { Frame, type Thunk } from './frame.ts';
import { maxFormulaLength } from './limits.ts';
import { lower } from './lower.ts';
import { isUnknown, type Nature, natureName } from './natures.ts';
import { parse } from './parser.ts';
import { Fault, FormulaError, type FormulaProblem, placeOf, Refusal } from './problem.ts';
import { rewrite } from './rewrite.ts';
import { isNil, typeName, type Value, withArticle } from './values.ts';

/** A formula that was read and checked, ready to be evaluated any number of times. */
export interface CompiledFormula {
  readonly text: string;
  /** The values it may use. */
  readonly names: readonly string[];
  readonly form: Form;
  readonly run: Thunk;
  /** Room for variables that an evaluation needs. */
  readonly variables: number;
}

/**
 * What KEDA makes of the text before it hands it to expr (castToFloatIfNecessary in its webhook): a formula that
 * contains `??` may be nil and is a float otherwise, one that begins with `float(` stays as it is, every other one is
 * wrapped in `float(…)`.
 */
type Form = 'floatOrNil' | 'asItIs' | 'float';

export type Compilation = { ok: true; formula: CompiledFormula } | { ok: false; problems: FormulaProblem[] };

/**
 * Reads and checks a scaling-modifier formula over these trigger names, all of them floats. Refused is what KEDA refuses
 * at admission, which includes a formula that fails when every trigger is -1; all type errors are told at once.
 */
export function compileFormula(text: string, names: readonly string[]): Compilation {
  try {
    const formula = compile(text, names);
    if ('problems' in formula) return { ok: false, problems: formula.problems };
    evaluate(formula, Object.fromEntries(names.map((name) => [name, trialValue])));
    return { ok: true, formula };
  } catch (error) {
    if (error instanceof Refusal) {
      const { message, offset, found, allowed } = error;
      return { ok: false, problems: [{ message, ...placeOf(text, offset), found, ...(allowed && { allowed }) }] };
    }
    if (error instanceof FormulaError) {
      const message = `${error.message} (tried with every trigger at ${trialValue}, as KEDA does when the object is applied)`;
      return { ok: false, problems: [{ message, ...placeOf(text, error.offset), found: wordAt(text, error.offset) }] };
    }
    throw error;
  }
}

const trialValue = -1;

function compile(text: string, names: readonly string[]): CompiledFormula | { problems: FormulaProblem[] } {
  if (text.length > maxFormulaLength) throw new Refusal(`longer than ${maxFormulaLength} characters`, 0);
  if (text.trim() === '') throw new Refusal('the formula is empty', 0);
  const form = formOf(text);
  const known = new Set(names);
  const tree = parse(text, known, form !== 'float');
  const checker = new Checker(known);
  const wrong = resultProblem(form, checker.check(tree));
  const findings = checker.findings.toSorted((one, other) => one.at - other.at);
  if (findings.length === 0 && wrong !== null) findings.push({ message: wrong, at: 0 });
  if (findings.length > 0) {
    return {
      problems: findings.map(({ message, at, allowed, suggestion }) => ({
        message,
        ...placeOf(text, at),
        found: wordAt(text, at),
        ...(allowed && { allowed }),
        ...(suggestion !== undefined && { suggestion }),
      })),
    };
  }
  return { text, names: [...names], form, ...lower(rewrite(tree)) };
}

function formOf(text: string): Form {
  if (text.includes('??')) return 'floatOrNil';
  return text.startsWith('float(') ? 'asItIs' : 'float';
}

function resultProblem(form: Form, result: Nature): string | null {
  if (isUnknown(result) || result.kind === 'float') return null;
  const found = withArticle(natureName(result));
  if (form === 'asItIs') {
    return result.kind === 'nil'
      ? null
      : `the result is ${found}, not a float: a formula that begins with "float(" is taken as it is; put all of it into float(…)`;
  }
  return result.kind === 'int' || result.kind === 'string' ? null : `the result is ${found}, not a number`;
}

/**
 * The value of the formula, null when it is nil. Division by zero gives an infinity or NaN, which is the caller's to
 * handle. Throws a FormulaError at the place that could not be computed.
 */
export function evaluate(formula: CompiledFormula, values: Readonly<Record<string, number | null>>): number | null {
  const frame = new Frame(values, formula.variables);
  try {
    return toResult(formula, formula.run(frame), frame);
  } catch (error) {
    if (error instanceof Fault) {
      const missing = formula.names.filter((name) => formula.text.includes(name) && frame.value(name) === null);
      const hint = missing.length === 0 ? '' : `; no value of ${missing.join(', ')}`;
      throw new FormulaError(error.message + hint, placeOf(formula.text, frame.at));
    }
    // The only thing that recurses without a bound of its own is a list in a list in a list.
    if (error instanceof RangeError)
      throw new FormulaError('lists are nested too deeply', placeOf(formula.text, frame.at));
    throw error;
  }
}

function toResult({ form }: CompiledFormula, value: Value, frame: Frame): number | null {
  if (typeof value === 'number') return value;
  frame.at = 0;
  if (value === null && form !== 'float') return null;
  if (form === 'asItIs') throw new Fault(`the result is ${withArticle(typeName(value))}, not a float`);
  if (!isNil(value)) return convertToFloat(value);
  if (form === 'floatOrNil') return null;
  throw new Fault('the result is nil; ?? gives another value for it');
}

/** The word or character that stands at a place. */
function wordAt(text: string, offset: number): string {
  const rest = text.slice(offset, offset + 64);
  return /^([\p{L}\p{Nd}_$]+|[^\p{L}\p{Nd}_$\s])/u.exec(rest)?.[0] ?? '';
}
