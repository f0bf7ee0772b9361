import type { OracleRequests } from './model.ts';

/** A time in which on-time requests can run without a gap. */
export interface BusyPeriod {
  fromUs: number;
  toUs: number;
}

/**
 * Busy periods whose gaps are shorter than a cold start. Between segments nothing is worth keeping: it costs as much as to
 * start again, so each can be looked at alone.
 */
export interface Segment {
  /** Requests from `first` up to `end`, not included. */
  first: number;
  end: number;
  periods: BusyPeriod[];
  /** Replicas that are usable at time 0; only a segment that begins early enough can use them. */
  ready: number;
}

/** No on-time service runs outside of [arrival, arrival + W + service). */
export function segmentsOf(
  { atUs, serviceUs }: OracleRequests,
  onTimeUs: number,
  coldStartUs: number,
  ready: number,
): Segment[] {
  const segments: Segment[] = [];
  let segment: Segment | null = null;
  let period: BusyPeriod | null = null;
  for (let index = 0; index < atUs.length; index++) {
    const fromUs = atUs[index] ?? 0;
    const toUs = fromUs + onTimeUs + (serviceUs[index] ?? 0);
    if (segment && period && fromUs <= period.toUs) {
      period.toUs = Math.max(period.toUs, toUs);
    } else {
      const isNear: boolean = period !== null && fromUs - period.toUs < coldStartUs;
      period = { fromUs, toUs };
      if (segment && isNear) segment.periods.push(period);
      else {
        if (segment) segment.end = index;
        const isFirst = segments.length === 0 && fromUs < coldStartUs;
        segment = { first: index, end: atUs.length, periods: [period], ready: isFirst ? ready : 0 };
        segments.push(segment);
      }
    }
  }
  return segments;
}
