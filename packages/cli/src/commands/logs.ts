import { completeWorkload } from '../completion/candidates.ts';
import { defineCommand } from './definition.ts';
import { dataFlag, jsonFlag, type NamespacedFlags, namespaceFlag, parseCount } from './flags.ts';

export type LogsFlags = NamespacedFlags & { follow?: boolean; replica?: string; tail?: number };

export const logs = defineCommand({
  brief: "Print what a workload's replicas wrote",
  description: 'Lines of all replicas, each with the replica it came from. With --json one object a line.',
  examples: [
    { command: 'ebb logs upscaler', does: 'the last 100 lines' },
    { command: 'ebb logs upscaler -f --tail 10', does: 'the last ten, then what comes; Ctrl-C ends it' },
    { command: 'ebb logs upscaler --replica upscaler-x7k2p', does: 'of one replica only' },
  ],
  parameters: {
    flags: {
      follow: { kind: 'boolean', optional: true, withNegated: false, brief: 'Go on with what comes' },
      replica: { kind: 'parsed', parse: String, optional: true, placeholder: 'ID', brief: 'Only of this replica' },
      tail: {
        kind: 'parsed',
        parse: parseCount,
        optional: true,
        placeholder: 'LINES',
        brief: 'How many lines back (default 100)',
      },
      namespace: namespaceFlag,
      data: dataFlag,
      json: jsonFlag,
    },
    aliases: { f: 'follow', n: 'namespace' },
    positional: {
      kind: 'tuple',
      parameters: [
        { parse: String, placeholder: 'WORKLOAD', brief: 'Name of the workload', proposeCompletions: completeWorkload },
      ],
    },
  },
  load: async () => (await import('../actions/logs.ts')).logs,
});
