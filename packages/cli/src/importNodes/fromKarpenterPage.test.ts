import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { main } from '../main.ts';

const page = readFileSync(fileURLToPath(new URL('../../../../docs/from-karpenter.md', import.meta.url)), 'utf8');

/** Files of the page by their path: the name in the line before, the text in the block. */
const files = new Map(
  [...page.matchAll(/`([\w/-]+\.yaml)`[^\n]*\n\n```yaml\n([\s\S]*?)^```$/gm)].map(
    ([, path = '', text = '']) => [path, text] as const,
  ),
);
const written = 'nodes/nodepool-shop-gpu-spot.yaml';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-from-karpenter-'));
  for (const [path, text] of files) {
    if (path === written) continue;
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
  expect([...files.keys()]).toEqual(['karpenter/gpu.yaml', 'autoscaler.yaml', written]);
  expect(commands.length).toBe(3);
});

it.each(commands)('$command', async ({ command, printed }) => {
  let shown = '';
  const stream = { write: (text: string) => (shown += text) };
  await main(command.split(' ').slice(1), { stdout: stream, stderr: stream, env: { LANG: 'C.UTF-8' } }, folder);
  expect(shown).toBe(printed);
});

it('writes the file that the page shows', () => {
  expect(readFileSync(join(folder, written), 'utf8')).toBe(files.get(written));
});
