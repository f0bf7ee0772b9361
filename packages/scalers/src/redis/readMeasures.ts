import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { hashSlot } from './hashSlot.ts';
import {
  countedEntries,
  groupOf,
  lagOf,
  lengthsScript,
  type Measure,
  type Measured,
  measured,
  scriptAnswer,
  scriptArguments,
} from './measures.ts';
import { isForbidden } from './redisErrors.ts';

const scriptDigest = createHash('sha1').update(lengthsScript).digest('hex');
const lengthCommands = ['llen', 'scard', 'zcard', 'hlen'] as const;
type LengthCommand = (typeof lengthCommands)[number];

type Answer = Measured | Error;
type Command = readonly [name: string, ...args: (string | number)[]];

/** What is remembered of a connection between two questions. */
export class ReadingWays {
  /** The account may not run scripts, or not all that they would do: commands are sent one by one, in one packet. */
  isScriptForbidden = false;
  /** The command that last answered for a key; others than lists only. */
  readonly lengthCommand = new Map<string, LengthCommand>();
}

/** Reads all measures with as few calls as the account and the kind of server allow. Answers in their order. */
export async function readMeasures(
  client: Redis | Cluster,
  measures: readonly Measure[],
  ways: ReadingWays,
): Promise<Answer[]> {
  if (isCluster(client)) return readCluster(client, measures, ways);
  if (!ways.isScriptForbidden) {
    const answers = await runScript(client, measures);
    if (answers) return answers;
    ways.isScriptForbidden = true;
  }
  return readOneByOne((commands) => send(client, commands), measures, ways);
}

function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}

/** Null: this account may not do it this way. */
async function runScript(client: Redis, measures: readonly Measure[]): Promise<Answer[] | null> {
  const { keys, args } = scriptArguments(measures);
  let answers: unknown;
  try {
    answers = await client.evalsha(scriptDigest, keys.length, ...keys, ...args).catch((error: unknown) => {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return client.eval(lengthsScript, keys.length, ...keys, ...args);
    });
  } catch (error) {
    // One key that is out of bounds, or on another node of a cluster, fails the whole call.
    const cannot = error instanceof Error && /unknown command|^CROSSSLOT|^MOVED/i.test(error.message);
    if (cannot || isForbidden(error)) return null;
    throw error;
  }
  const list = Array.isArray(answers) ? (answers as unknown[]) : [];
  const read = measures.map((measure, index) => scriptAnswer(measure, list[index]));
  return read.some(isForbidden) ? null : read;
}

/** The keys of one node share a packet; no script spans hash slots. */
async function readCluster(client: Cluster, measures: readonly Measure[], ways: ReadingWays): Promise<Answer[]> {
  const byNode = Map.groupBy(measures.keys(), (index) => {
    const slot = hashSlot(measures[index]?.key ?? '');
    return String(client.slots[slot]?.[0] ?? slot);
  });
  const answers: Answer[] = [];
  await Promise.all(
    [...byNode.values()].map(async (indexes) => {
      const share = indexes.map((index) => measures[index]).filter((measure) => measure !== undefined);
      const read = await readOneByOne((commands) => send(client, commands), share, ways);
      for (const [position, index] of indexes.entries()) answers[index] = read[position] ?? new Error('no answer');
    }),
  );
  return answers;
}

async function send(client: Redis | Cluster, commands: readonly Command[]): Promise<unknown[]> {
  if (commands.length === 0) return [];
  const pipeline = client.pipeline(commands.map((command) => [...command]));
  const answers = (await pipeline.exec()) ?? [];
  return answers.map(([error, answer]) => error ?? answer);
}

async function readOneByOne(
  ask: (commands: readonly Command[]) => Promise<unknown[]>,
  measures: readonly Measure[],
  ways: ReadingWays,
): Promise<Answer[]> {
  const first = await ask(measures.map((measure) => commandOf(measure, ways)));
  return Promise.all(
    measures.map(async (measure, index): Promise<Answer> => {
      const answer = first[index];
      if (measure.kind === 'lag') return lag(ask, measure, answer);
      if (measure.kind === 'pending' && Array.isArray(answer)) return measured(measure, Number(answer[0]));
      if (typeof answer === 'number') return measured(measure, answer);
      if (!(answer instanceof Error)) return new Error(`"${measure.key}": Redis answered something that is no number`);
      if (measure.kind === 'length' && answer.message.startsWith('WRONGTYPE')) return otherLength(ask, measure, ways);
      return answer;
    }),
  );
}

function commandOf({ kind, key, group }: Measure, ways: ReadingWays): Command {
  if (kind === 'length') return [ways.lengthCommand.get(key) ?? 'llen', key];
  if (kind === 'stream') return ['xlen', key];
  return kind === 'pending' ? ['xpending', key, group] : ['xinfo', 'GROUPS', key];
}

/** A key of another type than before. TYPE would tell it, and may not be allowed. */
async function otherLength(
  ask: (commands: readonly Command[]) => Promise<unknown[]>,
  { key }: Measure,
  ways: ReadingWays,
): Promise<Answer> {
  const answers = await ask(lengthCommands.map((command) => [command, key]));
  for (const [index, command] of lengthCommands.entries()) {
    const answer = answers[index];
    if (typeof answer !== 'number') continue;
    ways.lengthCommand.set(key, command);
    return { value: answer };
  }
  ways.lengthCommand.delete(key);
  const refused = answers.find(isForbidden);
  return refused instanceof Error
    ? refused
    : new Error(`ERR unsupported key type: "${key}" is no list, set, sorted set or hash`);
}

async function lag(
  ask: (commands: readonly Command[]) => Promise<unknown[]>,
  measure: Measure,
  groups: unknown,
): Promise<Answer> {
  const { key, group } = measure;
  if (groups instanceof Error) {
    return groups.message.includes('no such key') ? measured(measure, 0) : groups;
  }
  const found = groupOf(groups, group);
  if (found?.lag === undefined) {
    if (found) return new Error('ERR lag needs Redis 7');
    const [length] = await ask([['xlen', key]]);
    return typeof length === 'number' ? measured(measure, length) : asError(length);
  }
  if (found.lag !== null) return lagOf(found.lag, found.lastId, false);
  const [rest] = await ask([['xrange', key, `(${found.lastId}`, '+', 'COUNT', countedEntries]]);
  return Array.isArray(rest) ? lagOf(rest.length, found.lastId, true) : asError(rest);
}

function asError(answer: unknown): Error {
  return answer instanceof Error ? answer : new Error('Redis answered something unexpected');
}
