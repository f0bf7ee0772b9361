import { completeWorkload } from '../completion/candidates.ts';
import { defineCommand } from './definition.ts';
import { dataFlag, jsonFlag, type NamespacedFlags, namespaceFlag } from './flags.ts';
import { sinceFlag, untilFlag } from './timeFlags.ts';

export type ReplayFlags = NamespacedFlags & { since?: string; until?: string; policy?: string; journal?: string };

export const replay = defineCommand({
  brief: 'Decide again on what was recorded, by the same policy or not',
  description:
    'With the same policy every recorded decision must come out bit for bit; exit code 1 and the first ones that do not\n' +
    'otherwise. With --policy the recorded demand goes through the scaling of another Workload document, and what that\n' +
    'would have used stands beside what was used. That is open loop: waits are not simulated.\n' +
    'Without a running Ebb the database in the data folder is read.',
  examples: [
    { command: 'ebb replay', does: 'the last hour of all workloads: the same decisions?' },
    { command: 'ebb replay upscaler --since 2d --policy longer.yaml', does: 'two days under another policy' },
    { command: 'ebb replay --journal journal.jsonl --json', does: 'of a file from `ebb journal export`' },
  ],
  parameters: {
    flags: {
      since: { ...sinceFlag, brief: `${sinceFlag.brief} (default: 1h; of a file: all)` },
      until: untilFlag,
      policy: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: 'Workload document whose scaling is tried on the recorded demand',
      },
      journal: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: 'Read this exported journal and no running Ebb',
      },
      namespace: namespaceFlag,
      data: dataFlag,
      json: jsonFlag,
    },
    aliases: { n: 'namespace' },
    positional: {
      kind: 'array',
      parameter: {
        parse: String,
        placeholder: 'WORKLOAD',
        brief: 'Only these workloads',
        proposeCompletions: completeWorkload,
      },
    },
  },
  load: async () => (await import('../actions/replay.ts')).replay,
});
