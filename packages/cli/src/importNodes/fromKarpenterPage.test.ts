import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { docsPage, folderOf } from '../docsPage.fixture.ts';
import { main } from '../main.ts';

const { files, commands } = docsPage('from-karpenter.md');
const written = 'nodes/nodepool-shop-gpu-spot.yaml';
const { path: folder, remove } = folderOf(files, [written]);
afterAll(remove);

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
