import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../main.ts';
import { Batch } from './batch.ts';

const docs = fileURLToPath(new URL('../../../../docs/', import.meta.url));
const page = readFileSync(join(docs, 'how-a-number-comes-about.md'), 'utf8');
const reference = readFileSync(join(docs, 'reference', 'decide.md'), 'utf8');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-pages-'));
  for (const [, name = '', text = ''] of page.matchAll(/^`([\w-]+\.yaml)`\n\n```yaml\n([\s\S]*?)^```$/gm)) {
    writeFileSync(join(folder, name), text);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('how a number comes about', () => {
  const blocks = [...page.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  const commands = blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .filter(Boolean)
      .map((text) => {
        const end = text.indexOf('\n');
        return { command: text.slice(0, end), printed: text.slice(end + 1) };
      }),
  );

  it('has an example of each kind', () => expect(commands.length).toBeGreaterThan(9));

  // In their order: some go on from the state that the one before has left.
  it.each(commands)('$command', async ({ command, printed }) => {
    let out = '';
    const stdout = { write: (text: string) => (out += text) };
    const stderr = { write: () => true };
    expect(await main(command.split(' ').slice(1), { stdout, stderr, env: {} }, folder)).toBe(0);
    expect(out).toBe(printed);
  });
});

describe('lines and answers', () => {
  const pairs = [page, reference].flatMap((text) =>
    [...text.matchAll(/^```jsonl\n([\s\S]*?)^```\n\n```json\n([\s\S]*?)^```$/gm)].flatMap(
      ([, lines = '', answers = '']) => {
        const wanted = answers.trimEnd().split('\n');
        return lines
          .trimEnd()
          .split('\n')
          .map((line, index) => ({ line, wanted: wanted[index] ?? 'no answer on the page' }));
      },
    ),
  );

  it('are found', () => expect(pairs.length).toBeGreaterThan(7));

  it.each(pairs)('$line', ({ line, wanted }) => {
    expect(JSON.parse(new Batch().answer(line))).toMatchObject(JSON.parse(wanted));
  });
});
