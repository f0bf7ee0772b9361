import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../main.ts';

/** What the page shows of plans over nodes is what is printed. */
const page = readFileSync(fileURLToPath(new URL('../../../../docs/nodes.md', import.meta.url)), 'utf8');
const section = page.slice(page.indexOf('## Nodes that are there'), page.indexOf('### By hand'));
const block = (language: string) =>
  new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(section)?.[1] ?? '';
const commands = [...section.matchAll(/^```\n\$ ebb (.*)\n([\s\S]*?)^```$/gm)].map(
  ([, command = '', printed = '']) => ({
    command,
    printed,
  }),
);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-nodes-page-'));
  writeFileSync(join(folder, 'cloud.yaml'), block('yaml'));
  writeFileSync(join(folder, 'nodes.json'), block('json'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the page has its commands', () => expect(commands.length).toBe(2));

test.each(commands)('ebb $command', async ({ command, printed }) => {
  let out = '';
  const stdout = { write: (text: string) => (out += text) };
  const code = await main(command.split(' '), { stdout, stderr: { write: () => {} }, env: { NO_COLOR: '1' } }, folder);
  expect({ code, out }).toEqual({ code: 0, out: printed });
});
