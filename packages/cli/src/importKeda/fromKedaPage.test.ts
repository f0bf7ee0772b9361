import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { main } from '../main.ts';

const page = readFileSync(fileURLToPath(new URL('../../../../docs/from-keda.md', import.meta.url)), 'utf8');

/** Files of the page by their path: the name in the line before, the text in the block. */
const files = new Map(
  [...page.matchAll(/`(k8s\/[\w/-]+\.yaml)`[^\n]*\n\n```yaml\n([\s\S]*?)^```$/gm)].map(
    ([, path = '', text = '']) => [path, text] as const,
  ),
);
// The mistakes that the page names.
files.set(
  'typo.yaml',
  (files.get('k8s/keda/mailer.yaml') ?? '').replace('listName: mail', 'listname: mail').replace('"5"', 'five'),
);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-from-keda-'));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const commands = [...page.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
  block
    .split(/^\$ /m)
    .filter(Boolean)
    .map((text) => {
      const end = text.indexOf('\n');
      return { command: text.slice(0, end), printed: text.slice(end + 1) };
    }),
);

it('has the files and the commands', () => {
  expect([...files.keys()].length).toBe(6);
  expect(commands.length).toBe(5);
});

it.each(commands)('$command', async ({ command, printed }) => {
  let shown = '';
  const stream = { write: (text: string) => (shown += text) };
  const env = { LANG: 'C.UTF-8' };
  await main(command.split(' ').slice(1), { stdout: stream, stderr: stream, env }, folder);
  expect(withoutTotals(shown)).toBe(printed);
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
