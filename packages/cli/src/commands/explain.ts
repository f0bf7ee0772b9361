import { completeWorkload } from '../completion/candidates.ts';
import { defineCommand } from './definition.ts';
import { dataFlag, jsonFlag, type NamespacedFlags, namespaceFlag } from './flags.ts';

export type ExplainFlags = NamespacedFlags & { at?: string };

export const explain = defineCommand({
  brief: 'Say why a workload has the replicas it has',
  description:
    'The decision in force, step by step: what was read, what each trigger asked for, which rule changed it, what was\n' +
    'granted, and what was done. It comes from the journal, so any moment of the last days can be asked for.',
  examples: [
    { command: 'ebb explain upscaler', does: 'the decision in force now' },
    { command: 'ebb explain upscaler --at 5m', does: 'five minutes ago' },
    { command: 'ebb explain cluster/cloud', does: 'why a cluster has the machines it has' },
    { command: 'ebb explain upscaler --at 2026-03-01T09:30:00Z --json', does: 'at a moment, as JSON' },
  ],
  parameters: {
    flags: {
      at: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'TIME',
        brief: 'Moment to explain: ISO date and time, time of today (14:03:07), or how long ago (90s, 5m, 2h)',
      },
      namespace: namespaceFlag,
      data: dataFlag,
      json: jsonFlag,
    },
    aliases: { n: 'namespace' },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          parse: String,
          placeholder: 'WORKLOAD',
          brief: 'Name of the workload, or cluster/NAME',
          proposeCompletions: completeWorkload,
        },
      ],
    },
  },
  load: async () => (await import('../actions/explain.ts')).explain,
});
