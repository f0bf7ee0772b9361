import { globPattern } from './globPattern.ts';
import type { JsonPath, Query, Step } from './gjsonPath.ts';

/** What a path leads to; undefined where there is nothing. */
export function jsonValue(document: unknown, path: JsonPath): unknown {
  let value = document;
  for (const steps of path) {
    value = follow(value, steps);
    if (value === undefined) return undefined;
  }
  return value;
}

function follow(value: unknown, steps: readonly Step[]): unknown {
  const [step, ...rest] = steps;
  if (!step) return value;
  if (Array.isArray(value)) return inList(value, step, rest);
  if (typeof value !== 'object' || value === null) return undefined;
  if (step.kind === 'query') return undefined;
  const name = step.kind === 'each' ? '#' : step.text;
  if (step.kind === 'key' && step.pattern) {
    // Behind a pattern, the first name that fits and leads on.
    for (const [key, inner] of Object.entries(value)) {
      const found = step.pattern.test(key) ? follow(inner, rest) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return Object.hasOwn(value, name) ? follow((value as Record<string, unknown>)[name], rest) : undefined;
}

function inList(list: readonly unknown[], step: Step, rest: readonly Step[]): unknown {
  if (step.kind === 'key') return /^\d+$/.test(step.text) ? follow(list[Number(step.text)], rest) : undefined;
  if (step.kind === 'each') return rest.length === 0 ? list.length : ofEach(list, rest);
  const fitting = (element: unknown) => fits(element, step.query);
  if (step.all) return ofEach(list.filter(fitting), rest);
  const at = list.findIndex(fitting);
  return at < 0 ? undefined : follow(list[at], rest);
}

/** Those that do not have it are left out. */
function ofEach(list: readonly unknown[], steps: readonly Step[]): unknown[] {
  return list.map((element) => follow(element, steps)).filter((value) => value !== undefined);
}

function fits(element: unknown, query: Query): boolean {
  const isDocument = typeof element === 'object' && element !== null;
  const given = query.path.length === 0 ? element : isDocument ? follow(element, query.path) : undefined;
  if (query.likeness !== null) return compareBoolean(isLike(given, query.likeness), query.operator, 'true');
  if (given === undefined) return false;
  if (query.operator === null) return true;
  if (typeof given === 'string') return compareText(given, query);
  if (typeof given === 'number') return compareNumber(given, query);
  return typeof given === 'boolean' && compareBoolean(given, query.operator, query.value);
}

/** As GJSON's `~`: what is missing is like null and like false. */
function isLike(value: unknown, likeness: NonNullable<Query['likeness']>): boolean {
  if (likeness === '*') return value !== undefined;
  if (likeness === 'null') return value === undefined || value === null;
  const isTrue =
    value === true ||
    (typeof value === 'number' && value !== 0) ||
    (typeof value === 'string' && /^(1|t|true)$/i.test(value));
  if (likeness === 'true') return isTrue;
  return (
    value === undefined ||
    value === null ||
    value === false ||
    value === 0 ||
    (typeof value === 'string' && /^(0|f|false)$/i.test(value))
  );
}

function compareText(given: string, { operator, value }: Query): boolean {
  switch (operator) {
    case '%':
      return globPattern(value).test(given);
    case '!%':
      return !globPattern(value).test(given);
    default:
      return ordered(given, operator, value);
  }
}

function compareNumber(given: number, { operator, value }: Query): boolean {
  const number = Number(value);
  return ordered(given, operator, value === '' || Number.isNaN(number) ? 0 : number);
}

function compareBoolean(given: boolean, operator: Query['operator'], value: string): boolean {
  // Only the words true and false are known: false comes before true.
  const rank = value === 'true' ? 1 : value === 'false' ? 0 : null;
  if (operator === '!=') return rank === null || Number(given) !== rank;
  if (operator === '>=' && given) return true;
  if (operator === '<=' && !given) return true;
  if (rank === null || operator === '>=' || operator === '<=') return false;
  return ordered(Number(given), operator, rank);
}

function ordered<Value extends string | number>(given: Value, operator: Query['operator'], value: Value): boolean {
  switch (operator) {
    case '=':
      return given === value;
    case '!=':
      return given !== value;
    case '<':
      return given < value;
    case '<=':
      return given <= value;
    case '>':
      return given > value;
    case '>=':
      return given >= value;
    default:
      return false;
  }
}
