import { defineCommand } from './definition.ts';
import { type CommonFlags, dataFlag, jsonFlag } from './flags.ts';
import { sinceFlag, untilFlag } from './timeFlags.ts';

export type CostFlags = CommonFlags & {
  since?: string;
  until?: string;
  by?: string;
  namespace?: string;
  csv?: boolean;
};

export const cost = defineCommand<CostFlags, []>({
  brief: 'Show what was paid, for what, and how the month will end',
  description:
    'Every replica-second with its price: cost, hours, the share of it with nothing in flight, and what it would have cost\n' +
    'to keep the dearest moment of the span running all the time. Then the forecast of the calendar month (UTC) and the\n' +
    'budgets. JSON and CSV have whole micro-units that add up exactly.',
  examples: [
    { command: 'ebb cost', does: 'the last seven days, by workload' },
    { command: 'ebb cost --since 30d --by label:team', does: 'by the label `team` of the workloads' },
    { command: 'ebb cost --by class --namespace shop --csv > cost.csv', does: 'for a spreadsheet' },
  ],
  parameters: {
    flags: {
      since: { ...sinceFlag, brief: `${sinceFlag.brief} (default: 7d)` },
      until: { ...untilFlag, brief: 'Until then (default: now)' },
      by: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'GROUP',
        brief: 'workload (default), class, pool, node or label:KEY',
      },
      namespace: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'NAME',
        brief: 'Of one namespace (default: all)',
      },
      csv: { kind: 'boolean', optional: true, withNegated: false, brief: 'Print CSV on stdout' },
      data: dataFlag,
      json: jsonFlag,
    },
    aliases: { n: 'namespace' },
  },
  load: async () => (await import('../actions/cost.ts')).cost,
});
