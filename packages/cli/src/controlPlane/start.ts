import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readControlFile } from '@ebb/client';
import { Failure } from '../failure.ts';
import { isPortFree, portHolder } from './portHolder.ts';

export const defaultApiPort = 7070;
export const defaultGatewayPort = 8080;

/** A control plane that is not ready after this long never will be: it starts in well under a second. */
const longestStartMs = 30_000;

export interface ControlPlaneOptions {
  dataDirectory: string;
  apiPort: number;
  gatewayPort: number;
  page: boolean;
  /** Absolute path of a file of prices; null: the built-in list. */
  catalogue: string | null;
}

export interface ControlPlane {
  child: ChildProcess;
  pid: number;
  apiUrl: string;
  gatewayUrl: string;
  logFile: string;
  /** Exit code (or signal) once it ends. */
  ended: Promise<string>;
}

/** Exit codes of the control plane's process, see its own table. */
const processExit = { usage: 2, portTaken: 3, alreadyRunning: 4, storeUnusable: 5 };

/**
 * Starts the control plane in a process group of its own, so that a Ctrl-C meant for the command does not reach it, and
 * waits for its line `{"event":"ready",…}`. Throws a `Failure` that says what stood in the way.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { logFile, log } = openLog(options.dataDirectory);
  const args = [
    fileURLToPath(import.meta.resolve('@ebb/controller/process')),
    '--data',
    options.dataDirectory,
    '--api-port',
    String(options.apiPort),
    '--gateway-port',
    String(options.gatewayPort),
    ...(options.page ? [] : ['--no-page']),
    ...(options.catalogue === null ? [] : ['--catalogue', options.catalogue]),
  ];
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', log] });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? String(code)));
    child.once('error', (error) => resolve(error.message));
  });
  const ready = await firstReadyLine(child, ended);
  if ('ended' in ready) throw await explainEnd(ready.ended, options, logFile);
  return { child, pid: child.pid ?? 0, ...ready, logFile, ended };
}

function openLog(dataDirectory: string): { logFile: string; log: number } {
  const logFile = join(dataDirectory, 'logs', 'control-plane.log');
  try {
    mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 });
    return { logFile, log: openSync(logFile, 'a', 0o600) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure('failed', `the data folder ${dataDirectory} cannot be used: ${why}.`, [
      'choose another one with --data DIR',
    ]);
  }
}

async function firstReadyLine(
  child: ChildProcess,
  ended: Promise<string>,
): Promise<{ apiUrl: string; gatewayUrl: string } | { ended: string }> {
  const line = new Promise<{ apiUrl: string; gatewayUrl: string }>((resolve) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const candidate of lines) {
        const ready = parseReady(candidate);
        if (ready) resolve(ready);
      }
    });
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<{ ended: string }>((resolve) => {
    timer = setTimeout(() => resolve({ ended: 'late' }), longestStartMs);
  });
  const outcome = await Promise.race([line, ended.then((how) => ({ ended: how })), late]);
  clearTimeout(timer);
  if ('ended' in outcome && outcome.ended === 'late') child.kill('SIGKILL');
  return outcome;
}

/** The ready line, or null for any other line. */
export function parseReady(line: string): { apiUrl: string; gatewayUrl: string } | null {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('event' in value) || value.event !== 'ready') return null;
    if (!('apiUrl' in value) || !('gatewayUrl' in value)) return null;
    return { apiUrl: String(value.apiUrl), gatewayUrl: String(value.gatewayUrl) };
  } catch {
    return null;
  }
}

async function explainEnd(how: string, options: ControlPlaneOptions, logFile: string): Promise<Failure> {
  const logged = lastLines(logFile, 5);
  const seeLog = `its log: ${logFile}`;
  switch (how) {
    case String(processExit.alreadyRunning):
      return await alreadyRunning(options.dataDirectory);
    case String(processExit.portTaken): {
      const taken = await takenPorts(options);
      return new Failure(
        'failed',
        taken.length > 0 ? `${taken.map(({ text }) => text).join('; ')}.` : `a port is taken: ${logged.at(-1) ?? ''}`,
        taken.length > 0 ? taken.map(({ hint }) => hint) : [seeLog],
      );
    }
    case String(processExit.storeUnusable):
      return new Failure('failed', `the data folder ${options.dataDirectory} cannot be used.`, [...logged, seeLog]);
    case 'late':
      return new Failure('failed', `the control plane was not ready within ${longestStartMs / 1000} s.`, [
        ...logged,
        seeLog,
      ]);
    default:
      return new Failure('failed', `the control plane ended while it started (${how}).`, [...logged, seeLog]);
  }
}

async function alreadyRunning(dataDirectory: string): Promise<Failure> {
  const first = await readControlFile(dataDirectory);
  const where = first ? ` (pid ${first.pid}, ${first.apiUrl})` : '';
  return new Failure('alreadyRunning', `an Ebb already runs on ${dataDirectory}${where}.`, [
    '`ebb status --watch` shows it, `ebb apply -f FILE` adds to it, `ebb down` stops it',
    '`ebb up --data DIR --api-port 0 --gateway-port 0` starts another one beside it',
  ]);
}

async function takenPorts({ apiPort, gatewayPort }: ControlPlaneOptions): Promise<{ text: string; hint: string }[]> {
  const wanted = [
    { port: apiPort, what: 'API', flag: '--api-port' },
    { port: gatewayPort, what: 'gateway', flag: '--gateway-port' },
  ];
  const taken: { text: string; hint: string }[] = [];
  for (const { port, what, flag } of wanted) {
    if (port === 0 || (await isPortFree(port))) continue;
    const holder = portHolder(port);
    taken.push({
      text: `port ${port} of the ${what} is taken${holder ? ` by ${holder}` : ''}`,
      hint: `choose another one with ${flag} PORT (0: any free one)`,
    });
  }
  return taken;
}

/** The last lines of a log as text for a person: `msg` of JSON lines, else the line. */
export function lastLines(file: string, count: number): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text
    .trimEnd()
    .split('\n')
    .slice(-count)
    .filter((line) => line !== '')
    .map((line) => {
      try {
        const value: unknown = JSON.parse(line);
        return typeof value === 'object' && value !== null && 'msg' in value ? String(value.msg) : line;
      } catch {
        return line;
      }
    });
}
