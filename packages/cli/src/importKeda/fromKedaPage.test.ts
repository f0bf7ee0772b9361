import { afterAll, expect, it } from 'vitest';
import { docsPage, folderOf } from '../docsPage.fixture.ts';
import { main } from '../main.ts';

const { text: page, files: shown, commands } = docsPage('from-keda.md');
const files = new Map([...shown].filter(([path]) => path.startsWith('k8s/')));
// The mistakes that the page names.
files.set(
  'typo.yaml',
  (files.get('k8s/keda/mailer.yaml') ?? '').replace('listName: mail', 'listname: mail').replace('"5"', 'five'),
);
const { path: folder, remove } = folderOf(files);
afterAll(remove);

it('has the files and the commands', () => {
  expect([...files.keys()].length).toBe(6);
  expect(commands.length).toBe(5);
});

it.each(commands)('$command', async ({ command, printed }) => {
  let printedNow = '';
  const stream = { write: (text: string) => (printedNow += text) };
  const env = { LANG: 'C.UTF-8' };
  await main(command.split(' ').slice(1), { stdout: stream, stderr: stream, env }, folder);
  expect(withoutTotals(printedNow)).toBe(printed);
});

/** The page leaves out the last line of a refusal, which counts what it has shown. */
function withoutTotals(text: string): string {
  return text.replace(/^ebb: \d+ errors?; .*\n/m, '');
}

it('shows what the annotation says on an object that is otherwise the same', () => {
  const [annotated = ''] = /^apiVersion: keda[^`]*ebb\.dev\/improvements: "true"[^`]*/m.exec(page) ?? [];
  const words = (text: string) =>
    text
      .replaceAll(/annotations: \{.*\}|[{},]/g, ' ')
      .split(/\s+/)
      .filter(Boolean);
  expect(words(annotated)).toEqual(words(files.get('k8s/keda/mailer.yaml') ?? ''));
});
