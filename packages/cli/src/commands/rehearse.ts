import { completePolicies } from '../completion/candidates.ts';
import type { ModelFlags } from '../rehearse/model.ts';
import { countFlag, rehearsalFlags } from '../tune/rehearsalFlags.ts';
import { defineCommand } from './definition.ts';
import { jsonFlag, textFlag } from './flags.ts';
import { type PrometheusFlags, prometheusFlags } from './prometheusFlags.ts';

export type RehearseFlags = PrometheusFlags &
  ModelFlags & {
    file?: readonly string[];
    trace?: readonly string[];
    policies?: string;
    price?: string;
    seed?: string;
    first?: string;
    every?: number;
    startReplicas?: string;
    threads?: number;
    failOver?: number;
    json?: boolean;
    csv?: string;
    html?: string;
  };

export const rehearse = defineCommand({
  brief: 'Try policies on recorded load, each beside the optimum',
  description:
    'Runs the real engine on virtual time against recorded traces, once for each policy, and puts side by side what each\n' +
    'costs, how long requests wait, and the ratio to a lower bound that no schedule with hindsight goes below.\n' +
    'A trace is a CSV of requests or counts, an access log, a public trace (Azure, BurstGPT, Mooncake), the answer of a\n' +
    'Prometheus range query, or what `ebb journal export` wrote; gzip is fine, - is standard input. Options of one trace\n' +
    'stand behind its name: T?first=5d&every=8&workloads=150&requests=2..3000\n' +
    'Without -f the Workload of published comparisons is rehearsed. Needs no running Ebb. All about it: docs/rehearsal.md',
  examples: [
    {
      command: 'ebb rehearse --trace access.log --policies ebb,keda,hpa,knative,keepalive:10m,always-on',
      does: 'six policies on a week of an access log',
    },
    {
      command: 'ebb rehearse -f workloads/ --trace journal.jsonl --html report.html',
      does: 'your own documents on what Ebb recorded, with a report to look at and to print',
    },
    {
      command: "ebb rehearse --trace a.csv.gz,'b.csv.gz?first=1d&every=8' --cold-start 30s --seed 1..3 --price 1.20",
      does: 'two traces, three seeds, money at 1.20 a replica-hour',
    },
    {
      command:
        "ebb rehearse -f web.yaml --prometheus http://127.0.0.1:9090 --query 'sum(rate(http_requests_total[1m]))'",
      does: 'the last seven days that a Prometheus knows; a series is a workload',
    },
    {
      command: 'ebb rehearse -f web.yaml --trace peak.csv --policies ebb --fail-over 2',
      does: 'for a pipeline: exit code 1 where web.yaml misses the promise or costs more than twice the optimum',
    },
  ],
  usage: '--trace FILE[,FILE...] | --prometheus URL --query Q  [-f FILE|DIR]... [--policies LIST] [FLAGS]',
  parameters: {
    flags: {
      file: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        optional: true,
        placeholder: 'FILE|DIR',
        brief: 'Documents to rehearse, as the policy "ebb"; - for stdin',
      },
      trace: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        optional: true,
        placeholder: 'FILE',
        brief: 'Recorded load; several with commas, or the flag again',
      },
      ...prometheusFlags,
      policies: {
        ...textFlag('LIST', 'What to compare (default: ebb,keda,hpa,knative,keepalive:10m,always-on)'),
        proposeCompletions: completePolicies,
      },
      model: textFlag('FILE', 'YAML or JSON with the model of the world; the flags below go before it'),
      coldStart: textFlag('TIME', 'From asked for to usable (default: 60s)'),
      concurrency: rehearsalFlags.concurrency,
      service: rehearsalFlags.service,
      onTime: rehearsalFlags.onTime,
      share: { ...rehearsalFlags.share, parse: parseShare },
      price: textFlag('MONEY', 'An hour of a replica costs this (default: pricePerHour of the documents)'),
      seed: textFlag('LIST', 'Seeds of all that is drawn: 1, 1..3, 1,5 (default: 1)'),
      first: textFlag('TIME', 'Only the first part of each trace: 12h, 5d'),
      every: countFlag('N', 'Only one request of N of each trace'),
      startReplicas: textFlag('N', 'Ready at the beginning (default: mean, what the first minute needs)'),
      threads: countFlag('N', 'Runs at once (default: the cores of this machine)'),
      failOver: {
        kind: 'parsed',
        parse: parseRatio,
        optional: true,
        placeholder: 'RATIO',
        brief: 'Exit code 1 where ebb, or else the first policy, costs more than RATIO × the optimum or is late',
      },
      csv: textFlag('FILE', 'Write every run as a row'),
      html: textFlag('FILE', 'Write a report with plots: one file, no network'),
      json: jsonFlag,
    },
    aliases: { f: 'file', t: 'trace' },
  },
  load: async () => (await import('../actions/rehearse.ts')).rehearse,
});

function parseShare(input: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(input.trim());
  const share = match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : Number.NaN;
  if (!(share > 0 && share <= 1)) throw new Error(`expected a share such as 0.99 or 99%, not "${input}"`);
  return share;
}

function parseRatio(input: string): number {
  const ratio = Number(input);
  if (!(ratio >= 1)) throw new Error(`expected a ratio from 1 on, such as 1.5, not "${input}"`);
  return ratio;
}
