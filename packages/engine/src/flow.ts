import { type DispatchCounts, type FlowObservation, noFlow } from '@ebb/core';
import { nothingAnswered } from './answerSignals.ts';
import type { GatewayLink } from './gatewayLink.ts';

/** Where the flow that is told next begins, on one gateway's clock. */
export interface FlowBase {
  atUs: number;
  classes: DispatchCounts['classes'];
  /** Largest inFlight + held since then, by class. */
  peaks: Record<string, number>;
}

/** One gateway's counts of a workload; those of its newest message, where that names it. */
export interface FlowSource {
  link: GatewayLink;
  counts: DispatchCounts;
  /** Null: nobody asks for it. */
  flow: FlowBase | null;
}

/** A request that was held after the newest counts. */
export interface Woken {
  held: number;
  link: GatewayLink;
  sinceUs: number;
}

export function beginFlow({ link, counts }: Omit<FlowSource, 'flow'>): FlowBase {
  return { atUs: link.countsAtUs, classes: counts.classes, peaks: {} };
}

/** `inFlight + held` of a class was this much. */
export function noteFlowPeak({ flow }: FlowSource, className: string, peak: number): void {
  if (flow) flow.peaks[className] = Math.max(flow.peaks[className] ?? 0, peak);
}

/** The spans end here, at the newest counts; the next ones begin there. Where there is nothing new they go on. */
export function endFlow(sources: Iterable<FlowSource>): void {
  for (const source of sources) if (!source.flow || spanMs(source) > 0) source.flow = beginFlow(source);
}

/**
 * What the gateways together counted of a class since the flow was last ended. All sums are differences of whole
 * milliseconds since the gateway started, so that nothing is lost between two of them.
 */
export function flowOf(
  sources: readonly FlowSource[],
  className: string,
  woken: Woken | undefined,
  coldStartMs: number | null,
  nowMs: number,
): FlowObservation {
  const flow: FlowObservation = {
    ...noFlow,
    oldestHeldMs: woken ? ageMs(woken.link, woken.sinceUs, nowMs) : 0,
    coldStartMs,
  };
  for (const source of sources) addSource(flow, source, className, nowMs);
  flow.peak = Math.max(flow.peak, woken?.held ?? 0);
  return flow;
}

function addSource(flow: FlowObservation, source: FlowSource, className: string, nowMs: number): void {
  const now = source.counts.classes[className];
  if (!now) return;
  const { link, counts } = source;
  const present = now.inFlight + now.held;
  const span = spanMs(source);
  flow.peak += Math.max(present, span > 0 ? (source.flow?.peaks[className] ?? 0) : 0);
  flow.inFlightWaitMs += wholeMs(now.inFlightWaitUs ?? 0);
  // An older gateway knows the oldest of all classes alone.
  const heldUs = now.held > 0 ? (now.oldestHeldUs ?? counts.oldestHeldUs) : null;
  if (heldUs !== null) flow.oldestHeldMs = Math.max(flow.oldestHeldMs, ageMs(link, heldUs, nowMs));
  if (span <= 0) return;
  flow.spanMs = Math.max(flow.spanMs, span);
  const base = source.flow?.classes[className];
  const answered = now.answered ?? nothingAnswered;
  const before = base?.answered ?? nothingAnswered;
  flow.arrivals += risen(now.arrivals, base?.arrivals);
  flow.late += risen(now.late ?? 0, base?.late);
  flow.answered += risen(answered.requests, before.requests);
  flow.serviceMs += risen(wholeMs(answered.responseUs - answered.waitUs), wholeMs(before.responseUs - before.waitUs));
  flow.waitMs += risen(wholeMs(answered.waitUs), wholeMs(before.waitUs));
}

function spanMs({ link, flow }: FlowSource): number {
  return flow ? wholeMs(link.countsAtUs) - wholeMs(flow.atUs) : 0;
}

function risen(now: number, before = 0): number {
  return Math.max(0, now - before);
}

/** Of a moment on a gateway's clock, whose newest counts tell what its clock shows now. */
function ageMs({ countsAtUs, countsAtMs }: GatewayLink, sinceUs: number, nowMs: number): number {
  const atUs = countsAtUs + Math.max(0, nowMs - (countsAtMs ?? nowMs)) * 1000;
  return Math.max(0, Math.round((atUs - sinceUs) / 1000));
}

function wholeMs(us: number): number {
  return Math.floor(us / 1000);
}
