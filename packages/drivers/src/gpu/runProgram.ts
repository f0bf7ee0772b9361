import { spawn } from 'node:child_process';

export type ProgramResult =
  | { kind: 'ended'; code: number | null; stdout: string; stderr: string }
  | { kind: 'missing' }
  | { kind: 'failed'; message: string }
  | { kind: 'timeout' };

const maxOutputChars = 4 * 1024 * 1024;
/** All that a vendor's program needs of the environment, which holds secrets. */
const handedOn = ['PATH', 'LD_LIBRARY_PATH', 'NVIDIA_VISIBLE_DEVICES', 'HOME'];

/**
 * Runs a program without a shell and never waits longer than `timeoutMs`: a hung driver keeps its program in the kernel, where
 * even SIGKILL does not end it, so it is killed (with what it started, by its own group) and not waited for.
 */
export function runProgram(
  file: string,
  args: readonly string[],
  { timeoutMs, env = process.env }: { timeoutMs: number; env?: NodeJS.ProcessEnv },
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      env: Object.fromEntries(handedOn.map((name) => [name, env[name]])),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const output = { stdout: '', stderr: '' };
    const finish = (result: ProgramResult) => {
      clearTimeout(timer);
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      resolve(result);
    };
    const timer = setTimeout(() => {
      killGroup(child.pid);
      finish({ kind: 'timeout' });
    }, timeoutMs);
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (output[name].length < maxOutputChars) output[name] += text;
      });
    }
    child.once('error', (error: NodeJS.ErrnoException) =>
      finish(error.code === 'ENOENT' ? { kind: 'missing' } : { kind: 'failed', message: error.message }),
    );
    child.once('close', (code) => finish({ kind: 'ended', code, ...output }));
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended in this moment.
  }
}
