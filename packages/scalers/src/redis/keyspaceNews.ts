import type { Redis } from 'ioredis';
import { RedisClient, type RedisClientOptions } from './redisClient.ts';

/** Whether the server tells changes of lists, sets, sorted sets, hashes and keys as such by channels of their names. */
export function tellsChanges(flags: string): boolean {
  return flags.includes('K') && (flags.includes('A') || [...'glszh'].every((flag) => flags.includes(flag)));
}

/**
 * Listens to keyspace notifications of the keys that are empty now, where the server is set up to send them. The setting
 * itself is never changed.
 */
export class KeyspaceNews {
  readonly #client: RedisClient;
  readonly #prefix: string;
  readonly #changed: (key: string) => void;
  readonly #wanted = new Set<string>();
  readonly #heard = new Set<string>();
  #isSent = false;
  #isListening = false;
  #checkedMs: number | null = null;
  #isForbidden = false;
  #updating: Promise<void> | null = null;

  constructor(options: RedisClientOptions, changed: (key: string) => void) {
    this.#client = new RedisClient({ ...options, lost: () => this.#forget() });
    this.#prefix = `__keyspace@${options.place.database}__:`;
    this.#changed = changed;
  }

  /** A change of this key would be heard. */
  hears(key: string): boolean {
    return this.#heard.has(key);
  }

  /** Asks the server, at most each `everyMs`, whether it sends notifications. */
  async check(client: Redis, nowMs: number, everyMs: number): Promise<void> {
    if (this.#isForbidden || (this.#checkedMs !== null && nowMs - this.#checkedMs < everyMs)) return;
    this.#checkedMs = nowMs;
    try {
      const [, flags] = (await client.config('GET', 'notify-keyspace-events')) as unknown[];
      this.#isSent = typeof flags === 'string' && tellsChanges(flags);
    } catch {
      // Without this right it cannot be known that nothing is missed: these keys are asked for at their pace.
      this.#isSent = false;
      this.#isForbidden = true;
    }
    if (!this.#isSent) this.#heard.clear();
  }

  /** A key that is empty is listened to, a filled one is asked for at its pace: it may change ten thousand times a second. */
  follow(key: string, isEmpty: boolean): void {
    if (isEmpty) this.#wanted.add(key);
    else this.#wanted.delete(key);
    if (!this.#isSent || this.#updating || this.#wanted.has(key) === this.#heard.has(key)) return;
    this.#updating = this.#update()
      .catch(() => this.#forget())
      .finally(() => {
        this.#updating = null;
      });
  }

  forgetKey(key: string): void {
    this.follow(key, false);
  }

  close(): void {
    this.#isSent = false;
    this.#client.close();
  }

  async #update(): Promise<void> {
    // What the same answer says of other keys belongs to the same call.
    await Promise.resolve();
    const client = (await this.#client.get()) as Redis;
    if (!this.#isListening) {
      this.#isListening = true;
      client.on('message', (channel: string) => this.#changed(channel.slice(this.#prefix.length)));
    }
    const more = [...this.#wanted].filter((key) => !this.#heard.has(key));
    const fewer = [...this.#heard].filter((key) => !this.#wanted.has(key));
    const channels = (keys: string[]) => keys.map((key) => `${this.#prefix}${key}`);
    if (fewer.length > 0) {
      for (const key of fewer) this.#heard.delete(key);
      await client.unsubscribe(...channels(fewer));
    }
    if (more.length === 0) return;
    await client.subscribe(...channels(more));
    for (const key of more) {
      this.#heard.add(key);
      // What changed between the last answer and the subscription was not heard.
      this.#changed(key);
    }
  }

  #forget(): void {
    this.#heard.clear();
    this.#isListening = false;
  }
}
