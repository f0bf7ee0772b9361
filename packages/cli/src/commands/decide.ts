import { defineCommand } from './definition.ts';
import { jsonFlag, parseCount } from './flags.ts';

export type DecideFlags = {
  file?: string;
  batch?: boolean;
  reading?: readonly string[];
  replicas?: number;
  ready?: number;
  starting?: number;
  inFlight?: number;
  held?: number;
  running?: number;
  pending?: number;
  at?: number;
  state?: string;
  observation?: string;
  json?: boolean;
};

function countFlag(brief: string) {
  return { kind: 'parsed', parse: parseCount, optional: true, placeholder: 'N', brief } as const;
}

function pathFlag(brief: string) {
  return { kind: 'parsed', parse: String, optional: true, placeholder: 'FILE', brief } as const;
}

export const decide = defineCommand({
  brief: 'Work out one decision, or many, without a running Ebb',
  description:
    'Decides once for a Workload, HorizontalPodAutoscaler, ScaledObject or ScaledJob document, from readings given here:\n' +
    'how many replicas (or new jobs), the chain of reasons, and when it wants to be asked again. Nothing is started.\n' +
    'With --batch it reads one JSON object a line from FILE or stdin and writes one answer a line.\n' +
    'All fields: docs/reference/decide.md',
  examples: [
    {
      command: 'ebb decide -f workload.yaml --reading concurrency=12 --ready 2',
      does: 'a Workload: 12 requests on average, two replicas ready',
    },
    {
      command: 'ebb decide -f hpa.yaml --reading cpu=90% --replicas 3',
      does: 'a HorizontalPodAutoscaler: three pods, each at 90% of its request',
    },
    {
      command: 'ebb decide -f scaledobject.yaml --reading queue=40 --replicas 0',
      does: 'a ScaledObject at zero; --reading queue=error for a source that fails',
    },
    {
      command: 'ebb decide -f scaledjob.yaml --reading queue=40 --running 3',
      does: 'a ScaledJob: how many jobs to create',
    },
    {
      command: 'ebb decide -f hpa.yaml --reading cpu=20% --replicas 6 --state hpa.json',
      does: 'one step of a series: memory is read from the file and written back to it',
    },
    { command: 'ebb decide --batch cases.jsonl', does: 'a table of cases, thousands a second' },
  ],
  usage: '(-f FILE [NAME] [--reading NAME=VALUE]... | --batch [FILE]) [FLAGS]',
  parameters: {
    flags: {
      file: pathFlag('YAML or JSON with the document, or - for stdin'),
      reading: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        optional: true,
        placeholder: 'NAME=VALUE',
        brief: 'What a trigger or metric reads: 12, 500m, 80% of the request, error; NAME/CLASS for one class',
      },
      replicas: countFlag('Replicas there are, all of them ready unless --ready says otherwise'),
      ready: countFlag('Replicas that are ready'),
      starting: countFlag('Replicas that are still starting'),
      inFlight: countFlag('Requests on replicas now'),
      held: countFlag('Requests that wait at the gateway now'),
      running: countFlag('ScaledJob: jobs that have not finished'),
      pending: countFlag('ScaledJob: how many of these are still pending'),
      at: {
        kind: 'parsed',
        parse: parseMilliseconds,
        optional: true,
        placeholder: 'MS',
        brief: 'Time of the decision in milliseconds (default: 0, or when the one in --state wants to be asked again)',
      },
      state: pathFlag('Memory of the decision before, read from here and written back'),
      observation: pathFlag('Observation as JSON, in the format of --batch; flags go before it'),
      batch: { kind: 'boolean', optional: true, withNegated: false, brief: 'JSON lines in, JSON lines out' },
      json: jsonFlag,
    },
    aliases: { f: 'file' },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          parse: String,
          placeholder: 'NAME|FILE',
          optional: true,
          brief: 'Name of the document where the file has several; with --batch the file of lines (default: stdin)',
        },
      ],
    },
  },
  load: async () => (await import('../actions/decide.ts')).decideOnce,
});

function parseMilliseconds(input: string): number {
  const ms = Number(input);
  if (!/^-?\d+$/.test(input) || !Number.isSafeInteger(ms)) {
    throw new Error(`expected whole milliseconds, not "${input}"`);
  }
  return ms;
}
