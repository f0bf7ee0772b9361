import type { SizingSample } from '@ebb/core';
import type { SizablePod } from './sizedPod.ts';

/** What containers of a pod ran out of memory since then, as samples; each end counts once. */
export function oomSamples(
  { name, containers }: SizablePod,
  sized: ReadonlySet<string>,
  sinceMs: number,
): { samples: SizingSample[]; latestMs: number } {
  let latestMs = sinceMs;
  const samples = containers.flatMap((container): SizingSample[] => {
    const { lastOom, requests } = container;
    if (!lastOom || !sized.has(container.name) || lastOom.finishedAtMs <= sinceMs) return [];
    latestMs = Math.max(latestMs, lastOom.finishedAtMs);
    const at = { container: container.name, replica: name, atMs: lastOom.finishedAtMs };
    return [{ type: 'oom', ...at, requestBytes: requests.memoryBytes ?? 0 }];
  });
  return { samples, latestMs };
}
