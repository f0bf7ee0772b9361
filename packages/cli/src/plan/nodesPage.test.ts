import { beforeAll, expect, test } from 'vitest';
import { docsPage } from '../docsPage.fixture.ts';
import { commandFolder } from '../runMain.fixture.ts';

/** What the page shows of plans over nodes is what is printed. */
const { text: page } = docsPage('nodes.md');
const section = page.slice(page.indexOf('## Nodes that are there'), page.indexOf('### By hand'));
const block = (language: string) =>
  new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(section)?.[1] ?? '';
const commands = [...section.matchAll(/^```\n\$ ebb (.*)\n([\s\S]*?)^```$/gm)].map(
  ([, command = '', printed = '']) => ({
    command,
    printed,
  }),
);

const { write, ebb } = commandFolder({ env: { NO_COLOR: '1' } });
beforeAll(() => {
  write('cloud.yaml', block('yaml'));
  write('nodes.json', block('json'));
});

test('the page has its commands', () => expect(commands.length).toBe(2));

test.each(commands)('ebb $command', async ({ command, printed }) => {
  const { code, out } = await ebb(...command.split(' '));
  expect({ code, out }).toEqual({ code: 0, out: printed });
});
