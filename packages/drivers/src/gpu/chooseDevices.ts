import type { GpuHolding, GpuNeed, MachineGpu, MachineGpus } from '@ebb/core';
import { assignGpus, gpuNeedOf } from '@ebb/core/gpu';
import type { Resources } from '@ebb/documents';
import type { GpuFailure } from '../process/agent/resolveCommand.ts';
import { gpuGroups, placedDevices, useOf } from './gpuGroups.ts';

export interface GpuRefusalReason {
  failure: GpuFailure;
  /** For a person. */
  message: string;
}

type Chosen = Omit<GpuHolding, 'env'> & { vendor: MachineGpu['vendor'] };

/** Which devices of the machine a need gets beside what others hold, or why it gets none. */
export function chooseDevices(
  machine: MachineGpus,
  holdings: readonly GpuHolding[],
  need: GpuNeed,
): Chosen | GpuRefusalReason {
  const needs = `needs ${needText(need)}`;
  if (machine.gpus.length === 0) {
    if (machine.state !== 'broken') return { failure: 'no-gpu', message: `${needs}, and this machine has none` };
    return { failure: 'gpu-driver', message: `${needs}, and GPUs do not work here: ${machine.message}` };
  }
  const reasons: { isBusy: boolean; message: string }[] = [];
  for (const { kind, sharing, gpus } of gpuGroups(machine, need)) {
    const problem = fixedProblem(sharing.kind === 'mig', gpus, need);
    if (problem) {
      reasons.push({ isBusy: false, message: problem });
      continue;
    }
    const uses = gpus.map((gpu) => useOf(gpu, holdings));
    const result = assignGpus(kind, sharing, uses, [need], { relayout: false });
    if ('refusal' in result) {
      const { code, message } = result.refusal;
      reasons.push({ isBusy: code === 'full', message });
      continue;
    }
    const [placement] = result.assignment.placements;
    if (placement) return { vendor: kind.vendor, ...placedDevices(gpus, holdings, placement) };
  }
  const reason = reasons.find(({ isBusy }) => isBusy) ?? reasons[0];
  const message = `${needs}: ${reason?.message ?? 'no GPU fits'}`;
  return { failure: reason?.isBusy ? 'gpu-busy' : 'gpu-unsuitable', message };
}

/** Why replicas with these requests can never run on the machine, however idle it is; null: they can. */
export function cannotRunOn(machine: MachineGpus, requests: Partial<Resources>): string | null {
  const need = gpuNeedOf(requests);
  if (!need) return null;
  const chosen = chooseDevices(machine, [], need);
  return 'failure' in chosen ? chosen.message : null;
}

/** Cards are cut by whoever runs the machine, not by Ebb: what is not there does not become free. */
function fixedProblem(isCut: boolean, gpus: readonly MachineGpu[], need: GpuNeed): string | null {
  if (!isCut) return null;
  if (need.kind !== 'mig') return `${gpus.length} × ${gpus[0]?.model} are cut by MIG: ask for a profile`;
  const profiles = gpus.flatMap((gpu) => gpu.mig ?? []).map(({ profile }) => profile);
  if (profiles.filter((profile) => profile === need.profile).length >= need.count) return null;
  const counts = [...new Set(profiles)]
    .sort()
    .map((name) => `${profiles.filter((one) => one === name).length} × ${name}`);
  return counts.length === 0
    ? 'no MIG instance is there'
    : `the MIG instances of this machine are ${counts.join(', ')}`;
}

/** `2 GPUs`, `500m of a GPU`, `8 GiB of a GPU`, `1 × 1g.10gb`. */
function needText(need: GpuNeed): string {
  if (need.kind === 'mig') return `${need.count} × ${need.profile}`;
  if (need.kind === 'whole') {
    const size = need.minMemoryBytes > 0 ? ` with ${gibibytes(need.minMemoryBytes)}` : '';
    return `${need.count === 1 ? 'a GPU' : `${need.count} GPUs`}${size}`;
  }
  const parts = [
    ...(need.gpuMilli > 0 ? [`${need.gpuMilli}m`] : []),
    ...(need.memoryBytes > 0 ? [gibibytes(need.memoryBytes)] : []),
  ];
  return `${parts.join(' and ')} of a GPU`;
}

function gibibytes(bytes: number): string {
  return `${Number((bytes / 1024 ** 3).toFixed(1))} GiB`;
}
