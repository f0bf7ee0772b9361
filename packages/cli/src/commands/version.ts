import { defineCommand } from './definition.ts';
import { type CommonFlags, dataFlag, jsonFlag } from './flags.ts';

export type VersionFlags = CommonFlags;

export const versionCommand = defineCommand({
  brief: 'Print the versions of this command, Node and the running Ebb',
  description: 'The running Ebb is named where there is one on the data folder; its absence is no failure.',
  examples: [
    { command: 'ebb version', does: 'all versions' },
    { command: 'ebb version --json', does: 'for a script or a bug report' },
  ],
  parameters: { flags: { data: dataFlag, json: jsonFlag } },
  load: async () => (await import('../actions/version.ts')).version,
});
