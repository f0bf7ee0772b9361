import { SourceError } from '../contract/errors.ts';
import type { HttpClient } from '../runtime/http.ts';
import { checkStatus, place } from '../runtime/http.ts';
import { Rounds } from '../runtime/rounds.ts';
import type { QueueStatus } from './queueStatus.ts';

/** One queue, or with `pageSize` all that match the regular expression. */
export interface QueueQuestion {
  vhost: string;
  queue: string;
  pageSize: number | null;
}

/** From so many questions about one virtual host on, its queues are listed with one call. */
const listFrom = 8;
/** A virtual host whose list is so many times longer than what was asked for is asked queue by queue for a while. */
const wastefulTimes = 50;
const listAgainAfterMs = 60_000;
const callsAtOnce = 8;
/** Statistics are collected every 5 s by default: to ask much more often brings nothing. */
const statisticsPaceMs = 500;
/** The broker makes lists by hand: it may be busy with them for this share of the time. */
const busyShare = 0.1;
const columns = [
  'name',
  'messages',
  'messages_ready',
  'message_stats.publish_details.rate',
  'message_stats.deliver_get_details.rate',
].join(',');

export interface ManagementOptions {
  /** Where `/api` begins. */
  root: string;
  /** For the header; rejects with `SourceError`. */
  authorization(signal: AbortSignal): Promise<string | null>;
  http: HttpClient;
  timeoutMs: number;
  nowMs(): number;
  close(): Promise<void>;
}

/** RabbitMQ's management plugin with one account: it is only ever asked with GET. */
export class ManagementApi {
  readonly rounds: Rounds<QueueQuestion, readonly QueueStatus[]>;
  readonly #options: ManagementOptions;
  readonly #oneByOneUntilMs = new Map<string, number>();
  readonly #closed = new AbortController();

  constructor(options: ManagementOptions) {
    this.#options = options;
    this.rounds = new Rounds({
      key: ({ vhost, queue, pageSize }) => JSON.stringify([vhost, queue, pageSize]),
      ask: (questions) => this.#ask(questions),
      costMicros: ({ length }) => (length < listFrom ? 400 * length : 500 + 5 * length),
      batchSize: 10_000,
      busyShare,
      intervalMs: (_question, _queues, paceMs) => Math.max(paceMs, statisticsPaceMs),
      nowMs: options.nowMs,
    });
  }

  async close(): Promise<void> {
    this.rounds.close();
    this.#closed.abort();
    await this.#options.close();
  }

  async #ask(questions: readonly QueueQuestion[]): Promise<(readonly QueueStatus[] | SourceError)[]> {
    const answers: (readonly QueueStatus[] | SourceError)[] = [];
    const single: number[] = [];
    const named = Map.groupBy(questions.keys(), (index) =>
      questions[index]?.pageSize === null ? questions[index].vhost : null,
    );
    for (const [vhost, indexes] of named) {
      if (
        vhost === null ||
        indexes.length < listFrom ||
        (this.#oneByOneUntilMs.get(vhost) ?? 0) > this.#options.nowMs()
      ) {
        single.push(...indexes);
        continue;
      }
      const listed = await this.#list(vhost, indexes.length);
      for (const index of indexes) {
        const status = listed?.get(questions[index]?.queue ?? '');
        // One that is not listed is asked for by name, which says why.
        if (status) answers[index] = [status];
        else single.push(index);
      }
    }
    const callers = Array.from({ length: Math.min(callsAtOnce, single.length) }, async () => {
      for (let index = single.pop(); index !== undefined; index = single.pop()) {
        const question = questions[index];
        if (question) answers[index] = await this.#one(question).catch(asSourceError);
      }
    });
    await Promise.all(callers);
    const [first] = answers;
    if (
      first instanceof SourceError &&
      first.code !== 'not-found' &&
      answers.every((one) => one instanceof SourceError)
    )
      throw first;
    return answers;
  }

  /** Null: the queues are to be asked for one by one. */
  async #list(vhost: string, wanted: number): Promise<Map<string, QueueStatus> | null> {
    const url = `${this.#options.root}/api/queues/${encodeURIComponent(vhost)}?columns=${columns}`;
    const { body, status } = await this.#get(url);
    if (status !== 200 || !Array.isArray(body)) return null;
    if (body.length > wanted * wastefulTimes)
      this.#oneByOneUntilMs.set(vhost, this.#options.nowMs() + listAgainAfterMs);
    return new Map(body.map((queue: unknown) => [String(fieldOf(queue, 'name')), statusOf(queue)]));
  }

  async #one({ vhost, queue, pageSize }: QueueQuestion): Promise<QueueStatus[]> {
    const base = `${this.#options.root}/api/queues/${encodeURIComponent(vhost)}`;
    const name = encodeURIComponent(queue);
    if (pageSize === null) {
      const { body, status, text } = await this.#get(`${base}/${name}`);
      if (status === 404) {
        const where = place(this.#options.root);
        throw new SourceError('not-found', `${where} has no queue "${queue}" in virtual host "${vhost}"`);
      }
      checkStatus({ status, text, headers: {} }, base);
      return [statusOf(body)];
    }
    const query = `page=1&use_regex=true&pagination=false&name=${name}&page_size=${pageSize}`;
    const { body, status, text } = await this.#get(`${base}?${query}`);
    if (status === 404) {
      throw new SourceError('not-found', `${place(this.#options.root)} has no virtual host "${vhost}"`);
    }
    checkStatus({ status, text, headers: {} }, base);
    if (Number(fieldOf(body, 'page_count') ?? 1) > 1) {
      throw new SourceError(
        'bad-setting',
        `"${queue}" matches more queues than fit on one page: raise pageSize (now ${pageSize})`,
      );
    }
    const items = Array.isArray(body) ? body : fieldOf(body, 'items');
    if (!Array.isArray(items)) throw new SourceError('bad-answer', `${place(base)}: the answer has no list of queues`);
    return items.map(statusOf);
  }

  async #get(url: string): Promise<{ status: number; text: string; body: unknown }> {
    const { http, authorization, timeoutMs } = this.#options;
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#closed.signal]);
    const sign = await authorization(signal);
    const { status, text } = await http.request({ url, signal, headers: sign === null ? {} : { authorization: sign } });
    if (status !== 200) return { status, text, body: undefined };
    try {
      return { status, text, body: JSON.parse(text) as unknown };
    } catch {
      throw new SourceError('bad-answer', `${place(url)}: the answer is not JSON`);
    }
  }
}

/** What is not there yet (a queue without statistics) is 0, as for KEDA. */
function statusOf(queue: unknown): QueueStatus {
  const stats = fieldOf(queue, 'message_stats');
  return {
    messages: numberOf(fieldOf(queue, 'messages')),
    messagesReady: numberOf(fieldOf(queue, 'messages_ready')),
    publishRate: numberOf(fieldOf(fieldOf(stats, 'publish_details'), 'rate')),
    deliverGetRate: numberOf(fieldOf(fieldOf(stats, 'deliver_get_details'), 'rate')),
  };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.max(0, value) : 0;
}

function asSourceError(error: unknown): SourceError {
  return error instanceof SourceError ? error : new SourceError('bad-answer', String(error));
}
