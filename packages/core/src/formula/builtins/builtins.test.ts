import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evaluateFormula } from '../evaluate.ts';
import { loops } from './loops.ts';
import { builtins, unsupportedFunctions } from './table.ts';

const page = readFileSync(new URL('../../../../../docs/reference/formula.md', import.meta.url), 'utf8');
const all = [...builtins.values(), ...loops.values()];

describe('functions', () => {
  it.each(all.map(({ name, example: [formula, result] }) => ({ name, formula, result })))(
    '$name: $formula is $result',
    ({ formula, result }) => {
      expect(evaluateFormula(formula, { a: 3, b: 5 })).toBe(result);
    },
  );

  it('stand on the reference page, each with its example', () => {
    const missing = all
      .map(
        ({ name, summary, example: [formula, result] }) =>
          `| \`${name}\` | ${summary} | \`${formula.replaceAll('|', '\\|')}\` is ${result} |`,
      )
      .filter((row) => !page.includes(row));
    expect(missing).toEqual([]);
  });

  it('are on the page when they are left out, too', () => {
    expect([...unsupportedFunctions.keys()].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});
