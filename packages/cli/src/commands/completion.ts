import { type Shell, shells } from '../completion/shells.ts';
import { defineCommand } from './definition.ts';

export type CompletionFlags = { json?: boolean };

export const completion = defineCommand({
  brief: 'Print the completion script of a shell',
  description: 'Completes commands, flags, kinds and, where an Ebb runs, the names of its workloads.',
  examples: [
    { command: 'source <(ebb completion bash)', does: 'bash, for this shell; put it into ~/.bashrc to keep it' },
    { command: 'ebb completion zsh > "${fpath[1]}/_ebb"', does: 'zsh' },
    { command: 'ebb completion fish > ~/.config/fish/completions/ebb.fish', does: 'fish' },
  ],
  parameters: {
    flags: { json: { kind: 'boolean', optional: true, withNegated: false, brief: 'Print the script as a JSON value' } },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          parse: (input: string): Shell => {
            const shell = shells.find((name) => name === input);
            if (!shell) throw new Error(`there are scripts for ${shells.join(', ')}`);
            return shell;
          },
          proposeCompletions: (partial) => shells.filter((name) => name.startsWith(partial)),
          placeholder: 'SHELL',
          brief: 'bash, zsh or fish',
        },
      ],
    },
  },
  load: async () => (await import('../actions/completion.ts')).completion,
});
