import { parseDuration } from '@ebb/documents';
import { defineCommand } from './definition.ts';
import { dataFlag, jsonFlag } from './flags.ts';
import { type MarketFlags, placeFlags, priceFlags } from './marketFlags.ts';

export interface PlanFlags extends MarketFlags {
  file: readonly string[];
  replicas?: readonly string[];
  solver?: 'highs' | 'simplex' | 'none';
  budgetUnits?: number;
  time?: number;
  seed?: number;
  nodes?: readonly string[];
  existing?: boolean;
  consolidate?: boolean;
  apply?: boolean;
  yes?: boolean;
  data?: string;
  json?: boolean;
}

export const plan = defineCommand<PlanFlags, []>({
  brief: 'Show which machines replicas would need, and what they cost',
  description:
    'A dry run, unless --apply is given. Replicas of the Workloads are placed on new machines of the NodePools, or without one on\n' +
    'anything that the region of the Cluster (or of --cloud and --region) sells; with --nodes or --existing first on nodes\n' +
    'that are there. It says how far from the cheapest possible\n' +
    'plan this one is at most, and why a replica has no place (exit code 1). Needs no running Ebb. See docs/nodes.md',
  examples: [
    { command: 'ebb plan -f llm.yaml --cloud aws --region us-east-1', does: 'anything that the region sells' },
    { command: 'ebb plan -f documents/ --replicas llm=12 --replicas web=40', does: 'a busy hour in your own pools' },
    { command: 'ebb plan -f documents/ --time 20s --json', does: 'a longer search, for a program' },
    { command: 'ebb plan -f documents/ --nodes nodes.json', does: 'what has to come beside the nodes that are there' },
    { command: 'ebb plan -f documents/ --nodes nodes.json --consolidate', does: 'which of them should go' },
    { command: 'ebb plan -f documents/ --existing --apply', does: 'rents what is missing, after asking' },
  ],
  usage: '-f FILE [--replicas NAME=N] [--cloud NAME --region NAME] [FLAGS]',
  parameters: {
    flags: {
      file: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        placeholder: 'FILE|DIR',
        brief: 'Workloads, and the Clusters and NodePools they may run in; - is standard input',
      },
      replicas: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        optional: true,
        placeholder: 'NAME=N',
        brief: 'Replicas of a workload, or of one class: NAME:CLASS=N (default: minReplicas, at least 1)',
      },
      ...placeFlags,
      ...priceFlags,
      solver: {
        kind: 'enum',
        values: ['highs', 'simplex', 'none'],
        optional: true,
        brief: 'What solves the linear programs (default highs; none: guessed prices, weak bound)',
      },
      budgetUnits: {
        kind: 'parsed',
        parse: parseUnits,
        optional: true,
        placeholder: 'N',
        brief: 'Most work, in units; the outcome is then the same on every machine',
      },
      time: {
        kind: 'parsed',
        parse: parseTime,
        optional: true,
        placeholder: 'TIME',
        brief: 'The same as about so long a time (default 4s)',
      },
      seed: {
        kind: 'parsed',
        parse: parseUnits,
        optional: true,
        placeholder: 'N',
        brief: 'Seed of the search (default 1)',
      },
      nodes: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        optional: true,
        placeholder: 'FILE',
        brief: 'Nodes that are there, as `ebb get nodes -o json` prints them',
      },
      existing: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Nodes that the providers of the Clusters list; what runs on them is not known, they count as empty',
      },
      consolidate: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'In place of a plan: which of the nodes should go, where their replicas go, and what that saves',
      },
      apply: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Rent the machines of the plan, and wait until they run',
      },
      yes: { kind: 'boolean', optional: true, withNegated: false, brief: 'Do not ask before renting' },
      data: dataFlag,
      json: jsonFlag,
    },
    aliases: { f: 'file', y: 'yes' },
  },
  load: async () => (await import('../actions/plan.ts')).plan,
});

function parseUnits(input: string): number {
  const units = Number(input);
  if (!/^[1-9]\d{0,11}$/.test(input)) throw new Error(`expected a whole number above 0, not "${input}"`);
  return units;
}

function parseTime(input: string): number {
  const parsed = parseDuration(input);
  if ('error' in parsed) throw new Error(parsed.error);
  const mostMs = 3_600_000;
  if (parsed.value <= 0 || parsed.value > mostMs) throw new Error(`expected a time up to 1h, not "${input}"`);
  return parsed.value;
}
