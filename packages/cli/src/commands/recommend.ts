import { completeWorkload } from '../completion/candidates.ts';
import { defineCommand } from './definition.ts';
import { dataFlag, jsonFlag, type NamespacedFlags, namespaceFlag } from './flags.ts';

export type RecommendFlags = NamespacedFlags;

export const recommend = defineCommand({
  brief: 'Say what CPU and memory replicas should ask for',
  description:
    'From what replicas used so far: a target with its bounds for each class, how it came about, and what to paste into\n' +
    'the document. Use is measured every ten seconds while a replica runs; an hour of it is needed, a day is better.',
  examples: [
    { command: 'ebb recommend upscaler', does: 'one workload, class by class' },
    { command: 'ebb recommend', does: 'every workload' },
    { command: "ebb recommend upscaler --json | jq '.classes[].suggested'", does: 'for a script' },
  ],
  parameters: {
    flags: { namespace: namespaceFlag, data: dataFlag, json: jsonFlag },
    aliases: { n: 'namespace' },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          parse: String,
          optional: true,
          placeholder: 'WORKLOAD',
          brief: 'Name of the workload (default: all)',
          proposeCompletions: completeWorkload,
        },
      ],
    },
  },
  load: async () => (await import('../actions/recommend.ts')).recommend,
});
