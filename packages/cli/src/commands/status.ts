import { defineCommand } from './definition.ts';
import { type CommonFlags, dataFlag, jsonFlag } from './flags.ts';

export type StatusFlags = CommonFlags & { watch?: boolean };

export const status = defineCommand({
  brief: 'Show what runs, waits and costs',
  description:
    'One picture of every workload: replicas wanted, ready, starting and draining, requests in flight and held, the last\n' +
    'decision and its reason, cost, and the stages of the last cold start. With --watch it stays and redraws; with\n' +
    '--watch --json it prints one JSON event a line. Exit code 1 when something runs that is not as it should be.',
  examples: [
    { command: 'ebb status', does: 'one picture' },
    { command: 'ebb status --watch', does: 'the live view of an Ebb that runs elsewhere; Ctrl-C leaves it running' },
    { command: "ebb status --json | jq '.workloads[].replicas'", does: 'for a script' },
  ],
  parameters: {
    flags: {
      watch: { kind: 'boolean', optional: true, withNegated: false, brief: 'Stay and redraw' },
      data: dataFlag,
      json: jsonFlag,
    },
    aliases: { w: 'watch' },
  },
  load: async () => (await import('../actions/status.ts')).status,
});
