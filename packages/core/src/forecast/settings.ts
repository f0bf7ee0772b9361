import { quarterMs } from './numbers.ts';
import type { ForecastSettings, ResolvedSettings } from './types.ts';

const positive = (name: string, value: number): number => {
  if (!(value > 0 && Number.isFinite(value))) throw new RangeError(`${name} is ${value}; it has to be above 0.`);
  return value;
};

const notNegative = (name: string, value: number): number => {
  if (!(value >= 0 && Number.isFinite(value))) throw new RangeError(`${name} is ${value}; it has to be 0 or more.`);
  return value;
};

/** Fills in the defaults. Throws a RangeError that names the setting, the value found and the values allowed. */
export function resolveSettings(settings: ForecastSettings): ResolvedSettings {
  const bucketMs = settings.bucketMs ?? 60_000;
  if (!(bucketMs >= 1_000 && quarterMs % bucketMs === 0)) {
    throw new RangeError(`bucketMs is ${bucketMs}; it has to divide 900000 and be 1000 or more.`);
  }
  const utcOffsetMs = settings.utcOffsetMs ?? 0;
  if (!Number.isInteger(utcOffsetMs / bucketMs)) {
    throw new RangeError(`utcOffsetMs is ${utcOffsetMs}; it has to be a multiple of bucketMs (${bucketMs}).`);
  }
  const events = settings.events ?? [];
  for (const { name, startMs, endMs, factor } of events) {
    notNegative(`factor of event ${name}`, factor);
    if (!(startMs < endMs)) throw new RangeError(`Event ${name} ends at ${endMs}; it has to end after ${startMs}.`);
  }
  return {
    bucketMs,
    slots: positive('slots', settings.slots),
    coldStartMs: notNegative('coldStartMs', settings.coldStartMs),
    latePriceSeconds: notNegative('latePriceSeconds', settings.latePriceSeconds),
    serviceMs: positive('serviceMs', settings.serviceMs ?? 1_000),
    utcOffsetMs,
    events,
    leastSaving: notNegative('leastSaving', settings.leastSaving ?? 0.03),
    followed: settings.followed ?? null,
  };
}
