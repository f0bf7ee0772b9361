import {
  ArgumentScannerError,
  buildApplication,
  buildRouteMap,
  formatMessageForArgumentScannerError,
  text_en,
} from '@stricli/core';
import { advise } from './commands/advise.ts';
import { computeClusterCommand, deploymentCommand, nodepoolCommand } from './commands/clarifai.ts';
import { apply } from './commands/apply.ts';
import { completion } from './commands/completion.ts';
import { cost } from './commands/cost.ts';
import { decide } from './commands/decide.ts';
import { deleteCommand } from './commands/delete.ts';
import { doctor } from './commands/doctor.ts';
import { down } from './commands/down.ts';
import { explain } from './commands/explain.ts';
import { gateway } from './commands/gateway.ts';
import { get } from './commands/get.ts';
import { importCommand } from './commands/import.ts';
import { giveBack, takeOver } from './commands/handOver.ts';
import { journal } from './commands/journal.ts';
import { kubernetesCommand } from './commands/kubernetes.ts';
import { listInstances } from './commands/listInstances.ts';
import { logs } from './commands/logs.ts';
import { nodeCommand } from './commands/node.ts';
import { operator } from './commands/operator.ts';
import { plan } from './commands/plan.ts';
import { recommend } from './commands/recommend.ts';
import { rehearse } from './commands/rehearse.ts';
import { replay } from './commands/replay.ts';
import { scalersCommand } from './commands/scalers.ts';
import { status } from './commands/status.ts';
import { tune } from './commands/tune.ts';
import { up } from './commands/up.ts';
import { validate } from './commands/validate.ts';
import { versionCommand } from './commands/version.ts';
import { examplesText, helpHeader } from './commands/definition.ts';
import type { EbbContext } from './context.ts';
import { exitCodes } from './exitCodes.ts';
import { cliVersion } from './version.ts';

const routes = buildRouteMap<string, EbbContext>({
  routes: {
    up,
    down,
    status,
    apply,
    get,
    delete: deleteCommand,
    logs,
    explain,
    recommend,
    cost,
    replay,
    rehearse,
    tune,
    advise,
    journal,
    validate,
    import: importCommand,
    computecluster: computeClusterCommand,
    nodepool: nodepoolCommand,
    deployment: deploymentCommand,
    scalers: scalersCommand,
    'list-instances': listInstances,
    plan,
    node: nodeCommand,
    kubernetes: kubernetesCommand,
    operator,
    gateway,
    'take-over': takeOver,
    'give-back': giveBack,
    decide,
    doctor,
    completion,
    version: versionCommand,
  },
  // As with Clarifai's own command line.
  aliases: { cc: 'computecluster', np: 'nodepool', dp: 'deployment' },
  docs: { brief: 'Autoscaling and compute orchestration for AI inference' },
});

/** The first screen of help: what there is in one line each, instead of every usage line. */
function overview(ansiColor: boolean): string {
  const entries = routes.getAllEntries();
  const width = Math.max(...entries.map(({ name }) => name.original.length));
  const commands = entries.map(({ name, target }) => `  ${name.original.padEnd(width)}  ${target.brief}`);
  const exits = Object.values(exitCodes).map(({ code, meaning }) => `  ${String(code).padStart(width)}  ${meaning}`);
  return [
    'Ebb scales AI inference to zero and back by real demand, and can say why.',
    '',
    helpHeader('USAGE', ansiColor),
    '  ebb COMMAND [ARGUMENTS] [FLAGS]',
    '  ebb COMMAND --help    flags and examples of a command',
    '  ebb --version',
    '',
    helpHeader('COMMANDS', ansiColor),
    ...commands,
    '',
    helpHeader('EXIT CODES', ansiColor),
    ...exits,
    '',
    examplesText(
      [
        { command: 'ebb up examples/upscaler/workload.yaml', does: 'start here, with a model that scales from zero' },
        { command: 'ebb explain upscaler', does: 'why it has the replicas it has' },
      ],
      ansiColor,
    ),
  ].join('\n');
}

const root: typeof routes = { ...routes, formatHelp: ({ ansiColor }) => overview(ansiColor) };

export const application = buildApplication<EbbContext>(root, {
  name: 'ebb',
  versionInfo: { currentVersion: cliVersion },
  scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
  localization: {
    text: {
      ...text_en,
      noCommandRegisteredForInput: ({ input, corrections }) => {
        const names = corrections.map((name) => name.replaceAll('`', ''));
        const meant = names.length > 0 ? ` Did you mean ${names.join(' or ')}?` : '';
        return `ebb: there is no command "${input}".${meant}\n  ebb --help lists the commands`;
      },
      exceptionWhileParsingArguments: (error) => `ebb: ${parseErrorText(error)}\n  --help shows flags and examples`,
    },
  },
});

/** What is wrong with a command line, in our own words. */
function parseErrorText(error: unknown): string {
  if (!(error instanceof ArgumentScannerError)) return error instanceof Error ? error.message : String(error);
  return formatMessageForArgumentScannerError(error, {
    ArgumentParseError: ({ externalFlagNameOrPlaceholder: name, exception }) =>
      `${name}: ${exception instanceof Error ? exception.message : String(exception)}`,
    FlagNotFoundError: ({ input, corrections }) => {
      const meant =
        corrections.length > 0 ? ` Did you mean ${corrections.map((name) => `--${name}`).join(' or ')}?` : '';
      return `there is no flag --${input}.${meant}`;
    },
    AliasNotFoundError: ({ input }) => `there is no flag -${input}.`,
    EnumValidationError: ({ externalFlagName, input, values }) =>
      `--${externalFlagName} is one of ${values.join(', ')}, not "${input}".`,
    UnsatisfiedFlagError: ({ externalFlagName }) => `--${externalFlagName} needs a value.`,
    UnsatisfiedPositionalError: ({ placeholder }) => `${placeholder} is missing.`,
    UnexpectedPositionalError: ({ input }) => `"${input}" is one word too many.`,
    UnexpectedFlagError: ({ externalFlagName }) => `--${externalFlagName} was given twice.`,
  });
}
