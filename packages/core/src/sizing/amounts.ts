import type { ResourceAmounts, SizedResource } from './types.ts';

export type AmountKey = keyof ResourceAmounts;

export const amountKey: Record<SizedResource, AmountKey> = { cpu: 'cpuMilli', memory: 'memoryBytes' };
export const sizedResources: readonly SizedResource[] = ['cpu', 'memory'];

/** No amount of a resource is larger, in thousandths of a core or bytes. */
export const maxAmount = 1e14;

/**
 * A computed amount as the integer that is kept: truncated, from 0 to `maxAmount`. Not a number (nothing, times an
 * unbounded factor) is 0. Source: resource amounts of the VPA recommender's model.
 */
export function toAmount(value: number): number {
  if (value > maxAmount) return maxAmount;
  return value > 0 ? Math.trunc(value) : 0;
}

/** The smallest multiple of `step` that is not below the amount. */
export function roundUp(amount: number, step: number): number {
  return step > 1 ? Math.ceil(amount / step) * step : amount;
}

/** `quantity * numerator / denominator`, rounded down (or up), exact for any integers; at most 2^53 − 1. */
export function inProportion(quantity: number, numerator: number, denominator: number, round: 'down' | 'up'): number {
  const divisor = BigInt(denominator);
  const product = BigInt(quantity) * BigInt(numerator) + (round === 'up' ? divisor - 1n : 0n);
  const result = product / divisor;
  return result > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(result);
}
