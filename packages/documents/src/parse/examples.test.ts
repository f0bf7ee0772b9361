import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { resolveWorkload } from '../workload/resolve.ts';
import { checkBatch } from './checkBatch.ts';
import { parseDocuments } from './parseDocuments.ts';

const root = fileURLToPath(new URL('../../../../examples/', import.meta.url));
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('workload.yaml') && !path.includes('node_modules'))
  .map((path) => `${root}${path}`);

test('there are examples', () => {
  expect(files.length).toBeGreaterThan(0);
});

test.each(files)('%s is right and complete', (file) => {
  const { documents, problems } = parseDocuments(readFileSync(file, 'utf8'), { file });
  expect(problems).toEqual([]);
  expect(documents.length).toBeGreaterThan(0);
  for (const document of documents) {
    if (document.kind !== 'Workload') continue;
    const spec = resolveWorkload(document.document, { baseDirectory: dirname(file) });
    expect(spec.classes[0]?.workingDirectory.startsWith(root)).toBe(true);
  }
});

test('all examples can be applied together', () => {
  const documents = files.flatMap((file) => parseDocuments(readFileSync(file, 'utf8'), { file }).documents);
  expect(checkBatch(documents)).toEqual([]);
});
