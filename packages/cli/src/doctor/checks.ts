import { discoverGpus } from '@ebb/controller';
import type { MachineGpus } from '@ebb/core';
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { isPortFree, portHolder } from '../controlPlane/portHolder.ts';
import type { DataDirectory } from '../dataDirectory.ts';
import { bytesText } from '../text/format.ts';

const run = promisify(execFile);

export interface Check {
  name: string;
  /** `bad` stands in the way, `hint` is worth knowing. */
  state: 'ok' | 'hint' | 'bad';
  found: string;
  /** What to do, or what it means. */
  hint: string | null;
}

export interface Machine {
  dataDirectory: DataDirectory;
  apiPort: number;
  gatewayPort: number;
}

const fewestFiles = 4_096;
const leastFreeBytes = 1024 ** 3;

/** Looks at everything that decides whether Ebb runs well here. Changes nothing. */
export async function checkMachine(machine: Machine): Promise<Check[]> {
  const running = existsSync(join(machine.dataDirectory.path, 'control.json'));
  const parts = await Promise.all([
    checkNode(),
    checkPlatform(),
    checkProcessors(),
    checkOpenFiles(),
    checkPython(),
    checkGpus(),
    checkPort('API port', machine.apiPort, '--api-port', running),
    checkPort('gateway port', machine.gatewayPort, '--gateway-port', running),
    checkDataDirectory(machine.dataDirectory),
    checkDisk(machine.dataDirectory.path),
  ]);
  return parts;
}

function checkNode(): Check {
  const found = `${process.versions.node} (${process.execPath})`;
  return { name: 'Node', state: 'ok', found, hint: null };
}

function checkPlatform(): Check {
  const found = `${process.platform} ${process.arch}`;
  if (process.platform === 'linux') return { name: 'platform', state: 'ok', found, hint: null };
  if (process.platform === 'darwin') {
    const hint = 'memory and CPU limits of replicas are not enforced on macOS; everything else works';
    return { name: 'platform', state: 'hint', found, hint };
  }
  return { name: 'platform', state: 'bad', found, hint: 'Ebb runs on Linux and macOS, on Windows inside WSL' };
}

function checkProcessors(): Check {
  const memory = process.constrainedMemory();
  const total = memory > 0 && memory < totalmem() ? memory : totalmem();
  const found = `${availableParallelism()} processors, ${bytesText(total)} memory, ${bytesText(freemem())} free`;
  return { name: 'machine', state: 'ok', found, hint: null };
}

async function checkOpenFiles(): Promise<Check> {
  const name = 'open files';
  try {
    const { stdout } = await run('/bin/sh', ['-c', 'ulimit -n'], { timeout: 2_000 });
    const limit = stdout.trim();
    if (limit === 'unlimited' || Number(limit) >= fewestFiles) return { name, state: 'ok', found: limit, hint: null };
    return {
      name,
      state: 'hint',
      found: limit,
      hint: `thousands of held requests need more: ulimit -n ${fewestFiles * 4}`,
    };
  } catch {
    return { name, state: 'hint', found: 'unknown', hint: null };
  }
}

async function checkPython(): Promise<Check> {
  const name = 'Python';
  try {
    const { stdout } = await run('python3', ['--version'], { timeout: 5_000 });
    return { name, state: 'ok', found: stdout.trim().replace(/^Python /, ''), hint: null };
  } catch {
    return { name, state: 'hint', found: 'no python3', hint: 'only the Python example needs it' };
  }
}

/** `discover` is for tests. */
export async function checkGpus(discover: () => Promise<MachineGpus> = discoverGpus): Promise<Check> {
  const name = 'accelerator';
  const { state, message, driverVersion, mps, sharing } = await discover();
  if (state === 'none') return { name, state: 'ok', found: 'none; workloads run on the CPU', hint: null };
  if (state === 'broken') {
    return {
      name,
      state: 'hint',
      found: message,
      hint: 'workloads that need a GPU are refused until this is repaired',
    };
  }
  const shared = 'replicas' in sharing ? `${sharing.kind} by ${sharing.replicas}` : sharing.kind;
  const parts = [...(driverVersion ? [`driver ${driverVersion}`] : []), `sharing ${shared}`, ...(mps ? ['MPS'] : [])];
  return { name, state: 'ok', found: `${message}; ${parts.join(', ')}`, hint: null };
}

async function checkPort(name: string, port: number, flag: string, running: boolean): Promise<Check> {
  if (port === 0) return { name, state: 'ok', found: 'any free one', hint: null };
  if (await isPortFree(port)) return { name, state: 'ok', found: `${port} is free`, hint: null };
  const holder = portHolder(port);
  const found = `${port} is taken${holder ? ` by ${holder}` : ''}`;
  if (running) return { name, state: 'hint', found, hint: 'an Ebb seems to run on this data folder: ebb status' };
  return { name, state: 'bad', found, hint: `choose another one: ebb up ${flag} PORT` };
}

function checkDataDirectory({ path, from }: DataDirectory): Check {
  const name = 'data folder';
  const existing = nearestExisting(path);
  const how = from === 'default' ? 'default' : from;
  const found = `${path} (${how})${existing === path ? '' : ', not there yet'}`;
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
  } catch {
    return { name, state: 'bad', found, hint: `${existing} cannot be written to; choose another folder with --data` };
  }
  const open = existing === path && (statSync(path).mode & 0o077) !== 0;
  const hint = open ? `other users can look into it: chmod 700 ${path}` : null;
  return { name, state: open ? 'hint' : 'ok', found, hint };
}

function checkDisk(path: string): Check {
  const { bavail, bsize } = statfsSync(nearestExisting(path));
  const free = bavail * bsize;
  const found = `${bytesText(free)} free`;
  if (free >= leastFreeBytes) return { name: 'disk', state: 'ok', found, hint: null };
  return { name: 'disk', state: 'hint', found, hint: 'the journal may keep up to 1 GB' };
}

function nearestExisting(path: string): string {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
