import { execFile, type ExecFileException } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const entry = join(root, 'packages/cli/bin/ebb.mjs');

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** The built command, as a user runs it. */
export function ebb(args: string[], timeoutMs = 60_000): Promise<CommandResult> {
  const env = { ...process.env, NO_COLOR: '1', PATH: `${join(process.execPath, '..')}${delimiter}${process.env.PATH}` };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [entry, ...args],
      { cwd: root, env, timeout: timeoutMs },
      (error: ExecFileException | null, stdout, stderr) => {
        resolve({ code: error ? (typeof error.code === 'number' ? error.code : 1) : 0, stdout, stderr });
      },
    );
  });
}

export interface RunningEbb {
  data: string;
  apiUrl: string;
  gatewayUrl: string;
  token: string;
  stop(): Promise<CommandResult>;
}

/** Starts Ebb in a data folder of its own on free ports; `stop` ends it and removes the folder. */
export async function startEbb(files: string[]): Promise<RunningEbb> {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-e2e-'));
  const data = join(folder, '.ebb');
  const up = await ebb(['up', '--detach', '--data', data, '--api-port', '0', '--gateway-port', '0', ...files]);
  if (up.code !== 0 || !existsSync(join(data, 'control.json'))) {
    await ebb(['down', '--data', data]);
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`ebb up failed (${up.code}):\n${up.stdout}\n${up.stderr}`);
  }
  const control = JSON.parse(readFileSync(join(data, 'control.json'), 'utf8')) as {
    apiUrl: string;
    gatewayUrl: string;
  };
  return {
    data,
    apiUrl: control.apiUrl,
    gatewayUrl: control.gatewayUrl,
    token: readFileSync(join(data, 'token'), 'utf8').trim(),
    async stop() {
      const down = await ebb(['down', '--data', data]);
      rmSync(folder, { recursive: true, force: true });
      return down;
    },
  };
}
