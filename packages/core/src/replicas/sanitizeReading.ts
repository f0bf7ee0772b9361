import type { Reading } from './types.ts';

/** A reading that may be used: finite, not negative, not from the future. */
export interface UsableReading extends Reading {
  value: number;
}

export type SanitizedReading = { usable: UsableReading; clamped: boolean } | { unusable: string };

/** Beyond this a value is taken for a broken source rather than for demand. */
const largestValue = 1e12;

/**
 * What of a reading may enter a decision. NaN, infinities and absurd values make it unusable (the source is treated
 * as missing, never as zero); negatives are raised to 0; a time or span beyond `nowMs` is cut to it.
 */
export function sanitizeReading(reading: Reading, nowMs: number): SanitizedReading {
  if (reading.state !== 'ok') return { unusable: reading.message ?? reading.state };
  if (reading.value === null || !Number.isFinite(reading.value)) return { unusable: 'no finite value' };
  if (reading.value > largestValue) return { unusable: 'value beyond any real demand' };
  if (!Number.isFinite(reading.atMs)) return { unusable: 'no time' };
  const atMs = Math.min(Math.trunc(reading.atMs), nowMs);
  const spanMs = Number.isFinite(reading.spanMs) ? Math.max(0, Math.trunc(reading.spanMs)) : 0;
  const value = Math.max(0, reading.value);
  const peak = reading.peak !== null && Number.isFinite(reading.peak) ? Math.max(value, reading.peak) : null;
  return {
    usable: { ...reading, value, peak, atMs, spanMs },
    clamped: value !== reading.value || atMs !== reading.atMs,
  };
}
