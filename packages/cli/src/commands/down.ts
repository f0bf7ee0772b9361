import { defineCommand } from './definition.ts';
import { type CommonFlags, dataFlag, jsonFlag } from './flags.ts';

export const down = defineCommand({
  brief: 'Stop the Ebb that runs on the data folder',
  description:
    'Lets requests in flight finish, ends every replica, then the gateway, the agent and the control plane, and says what\n' +
    'was stopped. Documents, journal and ledger stay in the data folder.',
  examples: [
    { command: 'ebb down', does: 'stop the Ebb of this folder' },
    { command: 'ebb down --data /var/lib/ebb --json', does: 'another one, with the outcome as JSON' },
  ],
  parameters: { flags: { data: dataFlag, json: jsonFlag } },
  load: async () => (await import('../actions/down.ts')).down,
});

export type DownFlags = CommonFlags;
