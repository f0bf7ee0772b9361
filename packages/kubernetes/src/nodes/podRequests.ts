import type { GpuNeed } from '@ebb/core';
import { parseBytes, parseMilli } from '@ebb/documents';
import { type JsonObject, listAt, objectAt, textAt, valueText } from '../client/values.ts';

export interface PodRequests {
  cpuMilli: number;
  memoryBytes: number;
  gpu: GpuNeed | null;
  /** What the pod asks for that no pool can be known to have; null: nothing. */
  problem: string | null;
}

const gpuName = 'nvidia.com/gpu';
/** As NVIDIA's device plugin calls GPUs that it shows several times. */
const sharedGpuName = 'nvidia.com/gpu.shared';
const migPrefix = 'nvidia.com/mig-';
/** Of HAMi: MiB and percent of one GPU. */
const shareNames = { memory: 'nvidia.com/gpumem', cores: 'nvidia.com/gpucores' } as const;
const mib = 1024 * 1024;

/**
 * What a pod sets aside, as the scheduler reckons: containers and native sidecars together, or an init container with the
 * sidecars before it where that is more, and the overhead of its runtime class.
 */
export function podRequests(spec: JsonObject): PodRequests {
  const amounts = podAmounts(spec);
  const { gpu, problem } = gpuNeed(amounts);
  return { cpuMilli: Math.round(amounts.get('cpu') ?? 0), memoryBytes: amounts.get('memory') ?? 0, gpu, problem };
}

/** What a pod sets aside of each resource: CPU in thousandths, everything else in units or bytes. */
export function podAmounts(spec: JsonObject): Map<string, number> {
  const running = sumOf(listAt(spec, 'containers').map(containerAmounts));
  let sidecars = new Map<string, number>();
  let most = new Map<string, number>();
  for (const container of listAt(spec, 'initContainers')) {
    const own = containerAmounts(container);
    if (textAt(container, 'restartPolicy') === 'Always') {
      sidecars = sumOf([sidecars, own]);
      most = mostOf(most, sidecars);
    } else most = mostOf(most, sumOf([sidecars, own]));
  }
  const whole = mostOf(sumOf([running, sidecars]), most);
  return sumOf([whole, amountsOf(objectAt(spec, 'overhead'))]);
}

function containerAmounts(container: unknown): Map<string, number> {
  // What is left out takes its limit, as the API server does it for pods.
  return amountsOf({ ...objectAt(container, 'resources', 'limits'), ...objectAt(container, 'resources', 'requests') });
}

function amountsOf(written: JsonObject): Map<string, number> {
  const amounts = new Map<string, number>();
  for (const [name, value] of Object.entries(written)) {
    const text = valueText(value);
    if (text === null) continue;
    const parsed = name === 'cpu' ? parseMilli(text) : parseBytes(text);
    if ('value' in parsed) amounts.set(name, parsed.value);
  }
  return amounts;
}

function sumOf(parts: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const part of parts) for (const [name, amount] of part) sum.set(name, (sum.get(name) ?? 0) + amount);
  return sum;
}

function mostOf(left: ReadonlyMap<string, number>, right: ReadonlyMap<string, number>): Map<string, number> {
  const most = new Map(left);
  for (const [name, amount] of right) most.set(name, Math.max(amount, most.get(name) ?? 0));
  return most;
}

/** Of resources that pools of Ebb can have. Others (devices, huge pages) are named as a problem. */
function gpuNeed(amounts: ReadonlyMap<string, number>): { gpu: GpuNeed | null; problem: string | null } {
  const found = [...amounts].filter(([, amount]) => amount > 0).map(([name]) => name);
  const strange = found.find((name) => !isKnown(name));
  if (strange !== undefined) return { gpu: null, problem: `it asks for ${strange}, which no pool is known to have` };
  const kinds = found.filter((name) => name.startsWith(migPrefix));
  const whole = amounts.get(gpuName) ?? 0;
  const shared = amounts.get(sharedGpuName) ?? 0;
  const memoryBytes = (amounts.get(shareNames.memory) ?? 0) * mib;
  const gpuMilli = (amounts.get(shareNames.cores) ?? 0) * 10;
  const asked = [kinds.length > 0, shared > 0, whole > 0].filter(Boolean).length;
  if (asked > 1 || kinds.length > 1)
    return { gpu: null, problem: `it asks for several kinds of GPU: ${found.filter(isGpu).join(', ')}` };
  const [kind] = kinds;
  if (kind !== undefined)
    return { gpu: { kind: 'mig', profile: migProfileOf(kind), count: amounts.get(kind) ?? 1 }, problem: null };
  if (shared > 1)
    return { gpu: null, problem: `it asks for ${shared} of ${sharedGpuName}; more than one is no more of a GPU` };
  if (shared === 1) return { gpu: { kind: 'share', gpuMilli: 0, memoryBytes: 0, vendor: 'nvidia' }, problem: null };
  if (memoryBytes > 0 || gpuMilli > 0) {
    const problem = whole > 1 ? `it asks for parts of ${whole} GPUs at once` : null;
    return { gpu: { kind: 'share', gpuMilli, memoryBytes, vendor: 'nvidia' }, problem };
  }
  if (whole > 0) return { gpu: { kind: 'whole', count: whole, vendor: 'nvidia', minMemoryBytes: 0 }, problem: null };
  const amd = amounts.get('amd.com/gpu') ?? 0;
  return { gpu: amd > 0 ? { kind: 'whole', count: amd, vendor: 'amd', minMemoryBytes: 0 } : null, problem: null };
}

const plainNames = new Set(['cpu', 'memory', 'ephemeral-storage', 'pods']);
const gpuNames = new Set<string>([gpuName, sharedGpuName, 'amd.com/gpu', ...Object.values(shareNames)]);

const isGpu = (name: string) => gpuNames.has(name) || name.startsWith(migPrefix);
const isKnown = (name: string) => plainNames.has(name) || isGpu(name);

/** `nvidia.com/mig-1g.10gb.me` is the profile `1g.10gb+me`. */
function migProfileOf(resource: string): string {
  return resource.slice(migPrefix.length).replace(/\.me$/, '+me');
}
