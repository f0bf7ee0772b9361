// Ebb's own policy against fixed ones on recorded traces, and what each of its parts is worth. Made for docs/policy.md.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { comparableModel, comparableWorkload, compare, policiesToCompare } from '../packages/simulator/dist/index.js';
import { ablationTable, policyTables } from './policyTables.mjs';

const day = 86_400;

/** The development set, as `reference` measurements take it: file and what is taken of it. */
const developmentSet = [
  ['azure-llm-conv-2023', {}],
  ['mooncake-conversation', {}],
  ['nasa-http-1995-a', { firstSeconds: 5 * day }],
  ['servegen-m-large-107-w1', {}],
  ['servegen-m-large-17-w1', {}],
  ['servegen-m-mid-98-w1', {}],
  ['servegen-m-small-2-w1', {}],
  ['servegen-m-small-40-w1', {}],
  ['servegen-r1-22', {}],
  ['twitter-stream-2021-08-a', { firstSeconds: day, every: 8 }],
  ['azure-functions-2019-a', { workloads: { leastRequests: 2, mostRequests: 3000, first: 150 } }],
];

/** Other parts of the same files, on which nothing was tuned. */
const checkSet = [
  ['azure-llm-conv-2023', { window: { fromSeconds: 1200, toSeconds: 3492 }, every: 2 }, 'azure-llm-conv, later, half'],
  ['nasa-http-1995-a', { window: { fromSeconds: 10 * day, toSeconds: 15 * day } }, 'nasa, days 10 to 15'],
  [
    'nasa-http-1995-a',
    { window: { fromSeconds: 22 * day, toSeconds: 25 * day }, every: 4 },
    'nasa, days 22 to 25, a quarter',
  ],
  ['servegen-m-large-17-w1', { every: 5 }, 'servegen-m-large-17, a fifth'],
  ['servegen-m-small-2-w1', { every: 4 }, 'servegen-m-small-2, a quarter'],
  ['twitter-stream-2021-08-a', { window: { fromSeconds: 5 * day, toSeconds: 6 * day }, every: 8 }, 'twitter, day 5'],
  [
    'twitter-stream-2021-08-a',
    { window: { fromSeconds: 8 * day, toSeconds: 9 * day }, every: 16 },
    'twitter, day 8, half',
  ],
  [
    'azure-functions-2019-a',
    { workloads: { leastRequests: 3000, mostRequests: 20_000, first: 20 } },
    'functions, busy',
  ],
];

const fixedPolicies = (coldStartSeconds, isLong) => [
  ...(coldStartSeconds === 60 && !isLong ? ['keda', 'keda:min1,70', 'knative', 'knative:min1'] : []),
  `keepalive:${coldStartSeconds}s`,
  'keepalive:5m',
  'keepalive:15m',
  'keepalive:5m,min1',
];

export const ablations = [
  ['lateness is not priced when replicas are kept', 'priced:missPrice=0'],
  ['nothing is ordered for a backlog', 'priced:backlog=0'],
  ['nothing is started ahead', 'priced:leastLongGaps=0'],
  ['the clock is not looked at', 'priced:clockPrior=0'],
  ['the clock is looked at cautiously only', 'priced:clockSharp=1000000'],
  ['no short excess is borne', 'priced:tolerance=0'],
  ['no headroom in the beginning', 'priced:headroom=0'],
  ['no forecast', 'priced:forecast=0'],
  ['memory 0.99 instead of 0.999', 'priced:memory=0.99'],
  ['every miss is followed, not four at once', 'priced:mostOpen=64'],
];

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      traces: { type: 'string' },
      cold: { type: 'string', default: '60,30,180' },
      only: { type: 'string' },
      set: { type: 'string', default: 'development,check' },
      ablations: { type: 'boolean', default: false },
      everything: { type: 'boolean', default: false },
      results: { type: 'string', default: 'policy-results.jsonl' },
      threads: { type: 'string', default: '2' },
      write: { type: 'string' },
    },
  });
  if (values.traces === undefined) {
    console.error('policy: --traces FOLDER is missing: the folder with the traces (docs/policy.md names them)');
    return 2;
  }
  const results = new Results(resolve(values.results));
  const colds = values.cold.split(',').map(Number);
  for (const set of values.set.split(',')) {
    for (const cold of colds) {
      const isAblated = values.ablations && set === 'development' && cold === 60;
      for (const [file, options, label = file] of set === 'check' ? checkSet : developmentSet) {
        if (values.only && !values.only.split(',').some((part) => label.includes(part))) continue;
        // A hundred and fifty workloads at once take a minute a policy: of the fixed ones those that are best there.
        const isLong = 'workloads' in options && !values.everything;
        const ablated = isAblated ? ablations.map(([, name]) => name) : [];
        const policies = ['priced', ...fixedPolicies(cold, isLong), ...ablated];
        const missing = policies.filter((policy) => !results.find(set, cold, label, policy));
        if (missing.length === 0) continue;
        const started = performance.now();
        const input = resolve(values.traces, `${file}.csv.gz`);
        for (const row of await rowsOf(input, options, cold, missing, Number(values.threads))) {
          results.add({ set, cold, trace: label, ...row });
        }
        const seconds = ((performance.now() - started) / 1000).toFixed(0);
        console.error(`${set}, ${cold} s: ${label}, ${missing.length} policies in ${seconds} s`);
      }
    }
  }
  const text = [...policyTables(results.rows), ...ablationTable(results.rows, ablations)].join('\n');
  if (values.write === undefined) console.log(text);
  else writeBetweenMarks(resolve(values.write), text);
  return 0;
}

async function rowsOf(input, options, coldStartSeconds, names, threads) {
  const model = comparableModel(1000 * coldStartSeconds);
  const workload = comparableWorkload('model', model);
  const bases = [{ workload, settings: { model, maxReplicas: 10_000 } }];
  const { rows, failures } = await compare({
    traces: [{ input, options }],
    policies: policiesToCompare(names, [], bases),
    seeds: [1],
    model,
    startReplicas: 'first-minute-mean',
    threads,
  });
  for (const { policy, message } of failures) console.error(`${policy} failed: ${message}`);
  return rows.map(({ policy, pricedScore, ratio, onTimeShare, replicaSeconds, requests, coldStarts }) => ({
    policy,
    pricedScore,
    ratio,
    onTimeShare,
    replicaSeconds,
    requests,
    coldStarts,
  }));
}

/** What has been measured, a line each, so that a run that was broken off goes on where it was. */
class Results {
  constructor(file) {
    this.file = file;
    this.rows = existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line))
      : [];
  }

  find(set, cold, trace, policy) {
    return this.rows.find(
      (row) => row.set === set && row.cold === cold && row.trace === trace && row.policy === policy,
    );
  }

  add(row) {
    this.rows.push(row);
    appendFileSync(this.file, `${JSON.stringify(row)}\n`);
  }
}

const begin = '<!-- measured: begin -->';
const end = '<!-- measured: end -->';

function writeBetweenMarks(file, text) {
  const page = readFileSync(file, 'utf8');
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${file} has no marks ${begin} and ${end}`);
  writeFileSync(file, `${page.slice(0, from + begin.length)}\n\n${text}\n${page.slice(to)}`);
}
