import { Failure } from './failure.ts';

const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment as users write it: how long ago (`90s`, `5m`), a time of today (`14:03`, `14:03:07`), or ISO 8601. */
export function parseMoment(input: string, nowMs: number): number {
  const ago = /^(\d+(?:\.\d+)?)([smhd])$/.exec(input);
  if (ago) return nowMs - Math.round(Number(ago[1]) * (unitMs[ago[2] ?? ''] ?? Number.NaN));
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(input);
  if (clock) {
    const [hours, minutes, seconds] = [Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0)];
    if (hours < 24 && minutes < 60 && seconds < 60) return new Date(nowMs).setHours(hours, minutes, seconds, 0);
  }
  const moment = /^\d{4}-\d{2}-\d{2}/.test(input) ? Date.parse(input) : Number.NaN;
  if (Number.isNaN(moment)) {
    throw new Failure('usage', `"${input}" is no moment.`, [
      'write how long ago (90s, 5m, 2h, 1d), a time of today (14:03:07) or an ISO time (2026-03-01T09:30:00Z)',
    ]);
  }
  return moment;
}
