import type { JournalRecord } from '@ebb/core';
import type { WorkloadState } from './workloadState.ts';

/** Where a journal has no cold start to learn from. */
export const assumedColdStartMs = 1_000;

/**
 * From asking for a replica until requests reached it, in ms; null for any other record. The time that a request
 * waited before it was asked for is not in it.
 */
export function coldStartOf({ kind, body }: JournalRecord): number | null {
  if (kind !== 'outcome' || typeof body !== 'object' || body === null || !('coldStart' in body)) return null;
  const { coldStart } = body;
  return typeof coldStart === 'object' && coldStart !== null ? lengthMs(coldStart) : null;
}

/** What the next start is expected to take, ms: what the latest one took, and before the first one all that it may take. */
export function expectedColdStartMs({ coldStarts, spec }: Pick<WorkloadState, 'coldStarts' | 'spec'>): number {
  return (coldStarts.last && lengthMs(coldStarts.last)) ?? spec.probes.startup.budgetMs;
}

/** Null where no stage of it is known. */
function lengthMs(coldStart: object): number | null {
  const stages = Object.entries(coldStart).filter(([name]) => name !== 'arrivalToAskUs');
  const microseconds = stages.reduce((sum, [, us]) => sum + (typeof us === 'number' ? us : 0), 0);
  return microseconds > 0 ? Math.ceil(microseconds / 1000) : null;
}

/** Middle value; null of nothing. */
export function medianOf(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
