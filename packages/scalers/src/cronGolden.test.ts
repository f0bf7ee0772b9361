import { readFileSync } from 'node:fs';
import { Cron } from 'croner';
import { expect, it } from 'vitest';

interface Row {
  spec: string;
  zone: string;
  after: number;
  next: number;
}

const rows = readFileSync(new URL('./cron.golden.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

const utc = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 16);

/**
 * The table was made with robfig/cron, KEDA's library (tools/golden/cron). Ours differs for fixed times in the two
 * nights in which clocks change, on purpose: a time that does not exist is made up for at the end of the gap instead
 * of being left out for the day, and a time that exists twice counts once.
 */
it('fires when robfig/cron does, but for fixed times in the nights in which clocks change', () => {
  expect(rows.length).toBeGreaterThan(3000);
  const differences = rows.flatMap(({ spec, zone, after, next }) => {
    const ours = new Cron(spec, { timezone: zone, mode: '5-part', paused: true }).nextRun(new Date(after * 1000));
    const seconds = ours ? ours.getTime() / 1000 : 0;
    return seconds === next ? [] : [`${zone} "${spec}" after ${utc(after)}: ${utc(next)} there, ${utc(seconds)} here`];
  });
  expect(differences).toEqual([
    'Europe/Berlin "30 2 * * *" after 2026-03-28T23:30: 2026-03-30T00:30 there, 2026-03-29T01:00 here',
    'Europe/Berlin "30 2 * * *" after 2026-10-25T00:30: 2026-10-25T01:30 there, 2026-10-26T01:30 here',
    'Europe/Berlin "0 2 * * *" after 2026-03-28T23:30: 2026-03-30T00:00 there, 2026-03-29T01:00 here',
    'Europe/Berlin "0 2 * * *" after 2026-10-25T00:00: 2026-10-25T01:00 there, 2026-10-26T01:00 here',
    'America/New_York "30 2 * * *" after 2026-03-08T05:30: 2026-03-09T06:30 there, 2026-03-08T07:00 here',
    'America/New_York "0 2 * * *" after 2026-03-08T05:30: 2026-03-09T06:00 there, 2026-03-08T07:00 here',
    'America/New_York "30 1 * * *" after 2026-11-01T05:30: 2026-11-01T06:30 there, 2026-11-02T06:30 here',
  ]);
});
