/** How long the client is ready to wait for the end of its answer, from the arrival of the request. */
export const deadlineField = 'x-ebb-deadline-ms';
const timeoutField = 'x-request-timeout';

const longestMs = 7 * 24 * 3600 * 1000;

export type Deadline = { type: 'none' } | { type: 'after'; ms: number } | { type: 'malformed'; message: string };

/**
 * Reads `x-ebb-deadline-ms` (whole milliseconds) or, where that is missing, `x-request-timeout` (seconds). Our own
 * field must be right; the other one belongs to nobody and is ignored when it is not a number.
 */
export function readDeadline(fields: Readonly<Record<string, string | undefined>>): Deadline {
  const own = fields[deadlineField];
  if (own !== undefined) {
    const ms = /^\d{1,15}$/.test(own.trim()) ? Number(own) : 0;
    if (ms < 1) {
      return {
        type: 'malformed',
        message: `${deadlineField} must be whole milliseconds above 0, found "${own.slice(0, 40)}"`,
      };
    }
    return { type: 'after', ms: Math.min(ms, longestMs) };
  }
  const seconds = fields[timeoutField];
  if (seconds === undefined || !/^\d{1,9}(\.\d{1,6})?$/.test(seconds.trim())) return { type: 'none' };
  const ms = Math.round(Number(seconds) * 1000);
  return ms < 1 ? { type: 'none' } : { type: 'after', ms: Math.min(ms, longestMs) };
}
