import type { Requirement } from '../types.ts';

/**
 * Which values of one label are allowed: a set of values, or all but a set; whole numbers between two bounds where there
 * are any; and whether the label may be missing. All six operators of Kubernetes are such sets, and so is what remains of
 * two of them together.
 */
export interface ValueSet {
  /** `values` are the ones left out, not the ones allowed. */
  inverted: boolean;
  values: ReadonlySet<string>;
  /** Whole numbers above this one only. */
  above: number | null;
  /** Whole numbers below this one only. */
  below: number | null;
  absent: boolean;
}

export const anyValue: ValueSet = { inverted: true, values: new Set(), above: null, below: null, absent: true };

/** The set of one requirement. As in Kubernetes, NotIn and DoesNotExist also hold where the label is missing. */
export function valueSetOf({ operator, values }: Requirement): ValueSet {
  const [first = ''] = values;
  switch (operator) {
    case 'In':
      return { inverted: false, values: new Set(values), above: null, below: null, absent: false };
    case 'NotIn':
      return { inverted: true, values: new Set(values), above: null, below: null, absent: true };
    case 'Exists':
      return { ...anyValue, absent: false };
    case 'DoesNotExist':
      return { inverted: false, values: new Set(), above: null, below: null, absent: true };
    case 'Gt':
    case 'Lt': {
      const bound = wholeNumber(first);
      // A bound that is no whole number holds for nothing.
      if (bound === null) return { inverted: false, values: new Set(), above: null, below: null, absent: false };
      const [above, below] = operator === 'Gt' ? [bound, null] : [null, bound];
      return { inverted: true, values: new Set(), above, below, absent: false };
    }
  }
}

/** Whether a label's value, or its absence (`undefined`), is allowed. */
export function allows(set: ValueSet, value: string | undefined): boolean {
  if (value === undefined) return set.absent;
  if (!withinBounds(set, value)) return false;
  return set.values.has(value) !== set.inverted;
}

/** What both allow, and nothing else. */
export function intersect(a: ValueSet, b: ValueSet): ValueSet {
  const above = larger(a.above, b.above);
  const below = smaller(a.below, b.below);
  const absent = a.absent && b.absent;
  if (a.inverted && b.inverted) {
    return { inverted: true, values: new Set([...a.values, ...b.values]), above, below, absent };
  }
  const [finite, other] = a.inverted ? [b, a] : [a, b];
  const values = [...finite.values].filter((value) => allows(other, value) && withinBounds({ above, below }, value));
  return { inverted: false, values: new Set(values), above: null, below: null, absent };
}

/** Whether anything is allowed at all: some value, or the label's absence. */
export function satisfiable(set: ValueSet): boolean {
  return set.absent || hasValue(set);
}

function hasValue({ inverted, values, above, below }: ValueSet): boolean {
  if (!inverted) return [...values].some((value) => withinBounds({ above, below }, value));
  if (above === null || below === null) return true;
  const leftOut = [...values].map(wholeNumber).filter((value) => value !== null && value > above && value < below);
  // "7" and "07" are two texts of one number: leaving one out is taken to leave out the number.
  return below - above - 1 > new Set(leftOut).size;
}

function withinBounds({ above, below }: Pick<ValueSet, 'above' | 'below'>, value: string): boolean {
  if (above === null && below === null) return true;
  const number = wholeNumber(value);
  return number !== null && (above === null || number > above) && (below === null || number < below);
}

function wholeNumber(text: string): number | null {
  if (!/^-?\d{1,15}$/.test(text)) return null;
  return Number(text);
}

const larger = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.max(a, b));
const smaller = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.min(a, b));
