import type { FlowObservation } from '../types.ts';
import type { PricedDecisionSpec } from './pricedSpec.ts';

/** A late request is worth so many cold starts of a replica, and at least so many seconds of one. */
const coldStarts = 2;
const leastSeconds = 30;
/** Requests after which a share that is missed all the time has moved the price by a factor e. */
const inertia = 1_000;
const cheapest = 1 / 8;
const dearest = 256;

/**
 * Price of a late request in seconds of one replica. What the document says, else two cold starts; `scale` makes it
 * dearer where a promised share is missed.
 */
export function latePriceSeconds(
  { costOfLatenessMicro }: PricedDecisionSpec,
  pricePerHourMicro: number,
  coldStartSeconds: number,
  scale: number,
): number {
  const usual = Math.max(leastSeconds, coldStarts * coldStartSeconds);
  const stated = costOfLatenessMicro !== null && pricePerHourMicro > 0;
  return scale * (stated ? (costOfLatenessMicro * 3600) / pricePerHourMicro : usual);
}

/**
 * The multiplier of a promised share (Lagrange's, by multiplicative steps): each late request makes lateness dearer,
 * each one on time a little cheaper, in balance where just the share that may be late is late.
 */
export function scaleByShare(scale: number, share: number | null, flows: readonly FlowObservation[]): number {
  if (share === null) return 1;
  const mayBeLate = 1 - share;
  let excess = 0;
  for (const { late, arrivals } of flows) excess += late - mayBeLate * arrivals;
  const step = Math.max(-0.5, Math.min(1, excess / (mayBeLate * inertia)));
  return Math.min(dearest, Math.max(cheapest, scale * (1 + step)));
}
