import type { Path } from '../fields/rule.ts';
import type { PathPattern } from '../kind.ts';
import type { Problem } from '../problem.ts';
import { type Locator, pathText } from './place.ts';
import { replaceAt } from './pathPattern.ts';
import type { ProblemList } from './problemList.ts';

/** What kubectl, which reads YAML 1.1, takes for a boolean or number although it is text in YAML 1.2. */
const otherIn11 = /^(y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF|[-+]?0b[01_]+|[-+]?[0-9][0-9_]*_[0-9_]*)$/;

/**
 * Takes what is written without quotes where text is meant letter by letter: `010` is "010" and not 8 or 10, `1e3` is
 * "1e3", `yes` is "yes". A warning for each, because KEDA's API server refuses what is not text.
 */
export function asWritten(
  written: Record<string, unknown>,
  patterns: readonly PathPattern[],
  locator: Locator,
  prefix: Path,
  problems: ProblemList,
): Record<string, unknown> {
  const replaced = patterns.reduce<unknown>(
    (value, pattern) =>
      replaceAt(value, pattern, (inner, path) => textOf(inner, [...prefix, ...path], locator, problems)),
    written,
  );
  // Only values within have changed.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return replaced as Record<string, unknown>;
}

function textOf(value: unknown, path: Path, locator: Locator, problems: ProblemList): unknown {
  const isText = typeof value === 'string';
  if (!isText && typeof value !== 'number' && typeof value !== 'boolean') return value;
  if (isText && !(locator.isPlain(path) && otherIn11.test(value))) return value;
  const text = isText ? value : (locator.sourceOf(path) ?? String(value));
  problems.add((): Problem => {
    const name = String(path.at(-1));
    const other = isText ? ', because kubectl reads it as another value' : ', which KEDA needs';
    return {
      severity: 'warning',
      code: 'unquoted-text',
      message: `${name} is text: write "${text}" in quotes${other}; it is read as that here`,
      file: locator.file,
      ...locator.place(path, 'value'),
      path: pathText(path),
    };
  });
  return text;
}
