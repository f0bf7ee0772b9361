import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findUntidy } from './rules.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Files that git tracks or would track. */
function projectFiles(): string[] {
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root });
  return list.toString().split('\0').filter(Boolean);
}

describe('house style', () => {
  it('holds in every file', () => {
    const files = projectFiles();
    expect(files.length).toBeGreaterThan(50);
    const untidy = files.flatMap((path) => {
      try {
        return findUntidy(path, readFileSync(`${root}/${path}`, 'utf8'));
      } catch {
        return []; // listed by git, deleted in the work tree
      }
    });
    expect(untidy).toEqual([]);
  });

  it('reports what it is there for', () => {
    const long = 'const a = 1;\n'.repeat(700);
    const found = [
      ...findUntidy('packages/core/src/helpers.ts', ''),
      ...findUntidy('packages/core/src/long.ts', long),
      ...findUntidy('packages/core/src/a.test.ts', `it.${'only'}('x', () => {})`),
      ...findUntidy('packages/core/src/b.ts', `// ${'TO'}${'DO'}: later`),
      ...findUntidy('packages/gateway/src/c.ts', `server.listen(80, '0.0.${'0.0'}')`),
      ...findUntidy('packages/core/src/d.ts', `// @ts-${'ignore'}`),
    ];
    expect(found.map((line) => line.split(': ')[1])).toEqual([
      'name says nothing',
      'longer than 600 lines',
      'test switched off or alone',
      'work left in words',
      'listens beyond loopback',
      'type check switched off',
    ]);
  });
});
