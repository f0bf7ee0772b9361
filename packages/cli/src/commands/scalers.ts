import { completeScaler } from '../completion/candidates.ts';
import { defineCommand } from './definition.ts';
import { jsonFlag } from './flags.ts';

export type ScalersFlags = { json?: boolean };

export const scalersCommand = defineCommand({
  brief: 'List the trigger types of KEDA that work here, or explain one',
  description:
    'Without TYPE: every trigger type with what it counts, how news reach Ebb and what the account must be allowed to do;\n' +
    'then the types of KEDA that are not available here. With TYPE: its settings, an example and its rules.\n' +
    'Needs no running Ebb.',
  examples: [
    { command: 'ebb scalers', does: 'what can be counted' },
    { command: 'ebb scalers rabbitmq', does: 'settings, defaults and rules of one' },
    { command: 'ebb scalers kafka --json', does: 'the same for a script' },
  ],
  parameters: {
    flags: { json: jsonFlag },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          parse: String,
          optional: true,
          placeholder: 'TYPE',
          brief: "As in a trigger's type",
          proposeCompletions: completeScaler,
        },
      ],
    },
  },
  load: async () => (await import('../actions/scalers.ts')).scalers,
});
