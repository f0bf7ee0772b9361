import { fileFlag } from './apply.ts';
import { defineCommand } from './definition.ts';
import { jsonFlag } from './flags.ts';

export type ValidateFlags = { file: readonly string[]; json?: boolean };

export const validate = defineCommand({
  brief: 'Check documents without a running Ebb',
  description:
    'Tells every problem with file, line and column, what was found, what is allowed and the nearest valid name.\n' +
    'Exit code 2 when there is an error; warnings alone are fine.',
  examples: [
    { command: 'ebb validate -f workload.yaml', does: 'check one file' },
    { command: 'ebb validate -f workloads/ --json', does: 'check a folder, problems as JSON' },
  ],
  parameters: { flags: { file: fileFlag, json: jsonFlag }, aliases: { f: 'file' } },
  load: async () => (await import('../actions/validate.ts')).validate,
});
