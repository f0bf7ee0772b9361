// Ways of renting spot machines on recorded capacity of AWS: cost, time with all that is wanted, losses. Made for docs/nodes.md.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { bestZone, evenSpread, onDemandOnly, ours, skyServe } from './spotPolicies.mjs';
import { replaySpot } from './spotReplay.mjs';

/** Series that were recorded side by side. `all`: one machine was asked for, so a zone that had it counts as having any number. */
const sets = [
  ['6 zones, V100, 45 days', 'avail/n1/aws-02-15-2023/', 'all'],
  ['3 zones, V100, 7 days, losses', 'preempt/n1/aws-04-22-2023/', 'all'],
  ['2 zones, up to 16 V100, 11 days', 'avail/n16/aws-08-27-2023/', 'counted'],
  ['2 zones, up to 4 V100, 12 days, losses', 'preempt/n4/aws-08-03-2023/', 'counted'],
  // Nothing was tuned on these.
  ['check: 4 machine types of a zone, 27 days', 'avail/n1/aws-10-26-2022/', 'all'],
  ['check: 3 zones, CPU machines, 6 days, losses', 'preempt/n1/aws-04-19-2023/', 'all'],
  ['check: 4 zones of Google Cloud, CPU machines, 2 days, losses', 'preempt/n1/gcp-04-30-2023/', 'all'],
];
const policies = {
  'on demand only': onDemandOnly,
  'spot, best zone': bestZone,
  'spot, even spread': evenSpread,
  'SkyServe, fallback': skyServe({ base: 0, extra: 0 }),
  'SkyServe, fallback, base 1': skyServe({ base: 1, extra: 0 }),
  'SkyServe, fallback, 2 extra': skyServe({ base: 0, extra: 2 }),
  'SkyServe, fallback, twice': skyServe({ base: 0, extra: 'as many' }),
  Ebb: ours(),
};
const prices = { onDemand: 1_000_000, spot: 300_000 };
const leastAvailable = 0.995;

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      traces: { type: 'string' },
      start: { type: 'string', default: '120,300,600' },
      wanted: { type: 'string', default: '4,8,16' },
      set: { type: 'string', default: '' },
      policy: { type: 'string', default: '' },
      markdown: { type: 'boolean', default: false },
    },
  });
  const file = values.traces === undefined ? null : resolve(values.traces, 'skypilot-spot.csv.gz');
  if (file === null || !existsSync(file)) {
    console.error(
      file === null
        ? 'spot: --traces FOLDER is missing: the folder with skypilot-spot.csv.gz (docs/nodes.md says what is in it)'
        : `spot: there is no ${file}`,
    );
    return 2;
  }
  const series = readSeries(file);
  const verdicts = { tuned: true, check: true };
  for (const [title, prefix, counting] of sets.filter(([title]) => title.includes(values.set))) {
    const { zones, endMs } = zonesOf(series, prefix, counting);
    console.log(`\n${title}: ${zones.map(({ name, mean }) => `${name} ${percent(mean, 0)}`).join(', ')}`);
    const most = counting === 'all' ? Number.POSITIVE_INFINITY : Math.max(...zones.map(({ largest }) => largest));
    for (const startS of values.start.split(',').map(Number)) {
      for (const wanted of values.wanted.split(',').map(Number)) {
        if (wanted > most) continue;
        const rows = Object.entries(policies)
          .filter(([name]) => name.includes(values.policy))
          .map(([name, policy]) => ({
            ...{ name, wanted },
            ...replaySpot({ zones, endMs, startMs: startS * 1000, wanted, prices, policy }),
          }));
        console.log(`\n${wanted} wanted, ready after ${startS} s`);
        const isMet = tell(rows, values.markdown);
        if (title.startsWith('check')) verdicts.check &&= isMet;
        else verdicts.tuned &&= isMet;
      }
    }
  }
  const word = (isMet) => (isMet ? 'met' : 'missed');
  console.log(
    `\nEbb ready ${percent(leastAvailable, 1)} of the time, at the least cost of those that are: ${word(verdicts.tuned)}`,
  );
  console.log(`the same on the check sets: ${word(verdicts.check)}`);
  return verdicts.tuned ? 0 : 1;
}

const columns = ['cost', 'all ready', 'missing', 'worst min', 'lost'];

function tell(rows, isMarkdown) {
  const cells = rows.map((row) => [
    percent(row.cost, 1),
    percent(1 - row.shortMs / row.countedMs, 2),
    percent(row.missingMs / row.countedMs / row.wanted, 2),
    (row.worstMs / 60_000).toFixed(0),
    String(row.lost),
  ]);
  const width = Math.max(...rows.map(({ name }) => name.length));
  if (isMarkdown) {
    console.log(`| policy | ${columns.join(' | ')} |\n|---|${columns.map(() => '--:').join('|')}|`);
    for (const [index, { name }] of rows.entries()) console.log(`| ${name} | ${cells[index].join(' | ')} |`);
  } else {
    console.log(`${'policy'.padEnd(width)} ${columns.map((column) => column.padStart(10)).join('')}`);
    for (const [index, { name }] of rows.entries()) {
      console.log(`${name.padEnd(width)} ${cells[index].map((cell) => cell.padStart(10)).join('')}`);
    }
  }
  const own = rows.find(({ name }) => name === 'Ebb');
  if (!own) return true;
  const holding = rows.filter(({ shortMs, countedMs }) => 1 - shortMs / countedMs >= leastAvailable);
  return holding.includes(own) && holding.every(({ cost }) => cost >= own.cost);
}

const percent = (part, digits) => `${(100 * part).toFixed(digits)} %`;

function readSeries(file) {
  const series = new Map();
  const [, ...lines] = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n');
  for (const line of lines) {
    const [trace, , seconds, capacity] = line.split(',');
    const steps = series.get(trace) ?? [];
    steps.push([1000 * Number(seconds), Number(capacity)]);
    series.set(trace, steps);
  }
  return series;
}

/** Side by side, as far as all of them go. */
function zonesOf(series, prefix, counting) {
  const found = [...series].filter(([name]) => name.startsWith(prefix));
  if (found.length === 0) throw new Error(`no series begins with ${prefix}`);
  const endMs = Math.min(...found.map(([, steps]) => steps.at(-1)[0]));
  const zones = found.map(([name, steps]) => {
    const largest = Math.max(...steps.map(([, count]) => count));
    let heldMs = 0;
    for (const [index, [atMs, count]] of steps.entries()) {
      const untilMs = Math.min(endMs, steps[index + 1]?.[0] ?? endMs);
      if (untilMs > atMs) heldMs += (untilMs - atMs) * count;
    }
    const had = steps.map(([atMs, count]) => [atMs, counting === 'all' && count > 0 ? 1e6 : count]);
    return {
      name: name.slice(prefix.length).replace(/_(v100_1|intel_64|c3-88)$/, ''),
      steps: had,
      mean: heldMs / endMs / largest,
      largest,
    };
  });
  return { zones, endMs };
}
