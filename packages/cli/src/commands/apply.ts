import { defineCommand } from './definition.ts';
import { type CommonFlags, dataFlag, jsonFlag } from './flags.ts';

export type ApplyFlags = CommonFlags & { file: readonly string[]; dryRun?: boolean };

export const fileFlag = {
  kind: 'parsed',
  parse: String,
  variadic: true,
  placeholder: 'FILE',
  brief: 'YAML or JSON documents, a folder of them, or - for stdin; may be given again',
} as const;

export const apply = defineCommand({
  brief: 'Create or change what documents describe',
  description:
    'Checks all documents first; if one is wrong, every problem is told with its place and nothing is changed. Prints one\n' +
    'line a document: created, configured or unchanged.',
  examples: [
    { command: 'ebb apply -f workload.yaml', does: 'one file, which may hold several documents' },
    { command: 'ebb apply -f workloads/ --dry-run', does: 'say what a folder would change, change nothing' },
    { command: 'cat workload.yaml | ebb apply -f -', does: 'from standard input' },
  ],
  parameters: {
    flags: {
      file: fileFlag,
      dryRun: { kind: 'boolean', optional: true, withNegated: false, brief: 'Say what would change, change nothing' },
      data: dataFlag,
      json: jsonFlag,
    },
    aliases: { f: 'file' },
  },
  load: async () => (await import('../actions/apply.ts')).apply,
});
