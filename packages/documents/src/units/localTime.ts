import type { Parsed } from './parsed.ts';

const shape = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2}))?$/;
const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** A day or a minute of a wall clock, such as `2026-12-24` or `2026-12-24T18:00`, as `2026-12-24T18:00:00`. */
export function parseLocalTime(text: string): Parsed<string> {
  const match = shape.exec(text.trim());
  const example = 'write a local day or time, such as 2026-12-24 or 2026-12-24T18:00';
  if (!match) return { error: `"${text}" is not a date; ${example}` };
  const [, year = '', month = '', day = '', hour = '00', minute = '00'] = match;
  const leap = Number(year) % 4 === 0 && (Number(year) % 100 !== 0 || Number(year) % 400 === 0);
  const days = (daysOfMonth[Number(month) - 1] ?? 0) + (leap && month === '02' ? 1 : 0);
  if (days === 0 || day === '00' || Number(day) > days)
    return { error: `"${text}" is no day of the calendar; ${example}` };
  if (Number(hour) > 23 || Number(minute) > 59) return { error: `"${text}" is no time of day; ${example}` };
  return { value: `${year}-${month}-${day}T${hour}:${minute}:00` };
}
