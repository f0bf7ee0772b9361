import { nearest } from '../nearest.ts';
import type { Parsed } from './parsed.ts';

/** Accepts IANA names such as `Europe/Berlin` and `UTC`. The zone table is the runtime's own. */
export function parseTimeZone(name: string): Parsed<string> {
  // Offsets such as +02:00 would pass, but they have no summer time and are never what a schedule means.
  if (/^[A-Za-z]/.test(name)) {
    try {
      Intl.DateTimeFormat('en', { timeZone: name });
      return { value: name };
    } catch {
      // Not known to the runtime: fall through to the refusal.
    }
  }
  const zones = Intl.supportedValuesOf('timeZone');
  const suggestion = nearest(name, zones) ?? zones.find((zone) => lastPart(zone) === name.toLowerCase());
  return {
    error: `"${name}" is not a time zone; write an IANA name, such as Europe/Berlin or UTC`,
    ...(suggestion ? { suggestion } : {}),
  };
}

/** `Europe/Berlin` → `berlin`, so that a city alone finds its zone. */
function lastPart(zone: string): string {
  return zone.slice(zone.lastIndexOf('/') + 1).toLowerCase();
}
