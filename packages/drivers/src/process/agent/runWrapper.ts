import type { RunStart } from '@ebb/core';
import { constants } from 'node:os';
import { expand, runEnvironment } from './environment.ts';
import { resolveCommand } from './resolveCommand.ts';
import type { SpawnPlan } from './spawnReplica.ts';

/**
 * Only a parent learns how a process ended, and the agent may be gone by then. So a run's parent is a shell that waits
 * for it and adds the result to the run's record (descriptor 3) in one write, whose line end makes it valid. It leads the process group, so signals for the group reach it too; it catches them, which
 * does not keep them from the command, and goes on waiting. The command stands in the foreground (in the background
 * it would ignore SIGINT), in a subshell of its own, so that what the shell says about its end (`Killed`) goes to the
 * record and not among the run's own output.
 */
const script = `trap : HUP INT QUIT PIPE ALRM TERM USR1 USR2
exec 4>&2 2>&3 3>&-
echo "
pid $$" >&2
unset PWD OLDPWD SHLVL _
(exec "$@" 2>&4 4>&-)
code=$?
echo "
exit $code" >&2
exit $code`;

const shell = '/bin/sh';
/** Under which the wrapper itself has the record open, from its first moment on. */
export const recordDescriptors = [2, 3];

/**
 * Variables that a shell drops or changes on the way through: names with dots and dashes, and its own. A run that
 * names one is started through Node, which sets exactly the environment and replaces itself by the command: 25 ms
 * more, and SIGPIPE stays ignored in it.
 */
const keptByShell = /^[A-Za-z_][A-Za-z0-9_]*$/;
const changedByShell =
  /^(_|PWD|OLDPWD|SHLVL|IFS|OPTIND|OPTARG|PPID|LINENO|RANDOM|SECONDS|E?UID|POSIXLY_CORRECT|SHELLOPTS|BASH.*|FUNCNAME|GROUPS|DIRSTACK)$/;
const exactVariable = 'EBB_ENVIRONMENT';
const becomeCommand = `process.execve(process.argv[1],process.argv.slice(1),JSON.parse(process.env.${exactVariable}))`;

/** What a run's start resolves to. Throws `StartRefusedError` when it cannot be run. */
export function planRun(start: RunStart, host: NodeJS.ProcessEnv, gpus?: Record<string, string>): SpawnPlan {
  const environment = runEnvironment(start, host, gpus);
  const [name = '', ...args] = start.command.map((argument) => expand(argument, environment));
  const file = resolveCommand(name, environment['PATH'] ?? '', start.workingDirectory);
  const wrapped = (command: string[], env: Record<string, string>) => ({
    file: shell,
    args: ['-c', script, 'ebb', ...command],
    environment: env,
  });
  const isKept = (variable: string) => keptByShell.test(variable) && !changedByShell.test(variable);
  if (Object.keys(environment).every(isKept)) return wrapped([file, ...args], environment);
  return wrapped([process.execPath, '-e', becomeCommand, file, ...args], {
    EBB_JOB: start.id,
    [exactVariable]: JSON.stringify(environment),
  });
}

/** How a run ended, as far as is known. */
export interface RunEnd {
  exitCode: number | null;
  failure: string | null;
  message: string;
}

/** What the wrapper wrote. */
export interface RunStatus {
  /** Null: it never began to run. */
  pid: number | null;
  end: RunEnd | null;
  /** Wall time of the latest line. */
  changedAtMs: number;
}

/** Reads the wrapper's lines: `pid N`, what the shell had to say, `exit N`. */
export function statusOf(lines: string[]): Omit<RunStatus, 'changedAtMs'> {
  const [first = '', ...others] = lines;
  const pid = /^pid (\d+)$/.exec(first)?.[1];
  const code = /^exit (\d+)$/.exec(others.pop() ?? '')?.[1];
  return {
    pid: pid === undefined ? null : Number(pid),
    end: code === undefined ? null : endOf(Number(code), others.length > 0),
  };
}

const signalBase = 128;
/** Signals about which shells say nothing: an exit code that stands for one of them is taken for it. */
const silentSignals = new Set<string>(['SIGINT', 'SIGPIPE']);

/** A shell shows the end by signal n as code 128 + n, and says so in words: without them it was an exit code. */
function endOf(code: number, isCommented: boolean): RunEnd {
  const signal = signalNames.get(code - signalBase);
  if (signal && (isCommented || silentSignals.has(signal))) return signalEnd(signal);
  return exitEnd(code);
}

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

export function exitEnd(exitCode: number): RunEnd {
  return { exitCode, failure: exitCode === 0 ? null : 'exit', message: `exit code ${exitCode}` };
}

export function signalEnd(signal: string): RunEnd {
  return { exitCode: null, failure: 'signal', message: `ended by ${signal}` };
}

export const unknownEnd: RunEnd = {
  exitCode: null,
  failure: 'unknown-end',
  message: 'ended while nobody watched',
};
