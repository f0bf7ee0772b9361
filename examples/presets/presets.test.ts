import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseDocuments, problemText } from '@ebb/documents';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('.', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

test.each(files)('%s is accepted without a warning', (file) => {
  const { documents, problems } = parseDocuments(readFileSync(folder + file, 'utf8'), { file });
  expect(problems.map(problemText)).toEqual([]);
  expect(documents).toHaveLength(1);
});

const load = (...words: string[]) =>
  spawnSync(process.execPath, [`${folder}load.mjs`, ...words], { encoding: 'utf8', maxBuffer: 2 ** 24 });
const requestsOf = (csv: string) =>
  csv
    .trim()
    .split('\n')
    .slice(1)
    .reduce((sum, line) => sum + Number(line.split(',')[1]), 0);

test('a load is a week that is the same for a seed', () => {
  const first = load('sporadic');
  expect(first.status).toBe(0);
  expect(first.stdout).toBe(load('sporadic', '1').stdout);
  expect(first.stdout).not.toBe(load('sporadic', '2').stdout);
  expect(first.stdout.trim().split('\n')).toHaveLength(7 * 1440 + 1);
  // The numbers that docs/cost.md names.
  expect(requestsOf(first.stdout)).toBe(502);
  expect(requestsOf(load('development').stdout)).toBe(7854);
});

test('an unknown load is refused', () => {
  expect(load('weekly')).toMatchObject({ status: 2, stderr: expect.stringContaining('sporadic|development|variable') });
});
