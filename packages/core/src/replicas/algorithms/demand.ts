import type { Reason } from '../../explain/reasons.ts';
import { sanitizeReading } from '../sanitizeReading.ts';
import type { Observation } from '../types.ts';
import { countsOf, type JsonObject, numberOr, objectOf, shortened } from './storedJson.ts';

/**
 * The demand of a workload as its algorithms see it: one line of means over time, all classes added up.
 * Readings of the trigger are what it is made of; the requests held and in flight stand in for them where none come.
 */

/** What an algorithm scales on: requests in flight and held (mean), or requests a second. */
export type DemandTrigger = 'concurrency' | 'requestRate';

/** The mean over an interval that follows the one before without overlap. */
export interface DemandSegment {
  fromMs: number;
  atMs: number;
  value: number;
  /** Largest value within it; the mean where no source knows it. */
  peak: number;
}

export interface DemandLine {
  begunAtMs: number;
  /** End of the last segment; null: nothing yet. */
  endMs: number | null;
  /** Last value of each class and when it was read: classes are not always read together. */
  values: Record<string, number>;
  atMs: Record<string, number>;
}

/** Replicas and requests of the classes that the spec names, added up. */
export interface Counted {
  ready: number;
  starting: number;
  inFlight: number;
  held: number;
  /** Requests here now by class. */
  demand: Record<string, number>;
}

/** A class that has not been read for this long has no say in the sum. */
const carriedForMs = 60_000;
/** Without readings for this long, the counts of the moment are taken as one. */
const readingDueMs = 1000;
/** A peak beyond this is a broken source; the mean stands in for it. */
const largestPeak = 1e12;
/** More than any workload has: a count beyond it is a broken source. */
export const mostReplicas = 1_000_000;

export function emptyLine(nowMs: number): DemandLine {
  return { begunAtMs: nowMs, endMs: null, values: {}, atMs: {} };
}

/** A usable count: a whole number from 0; what is no count, or none that can be, is taken as nothing. */
export function wholeCount(value: number): number {
  return value > 0 && value <= mostReplicas ? Math.floor(value) : 0;
}

export function countedOf(classes: readonly string[], observation: Observation): Counted {
  const counted: Counted = { ready: 0, starting: 0, inFlight: 0, held: 0, demand: {} };
  for (const name of classes) {
    const seen = observation.classes[name];
    if (!seen) continue;
    const inFlight = wholeCount(seen.inFlight);
    const held = wholeCount(seen.held);
    counted.ready += wholeCount(seen.ready);
    counted.starting += wholeCount(seen.starting);
    counted.inFlight += inFlight;
    counted.held += held;
    counted.demand[name] = inFlight + held;
  }
  return counted;
}

interface Sample {
  class: string;
  value: number;
  peak: number;
  fromMs: number;
  atMs: number;
}

/** How the classes' values make one: demand adds up, of times the worst counts. */
export type Combine = 'sum' | 'worst';

/**
 * What the observation adds to the line, oldest first. `now` asks for a sample of this moment even when readings are
 * fresh (somebody waits at zero).
 */
export function takeDemand(
  line: DemandLine,
  trigger: DemandTrigger,
  classes: readonly string[],
  observation: Observation,
  now: boolean,
  reasons: Reason[],
): DemandSegment[] {
  const { nowMs } = observation;
  const segments = takeReadings(line, trigger, 'sum', classes, observation, reasons);
  const read = observation.readings.some((reading) => reading.trigger === trigger);
  const unread = !read && nowMs - (line.endMs ?? line.begunAtMs) >= readingDueMs;
  if (trigger !== 'concurrency' || !observation.countsKnown || !(now || unread)) return segments;
  // A reading may end now with nobody in it, while somebody waits now: that must not be lost.
  const atMs = now ? Math.max(nowMs, (line.endMs ?? 0) + 1) : nowMs;
  const moment = Object.entries(countedOf(classes, observation).demand).map(([name, value]) => {
    return { class: name, value, peak: value, fromMs: atMs - 1, atMs };
  });
  return [...segments, ...addSamples(line, moment, trigger, 'sum', reasons)];
}

/**
 * What the readings of one trigger add to its line, oldest first. Unusable ones become reasons and add nothing: a lost
 * source is not zero demand.
 */
export function takeReadings(
  line: DemandLine,
  trigger: string,
  combine: Combine,
  classes: readonly string[],
  observation: Observation,
  reasons: Reason[],
): DemandSegment[] {
  const samples: Sample[] = [];
  for (const reading of observation.readings) {
    if (reading.trigger !== trigger) continue;
    if (reading.class !== null && !classes.includes(reading.class)) continue;
    const name = reading.class === null ? trigger : `${trigger}/${reading.class}`;
    const sanitized = sanitizeReading(reading, observation.nowMs);
    if ('unusable' in sanitized) {
      reasons.push({ code: 'reading-unusable', stage: 'reading', data: { trigger: name, why: sanitized.unusable } });
      continue;
    }
    const { value, peak, atMs, spanMs } = sanitized.usable;
    samples.push({
      class: reading.class ?? '',
      value,
      peak: peak !== null && peak <= largestPeak ? peak : value,
      fromMs: atMs - Math.max(1, spanMs),
      atMs,
    });
  }
  return addSamples(line, samples, trigger, combine, reasons);
}

function addSamples(
  line: DemandLine,
  samples: Sample[],
  trigger: string,
  combine: Combine,
  reasons: Reason[],
): DemandSegment[] {
  const segments: DemandSegment[] = [];
  const moments = [...new Set(samples.map((sample) => sample.atMs))].sort((a, b) => a - b);
  for (const atMs of moments) {
    const together = samples.filter((sample) => sample.atMs === atMs);
    let abovePeak = 0;
    let isNew = false;
    for (const sample of together) {
      if (atMs < (line.atMs[sample.class] ?? Number.NEGATIVE_INFINITY)) continue;
      isNew = true;
      line.values[sample.class] = shortened(sample.value);
      line.atMs[sample.class] = atMs;
      abovePeak += Math.max(0, sample.peak - sample.value);
    }
    if (!isNew) reasons.push({ code: 'reading-out-of-order', stage: 'reading', data: { trigger, atMs } });
    if (!isNew || (line.endMs !== null && atMs <= line.endMs)) continue;
    const value = combined(line, atMs, combine);
    const fromMs = Math.max(line.endMs ?? Number.NEGATIVE_INFINITY, Math.min(...together.map((one) => one.fromMs)));
    segments.push({ fromMs, atMs, value, peak: value + abovePeak });
    line.endMs = atMs;
  }
  return segments;
}

function combined(line: DemandLine, atMs: number, combine: Combine): number {
  const values = Object.entries(line.values)
    .filter(([name]) => atMs - (line.atMs[name] ?? 0) <= carriedForMs)
    .map(([, value]) => value);
  return combine === 'sum' ? values.reduce((sum, value) => sum + value, 0) : Math.max(0, ...values);
}

export function lineToJson(line: DemandLine): JsonObject {
  return { begunAtMs: line.begunAtMs, endMs: line.endMs, values: { ...line.values }, atMs: { ...line.atMs } };
}

/** The stored line; what it knows of classes that are no longer named is forgotten. */
export function lineFromJson(json: JsonObject, classes: readonly string[]): DemandLine {
  const line = emptyLine(numberOr(json.begunAtMs, 0));
  line.endMs = numberOr(json.endMs, null);
  const values = countsOf(objectOf(json.values));
  const atMs = countsOf(objectOf(json.atMs));
  for (const name of ['', ...classes]) {
    if (values[name] !== undefined) line.values[name] = values[name];
    if (atMs[name] !== undefined) line.atMs[name] = atMs[name];
  }
  return line;
}
