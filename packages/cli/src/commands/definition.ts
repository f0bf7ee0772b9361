import { buildCommand, type Command, type TypedCommandParameters } from '@stricli/core';
import type { EbbContext } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { reportFailure } from '../report.ts';

export interface Example {
  command: string;
  does: string;
}

/** What a command does once its flags are parsed. Nothing returned means `ok`; failures are thrown. */
export type Action<Flags, Arguments extends readonly unknown[]> = (
  context: EbbContext,
  flags: Flags,
  ...args: Arguments
) => Promise<ExitName | undefined>;

type FlagsOf<Flags> = Readonly<Partial<Record<keyof Flags, unknown>>>;

export interface CommandDefinition<Flags extends FlagsOf<Flags>, Arguments extends readonly unknown[]> {
  brief: string;
  description: string;
  examples: Example[];
  /** In place of the generated usage line, where that would mislead. */
  usage?: string;
  parameters: NoInfer<TypedCommandParameters<Flags, Arguments, EbbContext>>;
  /** Brings the module that does the work: only the command that runs pays for its imports. */
  load: () => Promise<Action<Flags, Arguments>>;
}

/** A command whose help ends with examples and whose failures are told by `reportFailure`. */
export function defineCommand<Flags extends FlagsOf<Flags>, Arguments extends readonly unknown[]>(
  definition: CommandDefinition<Flags, Arguments>,
): Command<EbbContext> {
  const { brief, description, examples, usage, parameters, load } = definition;
  const command = buildCommand<Flags, Arguments, EbbContext>({
    docs: { brief, fullDescription: description, ...(usage === undefined ? {} : { customUsage: [usage] }) },
    parameters,
    loader: async () => {
      const action = await load();
      return async function run(this: EbbContext, flags: Flags, ...args: Arguments): Promise<void> {
        try {
          this.exit = (await action(this, flags, ...args)) ?? 'ok';
        } catch (error) {
          this.exit = await reportFailure(this, error, wantsJson(flags));
        }
      };
    },
  });
  return {
    ...command,
    formatHelp: (args) => `${command.formatHelp(args)}\n${examplesText(examples, args.ansiColor)}`,
  };
}

/** The last section of a help text. */
export function examplesText(examples: Example[], ansiColor: boolean): string {
  const lines = examples.map(({ command, does }) => `  ${command}\n      ${does}\n`);
  return `${helpHeader('EXAMPLES', ansiColor)}\n${lines.join('')}`;
}

export function helpHeader(title: string, ansiColor: boolean): string {
  return ansiColor ? `\u001b[4m${title}\u001b[24m` : title;
}

function wantsJson(flags: object): boolean {
  return 'json' in flags ? flags.json === true : 'output' in flags && flags.output === 'json';
}
