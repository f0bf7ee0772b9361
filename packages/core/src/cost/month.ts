import { civilDate } from './civilDate.ts';

const dayMs = 86_400_000;

/** The calendar month (UTC) that a moment is in: its beginning and the beginning of the next. */
export function monthOf(atMs: number): { startMs: number; endMs: number } {
  const { year, month } = civilDate(Math.floor(atMs / dayMs));
  return {
    startMs: daysBefore(year, month) * dayMs,
    endMs: (month === 12 ? daysBefore(year + 1, 1) : daysBefore(year, month + 1)) * dayMs,
  };
}

/** Days from 1970 to the first of a month. */
function daysBefore(year: number, month: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5);
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}
