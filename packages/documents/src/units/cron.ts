/** Fields of a five-field cron expression, in order. */
const fields = [
  { name: 'minute', min: 0, max: 59, names: [] },
  { name: 'hour', min: 0, max: 23, names: [] },
  { name: 'day of month', min: 1, max: 31, names: [] },
  {
    name: 'month',
    min: 1,
    max: 12,
    names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  { name: 'day of week', min: 0, max: 7, names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] },
] as const;

type Field = (typeof fields)[number];

/**
 * What is wrong with the shape of a cron expression (minute, hour, day of month, month, day of week), or null.
 * Lists, ranges, steps and English month and day names are known. Whether it ever falls due is not asked here.
 */
export function cronProblem(expression: string): string | null {
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== fields.length || parts[0] === '') {
    const count = parts[0] === '' ? 0 : parts.length;
    return `"${expression}" has ${count} fields; a cron expression has five: minute, hour, day of month, month, day of week`;
  }
  for (const [index, field] of fields.entries()) {
    for (const item of (parts[index] ?? '').split(',')) {
      const problem = itemProblem(item, field);
      if (problem) return `"${expression}": ${problem}`;
    }
  }
  return null;
}

function itemProblem(item: string, field: Field): string | null {
  const match = /^(\*|[A-Za-z0-9]+)(?:-([A-Za-z0-9]+))?(?:\/(\d+))?$/.exec(item);
  if (!match) return `"${item}" is not a ${field.name}; write *, 5, 1-5, 1,15 or */10`;
  const [, from = '', to, step] = match;
  if (step !== undefined && (Number(step) < 1 || Number(step) > field.max)) {
    return `the step /${step} of the ${field.name} must be from 1 to ${field.max}`;
  }
  if (from === '*') return to === undefined ? null : `"${item}" is not a ${field.name}`;
  const first = fieldValue(from, field);
  const last = to === undefined ? first : fieldValue(to, field);
  if (first === null || last === null) {
    return `the ${field.name} ${first === null ? from : to} is not within ${field.min} to ${field.max}`;
  }
  return first > last ? `the ${field.name} range ${item} runs backwards` : null;
}

function fieldValue(text: string, field: Field): number | null {
  const named = (field.names as readonly string[]).indexOf(text.toUpperCase());
  const value = named >= 0 ? named + field.min : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= field.min && value <= field.max ? value : null;
}
