import type { GpuShare, GpuUse } from './gpuUse.ts';
import type { ShareBounds } from './sharing.ts';
import type { Steps } from './steps.ts';

interface Free extends ShareBounds {
  gpu: number;
}

/**
 * Puts shares on GPUs that no bound of is passed. First try: largest share first, on the GPU where least compute is left
 * over (best fit), and among equals where the compute that no share of the mix could use grows least, as Fragmentation
 * Gradient Descent does (Weng et al., USENIX ATC 2023); then by backtracking, which is complete unless the steps run out.
 * Returns a GPU for each share, `full`, or `undecided` after too many steps.
 */
export function packShares(
  gpus: readonly { gpu: number; use: GpuUse }[],
  shares: readonly GpuShare[],
  bounds: ShareBounds,
  steps: Steps,
): readonly number[] | 'full' | 'undecided' {
  const free = gpus.filter(({ use }) => !use.whole).map(({ gpu, use }) => ({ gpu, ...leftOf(use, bounds) }));
  const part = (share: GpuShare) => Math.max(share.gpuMilli / bounds.gpuMilli, share.memoryBytes / bounds.memoryBytes);
  const order = shares
    .map((share, index) => ({ share, index }))
    .sort((a, b) => part(b.share) - part(a.share) || a.index - b.index);
  const kinds = [...new Map(shares.map((share) => [`${share.gpuMilli} ${share.memoryBytes}`, share])).values()];
  const chosen: number[] = [];
  const place = (position: number): boolean => {
    const next = order[position];
    if (!next) return true;
    const tried = new Set<string>();
    for (const { room } of ranked(free, next.share, kinds)) {
      // GPUs with as much left are alike: what fails on one fails on the other.
      const state = `${room.slots} ${room.gpuMilli} ${room.memoryBytes}`;
      if (tried.has(state)) continue;
      tried.add(state);
      if (!steps.take()) return false;
      take(room, next.share, 1);
      chosen[next.index] = room.gpu;
      if (place(position + 1)) return true;
      take(room, next.share, -1);
    }
    return false;
  };
  if (place(0)) return chosen;
  return steps.areOver ? 'undecided' : 'full';
}

function ranked(free: readonly Free[], share: GpuShare, kinds: readonly GpuShare[]) {
  return free
    .filter((room) => holds(room, share))
    .map((room) => {
      const after = { ...room };
      take(after, share, 1);
      return {
        room,
        left: after.gpuMilli,
        growth: fragment(after, kinds) - fragment(room, kinds),
        leftBytes: after.memoryBytes,
      };
    })
    .sort((a, b) => a.left - b.left || a.growth - b.growth || a.leftBytes - b.leftBytes || a.room.gpu - b.room.gpu);
}

/** Free compute that shares of the mix cannot use, on average over its kinds. */
function fragment(room: ShareBounds, kinds: readonly GpuShare[]): number {
  const unusable = kinds.filter((kind) => !holds(room, kind)).length;
  return kinds.length === 0 ? 0 : (room.gpuMilli * unusable) / kinds.length;
}

function holds(room: ShareBounds, share: GpuShare): boolean {
  return room.slots >= 1 && room.gpuMilli >= share.gpuMilli && room.memoryBytes >= share.memoryBytes;
}

function take(room: ShareBounds, share: GpuShare, times: 1 | -1): void {
  room.slots -= times;
  room.gpuMilli -= times * share.gpuMilli;
  room.memoryBytes -= times * share.memoryBytes;
}

function leftOf({ shares }: GpuUse, bounds: ShareBounds): ShareBounds {
  const left = { ...bounds };
  for (const share of shares) take(left, share, 1);
  return left;
}
