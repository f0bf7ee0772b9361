import type { MachineGpu, MachineGpus } from '@ebb/core';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findAmdGpus } from './amd.ts';
import { gpuLabels } from './labels.ts';
import { askNvidiaSmi } from './nvidiaSmi.ts';
import { readSharing, sharingVariable } from './sharingSetting.ts';

export interface DiscoverOptions {
  env?: NodeJS.ProcessEnv;
  /** Each question to a driver at most. Default 10 s: an idle driver needs seconds for its first answer. */
  timeoutMs?: number;
  /** Where the kernel lists graphics cards. */
  drmFolder?: string;
}

const defaultTimeoutMs = 10_000;
const noDaemon = `${sharingVariable} asks for MPS, and no MPS daemon runs here: start nvidia-cuda-mps-control -d`;

/**
 * Which GPUs this machine has, and how they are shared. Asks `nvidia-smi` (or what `EBB_NVIDIA_SMI` names) and looks into
 * `/sys/class/drm` for AMD's. Never rejects and never hangs; a driver that does not answer is `broken` and says why.
 */
export async function discoverGpus(options: DiscoverOptions = {}): Promise<MachineGpus> {
  const { env = process.env, timeoutMs = defaultTimeoutMs, drmFolder = '/sys/class/drm' } = options;
  const [nvidia, amd] = await Promise.all([
    askNvidiaSmi({ program: env['EBB_NVIDIA_SMI'] || 'nvidia-smi', timeoutMs, env }),
    findAmdGpus({ drmFolder, timeoutMs, env }),
  ]);
  const setting = readSharing(env);
  const sharing = 'sharing' in setting ? setting.sharing : { kind: 'none' as const };
  const mps = isMpsRunning(env);
  const gpus = [...(nvidia.state === 'ok' ? nvidia.gpus : []), ...amd];
  const driverVersion = nvidia.state === 'ok' ? nvidia.driverVersion : null;
  const found = { driverVersion, mps, sharing };
  if (nvidia.state === 'broken') return { state: 'broken', message: nvidia.message, ...found, gpus: amd, labels: {} };
  const problem = 'problem' in setting ? setting.problem : sharing.kind === 'mps' && !mps ? noDaemon : null;
  if (problem !== null && gpus.length > 0) return { state: 'broken', message: problem, ...found, gpus: [], labels: {} };
  const state = gpus.length > 0 ? 'ok' : 'none';
  return { state, message: summary(gpus), ...found, gpus, labels: gpuLabels({ state, ...found, gpus }) };
}

/** `4 × NVIDIA A100-SXM4-40GB, 4 × NVIDIA A100-SXM4-40GB cut into 2 3g.20gb, 9 1g.5gb`. */
function summary(gpus: readonly MachineGpu[]): string {
  if (gpus.length === 0) return 'none';
  const counts = new Map<string, number>();
  for (const gpu of gpus) {
    const key = gpu.mig ? `${gpu.model} cut by MIG` : gpu.model;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const parts = [...counts].map(([name, count]) => `${count} × ${name}`);
  const instances = new Map<string, number>();
  for (const { profile } of gpus.flatMap((gpu) => gpu.mig ?? []))
    instances.set(profile, (instances.get(profile) ?? 0) + 1);
  const cut = [...instances]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, count]) => `${count} × ${name}`);
  return cut.length === 0 ? parts.join(', ') : `${parts.join(', ')} (${cut.join(', ')})`;
}

/** The control daemon writes its process id into the folder of its pipes. */
function isMpsRunning(env: NodeJS.ProcessEnv): boolean {
  const file = join(env['CUDA_MPS_PIPE_DIRECTORY'] || '/tmp/nvidia-mps', 'nvidia-cuda-mps-control.pid');
  try {
    const pid = Number(readFileSync(file, 'utf8').trim());
    return Number.isInteger(pid) && pid > 0 && isAlive(pid);
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  if (existsSync(`/proc/${pid}`)) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
