import { SourceError } from '../contract/errors.ts';

/** What is counted: a list, set, sorted set or hash; a stream; what a group has taken and not acknowledged, or not taken. */
export type MeasureKind = 'length' | 'stream' | 'pending' | 'lag';

export interface Measure {
  kind: MeasureKind;
  key: string;
  /** Of `pending` and `lag`; otherwise empty. */
  group: string;
}

export interface Measured {
  value: number;
  /** Of a stream that holds nothing for us: entries after this one are news. */
  afterId?: string;
  message?: string;
}

/** Where Redis cannot tell the lag (entries were deleted), entries are counted one by one up to this number. */
export const countedEntries = 100;

export function measureKey({ kind, key, group }: Measure): string {
  return `${kind}\0${key}\0${group}`;
}

/**
 * Lengths of any number of keys in one call; it writes nothing. Each answer is a number, an error as text, or for a lag
 * [number, id that was delivered last, whether it was counted].
 */
export const lengthsScript = `
local lengths = { list = 'LLEN', none = 'LLEN', set = 'SCARD', zset = 'ZCARD', hash = 'HLEN' }
local function lag(key, group)
  local groups = redis.pcall('XINFO', 'GROUPS', key)
  if groups.err then
    if string.find(groups.err, 'no such key', 1, true) then return 0 end
    return groups
  end
  for _, fields in ipairs(groups) do
    local found = {}
    for at = 1, #fields, 2 do found[fields[at]] = fields[at + 1] end
    if found.name == group then
      if found['entries-read'] == nil and found.lag == nil then return { err = 'ERR lag needs Redis 7' } end
      if found.lag then return { found.lag, found['last-delivered-id'], 0 } end
      local rest = redis.pcall('XRANGE', key, '(' .. found['last-delivered-id'], '+', 'COUNT', ${countedEntries})
      if rest.err then return rest end
      return { #rest, found['last-delivered-id'], 1 }
    end
  end
  return redis.pcall('XLEN', key)
end
local answers = {}
local nextGroup = 2
for at, key in ipairs(KEYS) do
  local kind = string.sub(ARGV[1], at, at)
  local answer
  if kind == 'l' then
    local type = redis.pcall('TYPE', key)
    if type.err then answer = type
    elseif lengths[type.ok] then answer = redis.pcall(lengths[type.ok], key)
    else answer = { err = 'ERR unsupported key type: ' .. type.ok } end
  elseif kind == 's' then
    answer = redis.pcall('XLEN', key)
  else
    local group = ARGV[nextGroup]
    nextGroup = nextGroup + 1
    if kind == 'p' then
      answer = redis.pcall('XPENDING', key, group)
      if not answer.err then answer = answer[1] end
    else
      answer = lag(key, group)
    end
  end
  if type(answer) == 'table' and answer.err then answer = answer.err end
  answers[at] = answer
end
return answers
`;

const letters: Record<MeasureKind, string> = { length: 'l', stream: 's', pending: 'p', lag: 'g' };

/** KEYS and ARGV of the script. */
export function scriptArguments(measures: readonly Measure[]): { keys: string[]; args: string[] } {
  const groups = measures.filter(({ kind }) => kind === 'pending' || kind === 'lag').map(({ group }) => group);
  return {
    keys: measures.map(({ key }) => key),
    args: [measures.map(({ kind }) => letters[kind]).join(''), ...groups],
  };
}

/** One answer of the script; an error answer of Redis comes as an `Error`. */
export function scriptAnswer(measure: Measure, answer: unknown): Measured | Error {
  if (typeof answer === 'number') return measured(measure, answer);
  if (typeof answer === 'string') return new Error(answer);
  if (Array.isArray(answer)) {
    const [value, afterId, isCounted] = answer as unknown[];
    if (typeof value === 'number' && typeof afterId === 'string') return lagOf(value, afterId, isCounted === 1);
  }
  return new SourceError('bad-answer', `"${measure.key}": Redis answered something that is no number`);
}

export function measured({ kind }: Measure, value: number): Measured {
  // An empty stream holds no entry at all: the very first one is news.
  return value === 0 && (kind === 'stream' || kind === 'lag') ? { value, afterId: '0-0' } : { value };
}

export function lagOf(value: number, afterId: string, isCounted: boolean): Measured {
  const more = value === countedEntries ? 'at least ' : '';
  return {
    value,
    ...(value === 0 ? { afterId } : {}),
    ...(isCounted
      ? { message: `Redis cannot tell the lag after deletions: ${more}${value} entries were counted` }
      : {}),
  };
}

/** The group's row of `XINFO GROUPS`, a list of names and values. */
export function groupOf(groups: unknown, name: string): { lag: number | null | undefined; lastId: string } | null {
  if (!Array.isArray(groups)) return null;
  for (const fields of groups as unknown[]) {
    if (!Array.isArray(fields)) continue;
    const found = new Map<unknown, unknown>();
    for (let at = 0; at + 1 < fields.length; at += 2) found.set(fields[at], fields[at + 1]);
    if (found.get('name') !== name) continue;
    const lag = found.get('lag');
    return {
      lag: found.has('lag') ? (typeof lag === 'number' ? lag : null) : undefined,
      lastId: String(found.get('last-delivered-id') ?? '0-0'),
    };
  }
  return null;
}
