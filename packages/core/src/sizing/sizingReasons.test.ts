import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { reasonTable } from '../explain/reasonTable.ts';
import { because, sizingReasons, sizingSentence } from './sizingReasons.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));

describe('reason codes of sizing', () => {
  it('are each given somewhere', () => {
    const given = new Set<string>();
    for (const name of readdirSync(folder)) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts') || name === 'sizingReasons.ts') continue;
      for (const [, code] of readFileSync(`${folder}/${name}`, 'utf8').matchAll(/because\(\s*'([a-z-]+)'/g)) {
        if (code) given.add(code);
      }
    }
    expect([...given].sort()).toEqual(Object.keys(sizingReasons).sort());
  });

  it('are none of those of decisions', () => {
    expect(Object.keys(sizingReasons).filter((code) => code in reasonTable)).toEqual([]);
  });

  it('are worded with their numbers and units', () => {
    const data = { container: 'app', resource: 'memory', wanted: 1536, bound: 3 * 1024 ** 3 };
    expect(sizingSentence(because('sizing-min-allowed', data))).toBe(
      'app gets 3 GiB of memory, its minAllowed, not 1.5 KiB.',
    );
    expect(sizingSentence(because('sizing-resize-failed', { replica: 'r', resize: 'infeasible' }))).toBe(
      'r is replaced: its resize is infeasible.',
    );
    expect(sizingSentence({ code: 'from-tomorrow', stage: 'bounds', data: { a: 1 } })).toBe('from-tomorrow {"a":1}');
  });
});
