import type { Redis } from 'ioredis';
import { SourceError } from '../contract/errors.ts';
import { Rounds } from '../runtime/rounds.ts';
import { withinTime } from '../runtime/withinTime.ts';
import { KeyspaceNews } from './keyspaceNews.ts';
import { type Measure, measureKey, type Measured } from './measures.ts';
import type { RedisPlace } from './place.ts';
import { RedisClient } from './redisClient.ts';
import { redisError } from './redisErrors.ts';
import { ReadingWays, readMeasures } from './readMeasures.ts';
import { StreamNews } from './streamNews.ts';

/** What would be heard is asked for nevertheless this often: a lost notification costs no more than this. */
const verifyEveryMs = 5000;
/** Own processor time, as measured: of a call, of each key in a script, and of each command where no script may run. */
const callMicros = 150;
const scriptKeyMicros = 2;
const commandMicros = 6;
const clusterCommandMicros = 8;
const batchSize = 5000;

/** One place and account: all its keys are read together, and pushes are listened to where the server gives them. */
export class RedisReader {
  readonly rounds: Rounds<Measure, Measured>;
  readonly where: string;
  readonly #main: RedisClient;
  readonly #timeoutMs: number;
  readonly #nowMs: () => number;
  readonly #ways = new ReadingWays();
  readonly #keyspace: KeyspaceNews | null;
  readonly #streams: StreamNews | null;
  readonly #keysOf = new Map<string, Set<string>>();

  constructor(place: RedisPlace, { timeoutMs, nowMs }: { timeoutMs: number; nowMs: () => number }) {
    const options = { place, timeoutMs, nowMs };
    this.#main = new RedisClient(options);
    this.where = this.#main.where;
    this.#timeoutMs = timeoutMs;
    this.#nowMs = nowMs;
    const isCluster = place.topology === 'cluster';
    const ways = this.#ways;
    // In a cluster each node would tell of its own keys only, and they move.
    const changed = (key: string) => {
      for (const measure of this.#keysOf.get(key) ?? []) this.rounds.wake(measure);
    };
    this.#keyspace = isCluster ? null : new KeyspaceNews(options, changed);
    this.#streams = isCluster ? null : new StreamNews(options, changed);
    this.rounds = new Rounds({
      key: measureKey,
      ask: (measures) => this.#ask(measures),
      costMicros({ length }) {
        if (isCluster) return callMicros + length * clusterCommandMicros;
        return callMicros + length * (ways.isScriptForbidden ? commandMicros : scriptKeyMicros);
      },
      batchSize,
      isSame: (before, now) =>
        before.value === now.value && before.afterId === now.afterId && before.message === now.message,
      intervalMs: (measure, answer, paceMs) =>
        this.#isHeard(measure, answer) ? Math.max(paceMs, verifyEveryMs) : paceMs,
      nowMs,
    });
  }

  /** From now until the function is called, changes of its key are listened to where that is possible. */
  listen(measure: Measure): () => void {
    const { key } = measure;
    const measures = this.#keysOf.get(key) ?? new Set();
    this.#keysOf.set(key, measures.add(measureKey(measure)));
    return () => {
      measures.delete(measureKey(measure));
      if (measures.size > 0) return;
      this.#keysOf.delete(key);
      this.#keyspace?.forgetKey(key);
      this.#streams?.follow(key, undefined);
    };
  }

  async close(): Promise<void> {
    this.rounds.close();
    this.#keyspace?.close();
    this.#streams?.close();
    this.#main.close();
  }

  async #ask(measures: readonly Measure[]): Promise<(Measured | SourceError)[]> {
    const client = await this.#main.get();
    try {
      const answers = await withinTime(this.#timeoutMs, this.where, async () => {
        const asked = readMeasures(client, measures, this.#ways);
        const hasLengths = this.#keysOf.size > 0 && measures.some(({ kind }) => kind === 'length');
        if (hasLengths) await this.#keyspace?.check(client as Redis, this.#nowMs(), verifyEveryMs);
        return asked;
      });
      const read = answers.map((answer) => (answer instanceof Error ? redisError(answer, this.where) : answer));
      const [first] = read;
      if (first instanceof SourceError && isOfConnection(first) && read.every((one) => one instanceof SourceError))
        throw first;
      this.#follow(measures, read);
      return read;
    } catch (error) {
      const failure = redisError(error, this.where);
      if (isOfConnection(failure)) this.#main.drop();
      throw failure;
    }
  }

  #follow(measures: readonly Measure[], answers: readonly (Measured | SourceError)[]): void {
    for (const [index, measure] of measures.entries()) {
      const answer = answers[index];
      if (!this.#keysOf.has(measure.key) || answer === undefined || answer instanceof SourceError) continue;
      if (measure.kind === 'length') this.#keyspace?.follow(measure.key, answer.value === 0);
      // What a group has taken and not acknowledged changes without new entries.
      else if (measure.kind !== 'pending') this.#streams?.follow(measure.key, answer.afterId);
    }
  }

  #isHeard({ kind, key }: Measure, { value, afterId }: Measured): boolean {
    if (value !== 0) return false;
    if (kind === 'length') return this.#keyspace?.hears(key) ?? false;
    return kind !== 'pending' && afterId !== undefined && (this.#streams?.hears(key) ?? false);
  }
}

function isOfConnection({ code }: SourceError): boolean {
  return code === 'unreachable' || code === 'timeout';
}
