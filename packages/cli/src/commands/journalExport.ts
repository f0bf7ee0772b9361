import { completeWorkload } from '../completion/candidates.ts';
import { defineCommand } from './definition.ts';
import { dataFlag, jsonFlag, type NamespacedFlags, namespaceFlag } from './flags.ts';
import { sinceFlag, untilFlag } from './timeFlags.ts';

export type JournalExportFlags = NamespacedFlags & { since?: string; until?: string };

export const journalExport = defineCommand({
  brief: 'Write the journal as JSON lines',
  description:
    'One record a line, in order, on stdout. It begins with the snapshot before --since, so that `ebb replay --journal`\n' +
    'can go on from it anywhere. Without a running Ebb the database in the data folder is read.',
  examples: [
    { command: 'ebb journal export > journal.jsonl', does: 'all of it' },
    { command: 'ebb journal export upscaler --since 2h > journal.jsonl', does: 'two hours of one workload' },
  ],
  parameters: {
    flags: { since: sinceFlag, until: untilFlag, namespace: namespaceFlag, data: dataFlag, json: jsonFlag },
    aliases: { n: 'namespace' },
    positional: {
      kind: 'array',
      parameter: {
        parse: String,
        placeholder: 'WORKLOAD',
        brief: 'Only of these workloads',
        proposeCompletions: completeWorkload,
      },
    },
  },
  load: async () => (await import('../actions/journalExport.ts')).journalExport,
});
