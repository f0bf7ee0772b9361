import { until } from '@ebb/testing/services';
import { describe, expect, test } from 'vitest';
import { livePage, wordsOf } from './docsPage.fixture.ts';

/** The real command with real processes on machines of the book: what the page shows is what it prints. */
const longestMs = 60_000;
const { files, commands, ebb, asOnPage } = livePage('cloud-rehearsal.md', longestMs);

/** Without what differs from run to run. */
function comparable(text: string): string[] {
  return (
    asOnPage(text)
      .replaceAll(/\d{4}-\d\d-\d\d( \d\d:\d\d)?|\d\d:\d\d:\d\d/g, 'TIME')
      .replace(/stopped (\d+ replicas?, )?/, 'stopped ')
      .replace(/^\d+ decisions for/m, 'N decisions for')
      .replace(/^(January|February|March|April|May|June|July|August|September|October|November|December)/m, 'MONTH')
      // Amounts of a run that is as long as it took; prices an hour stay as they are.
      .replaceAll(/\$0\.00\d+/g, '$X')
      .replaceAll(/\d+\.\d%( above it)?/g, 'P%')
      .replaceAll(/\s+\d+s$/gm, ' AGE')
      .split('\n')
      .map((line) => line.replaceAll(/ {2,}/g, '  ').trimEnd())
      .filter((line) => line !== '' && !line.startsWith('waiting for ') && !/^\d+ of \d+: /.test(line))
  );
}

test('the page has its files and commands', () => {
  expect([...files.keys()]).toEqual(['cloud.yaml', 'captions.yaml', 'serve.mjs', 'calls.csv']);
  expect(commands.length).toBe(9);
});

describe('one after another', () => {
  let url = '';
  test.each(commands)(
    '$command',
    async ({ command, printed }) => {
      if (command.startsWith('curl')) {
        const answer = await fetch(`${url}/captions`, { signal: AbortSignal.timeout(longestMs) });
        expect(await answer.text()).toBe(printed);
        return;
      }
      if (command === 'ebb cost') await machinesAreGone();
      const { out, err } = await ebb(wordsOf(command).slice(1));
      url ||= /requests\s+(http:\S+)/.exec(out)?.[1] ?? '';
      expect(comparable(out + err)).toEqual(comparable(printed));
    },
    longestMs,
  );
});

/** Keep-alive, quiet time and the end of the machine: about half a minute. */
async function machinesAreGone(): Promise<void> {
  let left = '';
  await until(
    async () => {
      left = (await ebb(['get', 'nodes', '--json'])).out;
      return JSON.parse(left).items.length === 0;
    },
    { withinMs: longestMs, what: () => `the end of all machines (${left})` },
  );
}
