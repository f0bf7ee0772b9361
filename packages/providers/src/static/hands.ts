import { spawn } from 'node:child_process';
import { connect } from 'node:net';

/** What came of a command: null when it ended with 0, else a sentence with its last output. */
export type CommandProblem = string | null;

/** Reaches machines: what the provider does outside of this process. */
export interface Hands {
  run(command: readonly string[], env: Readonly<Record<string, string>>, timeoutMs: number): Promise<CommandProblem>;
  connect(address: { host: string; port: number }, timeoutMs: number): Promise<CommandProblem>;
  /** Ends what is going on. */
  close(): void;
}

/** Ebb's own environment may have secrets: commands get no more of it than programs such as ssh need. */
const passedOn = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'TZ', 'TMPDIR', 'SSH_AUTH_SOCK'];
const keptOutput = 2000;
const shownOutput = 300;
/** After a program's end its last output is waited for so long. */
const outputWithinMs = 250;

/** Programs without a shell, each a process group of its own that ends with its time; and TCP connections. */
export function realHands(): Hands {
  const running = new Set<() => void>();
  const ended = (end: () => void) => {
    running.add(end);
    return () => running.delete(end);
  };
  return {
    run: (command, env, timeoutMs) => runCommand(command, env, timeoutMs, ended),
    connect: (address, timeoutMs) => tryToConnect(address, timeoutMs, ended),
    close() {
      for (const end of [...running]) end();
    },
  };
}

type Guard = (end: () => void) => () => void;

function runCommand(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutMs: number,
  guard: Guard,
): Promise<CommandProblem> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...ownEnvironment(), ...env },
    });
    let output = '';
    const keep = (part: Buffer) => {
      output = (output + part.toString('utf8')).slice(-keptOutput);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    let isOver = false;
    const over = (problem: string | null) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      release();
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      resolve(problem === null ? null : `${program} ${problem}${shown(output)}`);
    };
    // Not waited for: a program that hangs in the kernel does not end by SIGKILL either.
    const end = (why: string) => {
      endGroup(child.pid);
      over(why);
    };
    const release = guard(() => end('was ended because Ebb ends'));
    const timer = setTimeout(() => end(`did not end within ${timeoutMs} ms`), timeoutMs);
    child.once('error', (error: NodeJS.ErrnoException) =>
      over(error.code === 'ENOENT' ? 'was not found' : `cannot be run: ${error.message}`),
    );
    const ended = (code: number | null, signal: NodeJS.Signals | null) =>
      over(code === 0 ? null : code === null ? `was ended by ${signal}` : `ended with ${code}`);
    child.once('close', ended);
    // A daemon that the command left behind may hold its output open for ever.
    child.once('exit', (code, signal) => setTimeout(() => ended(code, signal), outputWithinMs).unref());
  });
}

function tryToConnect(
  { host, port }: { host: string; port: number },
  timeoutMs: number,
  guard: Guard,
): Promise<CommandProblem> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const over = (problem: CommandProblem) => {
      clearTimeout(timer);
      release();
      socket.destroy();
      resolve(problem === null ? null : `${host}:${port} ${problem}`);
    };
    const timer = setTimeout(() => over(`did not answer within ${timeoutMs} ms`), timeoutMs);
    const release = guard(() => over('was not waited for, because Ebb ends'));
    socket.once('connect', () => over(null));
    socket.once('error', ({ message }) => over(`does not answer: ${message}`));
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended in this moment.
  }
}

function ownEnvironment(): Record<string, string> {
  return Object.fromEntries(
    passedOn.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function shown(output: string): string {
  const line = output.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  if (line === '') return '';
  return `: ${line.length > shownOutput ? `…${line.slice(-shownOutput)}` : line}`;
}
