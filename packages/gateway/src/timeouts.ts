import type { ServingSpec } from '@ebb/documents';

export type TimeoutKind = 'response' | 'request' | 'deadline' | 'idle';

/** How far an exchange with a replica has come; times in microseconds. */
export interface FlightTimes {
  arrivedUs: number;
  sentUs: number;
  /** Last byte in either direction. */
  activityUs: number;
  deadlineUs: number | null;
  /** The answer's head is there. */
  begun: boolean;
  /** It has become another protocol, which has no deadline of a request. */
  switched: boolean;
  bodyComplete: boolean;
}

/**
 * The earliest of the times that bound an exchange in flight, null when nothing does. While a replica works on a
 * request that it has in full, silence is no reason to end it: only `response`, `request` and the deadline are.
 */
export function nextTimeout(
  limits: ServingSpec['timeouts'],
  times: FlightTimes,
): { atUs: number; kind: TimeoutKind } | null {
  let atUs = Number.POSITIVE_INFINITY;
  let kind: TimeoutKind = 'request';
  const consider = (candidateUs: number, candidate: TimeoutKind): void => {
    if (candidateUs >= atUs) return;
    atUs = candidateUs;
    kind = candidate;
  };
  if (times.deadlineUs !== null && !times.switched) consider(times.deadlineUs, 'deadline');
  if (limits.responseMs > 0 && !times.begun) consider(times.sentUs + limits.responseMs * 1000, 'response');
  if (limits.requestMs > 0) consider(times.arrivedUs + limits.requestMs * 1000, 'request');
  if (limits.idleMs > 0 && (times.begun || !times.bodyComplete))
    consider(times.activityUs + limits.idleMs * 1000, 'idle');
  return atUs === Number.POSITIVE_INFINITY ? null : { atUs, kind };
}
