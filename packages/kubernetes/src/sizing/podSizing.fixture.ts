import type { Memory, SizingSample } from '@ebb/core';
import type { SizingApplySpec } from '@ebb/documents';
import { recommendPods } from './recommendation.ts';

const minuteMs = 60_000;
const mebibyte = 1024 * 1024;

export function sizingSpec(apply: SizingApplySpec['apply'], more: Partial<SizingApplySpec> = {}): SizingApplySpec {
  return { apply, minAllowed: {}, maxAllowed: {}, controlledValues: 'RequestsAndLimits', ...more };
}

/** What an earlier leader has learnt of a steady use over the two days before `nowMs`, as it saved it. */
export function learntUse(
  nowMs: number,
  { cpuMilli, memoryMebibytes }: { cpuMilli: number; memoryMebibytes: number },
): { version: 1; atMs: number; memory: Memory } {
  const count = 2 * 24 * 60;
  const samples = Array.from({ length: count }, (_, index): SizingSample => {
    const at = { container: 'main', replica: 'earlier', atMs: nowMs - (count - index) * minuteMs };
    return { type: 'usage', ...at, cpuMilli, memoryBytes: memoryMebibytes * mebibyte };
  });
  const { memory } = recommendPods({
    ...{ workload: 'local/shop/web', containers: ['main'], resources: ['cpu', 'memory'], memory: null, samples, nowMs },
    sizing: sizingSpec('never'),
  });
  return { version: 1, atMs: nowMs, memory };
}
