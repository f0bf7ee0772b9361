import { fileFlag } from './apply.ts';
import { defineCommand } from './definition.ts';
import { jsonFlag } from './flags.ts';

export type ImportKedaFlags = { file: readonly string[]; write?: string; json?: boolean };

export const importKeda = defineCommand({
  brief: 'Say how much of your KEDA files works here',
  description:
    'Reads KEDA files unchanged (folders too; a Deployment or Service beside them is left aside) and tells trigger by\n' +
    'trigger what works here, what it still needs, and what is not available and why. For a ScaledObject without a Workload\n' +
    "of its target's name it makes one from the Deployment in the same files; --write DIR writes these. Changes nothing\n" +
    'else, and needs no running Ebb. Exit code 0 when all triggers work, 1 when not all do, 2 for what cannot be read.',
  examples: [
    { command: 'ebb import keda -f k8s/', does: 'coverage of a folder' },
    { command: 'ebb import keda -f k8s/ --write workloads/', does: 'and write the Workloads that are missing' },
    { command: "ebb import keda -f k8s/ --json | jq '.counts'", does: 'for a script' },
  ],
  parameters: {
    flags: {
      file: fileFlag,
      write: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'DIR',
        brief: 'Folder to write Workloads to that are missing; no file is written over',
      },
      json: jsonFlag,
    },
    aliases: { f: 'file' },
  },
  load: async () => (await import('../actions/importKeda.ts')).importKeda,
});
