import { parseDuration } from '@ebb/documents';

/** How long the sender lets its request wait for slots that others leave free: `10m`, or a number of seconds. */
export const deferField = 'ebb-defer';
/** How long it waited for them; `off` where the workload takes no deferrable requests and it was an ordinary one. */
export const deferredField = 'ebb-deferred';

export type Deferral = { type: 'none' } | { type: 'for'; ms: number } | { type: 'malformed'; message: string };

/** Reads `ebb-defer`. Our own field must be right. */
export function readDeferral(fields: Readonly<Record<string, string | undefined>>): Deferral {
  const text = fields[deferField]?.trim();
  if (text === undefined) return { type: 'none' };
  const malformed = (why: string): Deferral => ({ type: 'malformed', message: `${deferField}: ${why}` });
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text)) {
    const ms = Math.round(Number(text) * 1000);
    return ms > 0 ? { type: 'for', ms } : malformed('must be more than 0');
  }
  const shown = text.slice(0, 40);
  const parsed = parseDuration(shown);
  if ('error' in parsed || shown.length < text.length) {
    return malformed(`must be a duration such as 10m or 1h30m, or a number of seconds, found "${shown}"`);
  }
  return parsed.value > 0 ? { type: 'for', ms: parsed.value } : malformed('must be more than 0s');
}

/** What an answer says of its request's deferral: `3.2s`, `0s`, `off`. */
export function deferredText(deferredUs: number | 'off'): string {
  return deferredUs === 'off' ? 'off' : `${Math.round(deferredUs / 1000) / 1000}s`;
}
