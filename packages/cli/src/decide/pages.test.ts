import { afterAll, describe, expect, it } from 'vitest';
import { docsPage, folderOf } from '../docsPage.fixture.ts';
import { runMain } from '../runMain.fixture.ts';
import { Batch } from './batch.ts';

const { text: page, files, commands } = docsPage('how-a-number-comes-about.md');
const { text: reference } = docsPage('reference/decide.md');
const { path: folder, remove } = folderOf(files);
afterAll(remove);

describe('how a number comes about', () => {
  it('has an example of each kind', () => expect(commands.length).toBeGreaterThan(9));

  // In their order: some go on from the state that the one before has left.
  it.each(commands)('$command', async ({ command, printed }) => {
    const { code, out } = await runMain(command.split(' ').slice(1), folder);
    expect({ code, out }).toEqual({ code: 0, out: printed });
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
