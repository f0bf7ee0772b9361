import type { GpuNeed } from '../types.ts';
import type { NodeLimits, UnplaceableReason } from './types.ts';

/** Why a pod has no place, as a sentence without a subject: `needs 80 GiB of GPU memory, the largest offered has 24 GiB`. */
export function unplaceableSentence(reason: UnplaceableReason): string {
  switch (reason.kind) {
    case 'contradiction':
      return `asks of the label ${reason.label} what no node can have`;
    case 'nowhere':
      return `may run in ${reason.what} ${list(reason.allowed)} only, there is ${list(reason.offered)}`;
    case 'label':
      return `asks for another ${reason.label} than ${list(reason.offered)}`;
    case 'taint': {
      const { key, value, effect } = reason.taint;
      return `does not tolerate ${key}${value === '' ? '' : `=${value}`}:${effect} of pool ${reason.pool}`;
    }
    case 'interruption':
      return `must not be interrupted, and ${list(reason.offered)} offers only spot`;
    case 'gpu-kind':
      return `needs ${gpuText(reason.need)}, there is ${list(reason.offered)}`;
    case 'gpu-sharing':
      return `needs ${gpuText(reason.need)}, GPUs are shared by ${list(reason.offered)}`;
    case 'gpu-memory':
      return `needs ${gib(reason.needBytes)} of GPU memory, the largest offered has ${gib(reason.largestBytes)}`;
    case 'gpu-count':
      return `needs ${reason.need} GPUs on one node, the largest has ${reason.largest}`;
    case 'cpu':
      return `needs ${reason.needMilli / 1000} CPU, the largest has ${reason.largestMilli / 1000}`;
    case 'memory':
      return `needs ${gib(reason.needBytes)} of memory, the largest has ${gib(reason.largestBytes)}`;
    case 'stock-out':
      return `waits for ${list(reason.offerings)}, out of stock${reason.untilMs === null ? '' : `; asked again at ${reason.untilMs}`}`;
    case 'topology':
      return `has no ${reason.topology === 'zone' ? 'zone' : 'node'} that its spread or anti-affinity allows`;
    case 'limit':
      return `is over the limit of ${limitText(reason.limit, reason.max)} of ${reason.pool === null ? 'all pools' : `pool ${reason.pool}`}`;
    case 'full':
      return `fits ${reason.nodes} nodes, which are full, and nothing is for sale`;
    case 'no-supply':
      return 'has no node and no pool to run in';
  }
}

function gpuText(need: GpuNeed): string {
  if (need.kind === 'mig') return `${need.count} MIG instances of ${need.profile}`;
  const vendor = need.vendor === null ? '' : `${need.vendor} `;
  return need.kind === 'whole' ? `${need.count} whole ${vendor}GPUs` : `${need.gpuMilli / 1000} of one ${vendor}GPU`;
}

function limitText(limit: keyof NodeLimits, max: number): string {
  switch (limit) {
    case 'nodes':
      return `${max} nodes`;
    case 'cpuMilli':
      return `${max / 1000} CPU`;
    case 'memoryBytes':
      return `${gib(max)} of memory`;
    case 'gpus':
      return `${max} GPUs`;
    case 'pricePerHourMicro':
      return `${max / 1e6} an hour`;
  }
}

function gib(bytes: number): string {
  return `${Number((bytes / 2 ** 30).toFixed(2))} GiB`;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  if (names.length === 0) return 'none';
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
