import type { MachineGpu } from '@ebb/core';
import { type ProgramResult, runProgram } from './runProgram.ts';

export type NvidiaAnswer =
  | { state: 'none' }
  | { state: 'broken'; message: string }
  | { state: 'ok'; driverVersion: string; gpus: MachineGpu[] };

/** Asked for in this order. Drivers before 450 do not know the last one. */
const fields = ['index', 'uuid', 'name', 'memory.total', 'driver_version', 'mig.mode.current'];
const mebibyte = 1024 * 1024;

export interface NvidiaOptions {
  /** `nvidia-smi`, found on PATH. */
  program: string;
  timeoutMs: number;
  env: NodeJS.ProcessEnv;
}

/** Asks nvidia-smi for the GPUs, and for MIG instances where a GPU is in MIG mode. Never rejects. */
export async function askNvidiaSmi(options: NvidiaOptions): Promise<NvidiaAnswer> {
  const { program } = options;
  const ask = (...args: string[]) => runProgram(program, args, options);
  let query = await ask(...queryArguments(fields));
  if (isUnknownField(query)) query = await ask(...queryArguments(fields.slice(0, -1)));
  if (query.kind === 'missing') return { state: 'none' };
  const said = textOf(program, query, options.timeoutMs);
  if ('problem' in said) {
    return /no devices were found/i.test(said.problem) ? { state: 'none' } : { state: 'broken', message: said.problem };
  }
  const parsed = parseQuery(said.text);
  if ('problem' in parsed) return { state: 'broken', message: `${program}: ${parsed.problem}` };
  const { gpus, driverVersion } = parsed;
  if (gpus.length === 0) return { state: 'none' };
  if (gpus.every((gpu) => gpu.mig === null)) return { state: 'ok', driverVersion, gpus };

  const list = textOf(program, await ask('-L'), options.timeoutMs);
  if ('problem' in list) return { state: 'broken', message: list.problem };
  const instances = parseList(list.text);
  const withInstances = gpus.map((gpu) => ({ ...gpu, mig: gpu.mig && (instances.get(gpu.index) ?? []) }));
  return { state: 'ok', driverVersion, gpus: withInstances };
}

function queryArguments(names: readonly string[]): string[] {
  return [`--query-gpu=${names.join(',')}`, '--format=csv,noheader,nounits'];
}

function isUnknownField(result: ProgramResult): boolean {
  return result.kind === 'ended' && result.code !== 0 && /not a valid field/i.test(result.stdout + result.stderr);
}

function textOf(program: string, result: ProgramResult, timeoutMs: number): { text: string } | { problem: string } {
  switch (result.kind) {
    case 'missing':
      return { problem: `${program} is not there` };
    case 'failed':
      return { problem: `${program} cannot be run: ${result.message}` };
    case 'timeout':
      return { problem: `${program} did not answer within ${timeoutMs / 1000} s` };
    case 'ended': {
      if (result.code === 0) return { text: result.stdout };
      // It says what is wrong on its standard output, and never anything secret.
      const said = `${result.stdout} ${result.stderr}`.trim().replace(/\s+/g, ' ').slice(0, 300);
      return { problem: said || `${program} ended with exit code ${result.code}` };
    }
  }
}

/** A line for each GPU: `0, GPU-8d3c…, NVIDIA A100-SXM4-40GB, 40960, 535.104.05, Enabled`. */
export function parseQuery(text: string): { gpus: MachineGpu[]; driverVersion: string } | { problem: string } {
  const gpus: MachineGpu[] = [];
  let driverVersion = '';
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') continue;
    const [index = '', id = '', model = '', memoryMiB = '', version = '', mig = ''] = line
      .split(',')
      .map((cell) => cell.trim());
    if (!/^\d+$/.test(index) || !id.startsWith('GPU-') || !model) {
      return { problem: `expected ${fields.join(', ')}, found "${line.trim().slice(0, 120)}"` };
    }
    // A card that lost its driver stands in the list with errors in place of its memory.
    if (!/^\d+$/.test(memoryMiB)) return { problem: `GPU ${index} (${model}) does not tell its memory: ${memoryMiB}` };
    driverVersion = version;
    gpus.push({
      index: Number(index),
      vendor: 'nvidia',
      model,
      memoryBytes: Number(memoryMiB) * mebibyte,
      id,
      mig: mig === 'Enabled' ? [] : null,
    });
  }
  return { gpus, driverVersion };
}

/** Instances by the GPU's number, from `nvidia-smi -L`: `  MIG 3g.20gb     Device  0: (UUID: MIG-…)` under `GPU 0: …`. */
export function parseList(text: string): Map<number, { profile: string; id: string }[]> {
  const found = new Map<number, { profile: string; id: string }[]>();
  let current: { profile: string; id: string }[] = [];
  for (const line of text.split(/\r?\n/)) {
    const gpu = /^GPU (\d+):/.exec(line);
    if (gpu) found.set(Number(gpu[1]), (current = []));
    const instance = /^\s+MIG (\S+)\s+Device\s+\d+: \(UUID: (MIG-[^)]+)\)/.exec(line);
    if (instance) current.push({ profile: instance[1] ?? '', id: instance[2] ?? '' });
  }
  return found;
}
