import { parseShare, type RehearsalFlags, rehearsalFlags, traceFlag } from '../tune/rehearsalFlags.ts';
import { defineCommand } from './definition.ts';
import { jsonFlag, textFlag } from './flags.ts';
import { type PrometheusFlags, prometheusFlags } from './prometheusFlags.ts';

export type TuneFlags = RehearsalFlags &
  PrometheusFlags & {
    file?: readonly string[];
    policy?: string;
    budget?: number;
    time?: string;
    split?: number;
    costOfLateness?: string;
    toTheEnd?: boolean;
    write?: string;
    html?: string;
    json?: boolean;
  };

export const tune = defineCommand({
  brief: 'Search the cheapest settings of a policy that keep the promise',
  description:
    'Rehearses many settings of the policy on the first part of a recorded load, and judges the best of them on the rest,\n' +
    'which the search has never seen. Both parts are always shown. What does not hold there is overfit: it is said so, exit\n' +
    'code 1, and nothing is proposed. Policies: windows, keda, knative, keepalive. Needs no running Ebb. See docs/tune.md',
  examples: [
    { command: 'ebb tune -f web.yaml --trace access.log', does: 'sixty settings of the policy that the document has' },
    {
      command: 'ebb tune -f web.yaml --trace journal.jsonl --price 1.20 --write tuned.yaml',
      does: 'money at 1.20 a replica-hour, and the changed document with its comments',
    },
    {
      command: 'ebb tune -f web.yaml --trace week.csv.gz --policy knative --budget 120 --split 0.7 --html tuning.html',
      does: 'another policy, a longer search, a report with the front of cost against late requests',
    },
    {
      command: 'ebb tune -f web.yaml --trace week.csv --cost-of-lateness 120s',
      does: 'a late request costs two replica-minutes',
    },
    {
      command:
        "ebb tune -f web.yaml --prometheus http://127.0.0.1:9090 --query 'sum(rate(http_requests_total[1m]))' --since 14d",
      does: 'on the last two weeks that a Prometheus knows',
    },
  ],
  usage: '-f FILE --trace FILE | --prometheus URL --query Q  [--policy NAME] [FLAGS]',
  parameters: {
    flags: {
      file: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        optional: true,
        placeholder: 'FILE|DIR',
        brief: 'The Workload, and the ScaledObject where one scales it',
      },
      trace: traceFlag,
      ...prometheusFlags,
      policy: textFlag('NAME', 'windows, keda, knative or keepalive (default: what the documents have)'),
      budget: {
        kind: 'parsed',
        parse: (input) => {
          const match = /^(\d+)(?:\s*runs?)?$/.exec(input.trim());
          if (!match || Number(match[1]) < 4) throw new Error(`expected a number of runs from 4 on, not "${input}"`);
          return Number(match[1]);
        },
        optional: true,
        placeholder: 'RUNS',
        brief: 'Settings to rehearse on the training part (default: 60)',
      },
      time: textFlag('TIME', 'Begin no more after this long: 2m. The outcome then depends on the machine'),
      split: {
        kind: 'parsed',
        parse: parseShare,
        optional: true,
        placeholder: 'SHARE',
        brief: 'Share of the time that is searched on; the rest judges (default: 0.5)',
      },
      costOfLateness: textFlag('PRICE', 'Of a late request: money, or the life of a replica (120s). Replaces --share'),
      toTheEnd: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Rehearse every setting to the end: slower, the same answer, and the whole front of cost and lateness',
      },
      coldStart: textFlag('TIME', 'From asked for to usable (default: 60s)'),
      ...rehearsalFlags,
      write: textFlag('FILE', 'Write the changed document; only what holds is written'),
      html: textFlag('FILE', 'Write a report with a plot: one file, no network'),
      json: jsonFlag,
    },
    aliases: { f: 'file', t: 'trace' },
  },
  load: async () => (await import('../actions/tune.ts')).tune,
});
