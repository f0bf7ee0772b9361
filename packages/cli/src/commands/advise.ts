import { type RehearsalFlags, rehearsalFlags, traceFlag } from '../tune/rehearsalFlags.ts';
import { defineCommand } from './definition.ts';
import { jsonFlag, textFlag } from './flags.ts';
import { type PrometheusFlags, prometheusFlags } from './prometheusFlags.ts';

export type AdviseFlags = RehearsalFlags &
  PrometheusFlags & {
    file?: readonly string[];
    journal?: string;
    json?: boolean;
  };

export const advise = defineCommand({
  brief: 'Say whether to scale to zero, what it saves, and how surely',
  description:
    'Reads a recorded load, rehearses the few ways to run it that make sense (always on, never fewer than one, to zero with\n' +
    'several keep-alives, and the documents as they are), and says which is the cheapest that keeps the promise, how much\n' +
    'money a month it saves, how many requests wait, and how much the days of the trace differ.\n' +
    'Every figure says what it rests on. Needs no running Ebb. See docs/advise.md',
  examples: [
    {
      command: 'ebb advise --trace access.log --cold-start 45s --price 1.20',
      does: 'is it worth to scale this to zero?',
    },
    {
      command: 'ebb advise --journal journal.jsonl -f web.yaml --cold-start measured',
      does: 'of what Ebb recorded, with the cold starts that it measured, against the present document',
    },
    {
      command: "ebb advise --prometheus http://127.0.0.1:9090 --query 'sum(rate(http_requests_total[1m]))' --since 7d",
      does: 'of what a Prometheus knows',
    },
  ],
  usage: '--trace FILE | --journal FILE | --prometheus URL --query Q  [-f FILE] [FLAGS]',
  parameters: {
    flags: {
      trace: traceFlag,
      journal: textFlag('FILE', 'What `ebb journal export` wrote'),
      ...prometheusFlags,
      file: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        optional: true,
        placeholder: 'FILE|DIR',
        brief: 'The present documents, to compare with',
      },
      coldStart: textFlag('TIME', 'From asked for to usable (default: 60s); measured: of the journal'),
      ...rehearsalFlags,
      json: jsonFlag,
    },
    aliases: { f: 'file', t: 'trace' },
  },
  load: async () => (await import('../actions/advise.ts')).advise,
});
