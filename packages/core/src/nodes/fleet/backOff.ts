import type { ProviderErrorCode } from '../../ports/provider.ts';
import type { Offering } from '../types.ts';
import { backOffForgottenMs, backOffMs, doubled } from './times.ts';
import type { FleetMemory, FleetNode } from './types.ts';

type Entry = FleetMemory['backedOff'][number];

/** The name under which a quota is kept: a type under a capacity type, in all zones of the region. */
export function quotaKey({ instanceType: { cloud, name }, region, capacityType }: Offering): string {
  return `${cloud}/${region}/*/${name}/${capacityType}`;
}

/**
 * An offering that could not be had is left alone: 3 minutes, doubled by each failure in a row up to 30; 30 minutes where asking again
 * is no use. A failure of something that was asked for before the last one's end tells nothing new.
 */
export function backOff(
  { backedOff }: FleetMemory,
  { offering, askedAtMs }: Pick<FleetNode, 'offering' | 'askedAtMs'>,
  code: ProviderErrorCode,
  nowMs: number,
): Entry {
  const key = code === 'quota' ? quotaKey(offering) : offering.id;
  const known = backedOff.find((entry) => entry.offering === key);
  const isSame = known !== undefined && askedAtMs < known.untilMs;
  if (isSame && nowMs < known.untilMs) return known;
  const isInRow = known !== undefined && nowMs < known.untilMs + backOffForgottenMs;
  const failures = isInRow ? known.failures + (isSame ? 0 : 1) : 1;
  const isUseless = code === 'refused' || code === 'unknown-offering';
  const untilMs = nowMs + (isUseless ? backOffMs.longest : doubled(backOffMs, failures));
  const entry: Entry = { offering: key, untilMs, failures, code };
  const kept = backedOff.filter((one) => one.offering !== key && nowMs < one.untilMs + backOffForgottenMs);
  backedOff.splice(0, backedOff.length, ...kept, entry);
  return entry;
}

/** There is a machine: failures in a row begin anew, unless it was asked for before the last failure. */
export function endBackOff({ backedOff }: FleetMemory, { offering, askedAtMs }: FleetNode): void {
  const keys = [offering.id, quotaKey(offering)];
  const kept = backedOff.filter((entry) => !keys.includes(entry.offering) || askedAtMs < entry.untilMs);
  if (kept.length < backedOff.length) backedOff.splice(0, backedOff.length, ...kept);
}

/** Until when each offering or quota is not asked for, of those that still hold. */
export function activeBackOffs({ backedOff }: FleetMemory, nowMs: number): Map<string, number> {
  return new Map(backedOff.flatMap(({ offering, untilMs }) => (untilMs > nowMs ? [[offering, untilMs] as const] : [])));
}
