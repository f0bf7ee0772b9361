import { completeKind, completeWorkload } from '../completion/candidates.ts';
import { defineCommand } from './definition.ts';
import { dataFlag, jsonFlag, type NamespacedFlags, namespaceFlag } from './flags.ts';

export type DeleteFlags = NamespacedFlags & { file?: readonly string[] };

export const deleteCommand = defineCommand({
  brief: 'Delete objects; a workload is drained and ended first',
  description:
    'Names the object by kind and name, or takes the names from documents with -f. Prints one line an object.',
  examples: [
    { command: 'ebb delete workload upscaler', does: 'one object' },
    { command: 'ebb delete -f workloads/', does: 'all that the documents of a folder describe' },
  ],
  usage: '(KIND NAME | --file FILE...) [--namespace NAME] [--data DIR] [--json]',
  parameters: {
    flags: {
      file: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        optional: true,
        placeholder: 'FILE',
        brief: 'Delete what these documents describe; may be given again',
      },
      namespace: namespaceFlag,
      data: dataFlag,
      json: jsonFlag,
    },
    aliases: { f: 'file', n: 'namespace' },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          parse: String,
          optional: true,
          placeholder: 'KIND',
          brief: 'workload, nodepool or cluster',
          proposeCompletions: completeKind,
        },
        {
          parse: String,
          optional: true,
          placeholder: 'NAME',
          brief: 'Name of the object',
          proposeCompletions: completeWorkload,
        },
      ],
    },
  },
  load: async () => (await import('../actions/delete.ts')).deleteObjects,
});
