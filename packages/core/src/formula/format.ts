import { bounded } from './arithmetic.ts';
import type { Frame } from './frame.ts';
import { Fault } from './problem.ts';
import { isList, type Value } from './values.ts';

/** A value as `string()` gives it (Go's %v). */
export function format(value: Value, frame: Frame): string {
  if (value === null) return '<nil>';
  if (typeof value === 'number') return formatFloat(value);
  if (typeof value !== 'object') return String(value);
  if (!isList(value)) throw new Fault('a map cannot be made a string');
  frame.step(value.length);
  let text = '[';
  for (const [index, element] of value.entries())
    text = bounded(text + (index > 0 ? ' ' : '') + format(element, frame));
  return `${text}]`;
}

/** The shortest digits that give the float back; with an exponent below 1e-4 and from 1e6 on. */
function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e6)) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}
