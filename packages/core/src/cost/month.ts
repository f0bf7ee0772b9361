const dayMs = 86_400_000;

/** The calendar month (UTC) that a moment is in: its beginning and the beginning of the next. */
export function monthOf(atMs: number): { startMs: number; endMs: number } {
  const { year, month } = civilMonth(Math.floor(atMs / dayMs));
  return {
    startMs: daysBefore(year, month) * dayMs,
    endMs: (month === 12 ? daysBefore(year + 1, 1) : daysBefore(year, month + 1)) * dayMs,
  };
}

/** Year and month of a day since 1970, after H. Hinnant, "chrono-compatible low-level date algorithms". */
function civilMonth(days: number): { year: number; month: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month };
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
