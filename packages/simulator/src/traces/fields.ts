import { RowError } from './layout.ts';

const numberPattern = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/;

/** A finite number from 0 on. @throws RowError that names the column. */
export function readNumber(column: string, text: string | undefined): number {
  if (text === undefined || !numberPattern.test(text))
    throw new RowError(`${column} is "${shorten(text ?? '')}": not a number`);
  const value = Number(text);
  if (value < 0) throw new RowError(`${column} is ${text.trim()}: must not be negative`);
  if (!Number.isFinite(value)) throw new RowError(`${column} is ${text.trim()}: too large`);
  return value;
}

/** A whole number from 0 to 2³² − 1. @throws RowError that names the column. */
export function readWhole(column: string, text: string | undefined): number {
  const value = readNumber(column, text);
  if (!Number.isInteger(value)) throw new RowError(`${column} is ${text?.trim()}: must be a whole number`);
  if (value > 0xffffffff) throw new RowError(`${column} is ${text?.trim()}: too large`);
  return value;
}

export function requireColumns(columns: readonly string[], fields: readonly string[]): void {
  if (fields.length === columns.length) return;
  const expected = columns.length > 8 ? `${columns.length} columns` : `${columns.length} (${columns.join(', ')})`;
  throw new RowError(`has ${fields.length} ${fields.length === 1 ? 'column' : 'columns'}: expected ${expected}`);
}

export function splitRow(line: string): string[] {
  return line.split(',');
}

/** Names of a header, without the byte order mark, quotes and spaces around them. */
export function splitHeader(line: string): string[] {
  return line
    .replace(/^\uFEFF/, '')
    .split(',')
    .map((name) => name.trim().replace(/^"(.*)"$/, '$1'));
}

export function shorten(text: string, most = 60): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

const momentPattern = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/;

/** `2023-11-16 18:15:46.6805900`, with or without a zone (then UTC), as microseconds since 1970. */
export function readMomentUs(column: string, text: string | undefined): number {
  const match = momentPattern.exec(text?.trim() ?? '');
  if (!match)
    throw new RowError(`${column} is "${shorten(text ?? '')}": expected a time such as 2023-11-16 18:15:46.68`);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  if (!isCalendarMoment(ms, day, hour, minute, second))
    throw new RowError(`${column} is "${text}": there is no such time`);
  const fractionUs = Number((match[7] ?? '').padEnd(6, '0').slice(0, 6));
  return ms * 1000 + fractionUs - readZoneMs(match[8] ?? 'Z') * 1000;
}

/** `Z`, `UTC`, `+0200`, `-04:00` as milliseconds ahead of UTC. */
export function readZoneMs(zone: string): number {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  if (!match) return 0;
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) * 60_000;
}

/** Whether a moment made of its parts has not run over, such as the 31st of June. */
export function isCalendarMoment(ms: number, day: number, hour: number, minute: number, second: number): boolean {
  const date = new Date(ms);
  return (
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second
  );
}
