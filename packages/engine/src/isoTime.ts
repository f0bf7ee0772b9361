import { civilDate } from '@ebb/core';

const dayMs = 86_400_000;

/**
 * Milliseconds since 1970 as ISO 8601 in UTC, such as `2026-01-01T00:00:00.000Z`. The engine has no `Date`: its time
 * comes from a port.
 */
export function isoTime(ms: number): string {
  const days = Math.floor(ms / dayMs);
  const inDay = ms - days * dayMs;
  const { year, month, day } = civilDate(days);
  const two = (value: number) => String(value).padStart(2, '0');
  const time = [Math.floor(inDay / 3_600_000), Math.floor(inDay / 60_000) % 60, Math.floor(inDay / 1000) % 60];
  const millis = String(Math.floor(inDay % 1000)).padStart(3, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${time.map(two).join(':')}.${millis}Z`;
}
