import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What the program reads from its standard input. */
  readonly input?: string;
  readonly withinMs?: number;
  /** User and group to run as; only root can ask for it. */
  readonly identity?: { readonly uid: number; readonly gid: number };
}

/**
 * Runs a service's own tool to its end and returns what it printed.
 * Fails with the tool's own words when it exits with another status than 0 or takes longer than `withinMs`.
 */
export function runCommand(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { env, cwd = '/', input, withinMs = 60_000, identity } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: withinMs,
      killSignal: 'SIGKILL',
      ...identity,
    });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    // A program that ends before it has read everything is judged by its exit status.
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (status === 0) return resolve(output);
      const how = signal ? `was ended by ${signal} (limit ${withinMs} ms)` : `exited with status ${status}`;
      reject(new Error(`${program} ${how}: ${`${errors}${output}`.trim().slice(-2_000)}`));
    });
  });
}
