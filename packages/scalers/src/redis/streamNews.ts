import type { Redis } from 'ioredis';
import { RedisClient, type RedisClientOptions } from './redisClient.ts';
import { isForbidden } from './redisErrors.ts';

/** A call waits no longer than this, so that streams that were added meanwhile take part in the next. */
const blockMs = 1000;
/** Between two calls: a stream that fills quickly is read on the side. */
const pauseMs = 20;
const retryMs = 1000;

/**
 * Waits for the first new entry of streams that hold nothing for us, with XREAD on a connection of its own: without a
 * group, which leaves every group as it is.
 */
export class StreamNews {
  readonly #client: RedisClient;
  readonly #timeoutMs: number;
  readonly #changed: (key: string) => void;
  readonly #wanted = new Map<string, string>();
  #heard: ReadonlyMap<string, string> = new Map();
  #isRunning = false;
  #isForbidden = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RedisClientOptions, changed: (key: string) => void) {
    this.#client = new RedisClient({ ...options, lost: () => this.#forget() });
    this.#timeoutMs = options.timeoutMs;
    this.#changed = changed;
  }

  /** A new entry of this stream would be heard. */
  hears(key: string): boolean {
    return this.#heard.has(key);
  }

  /** Entries after `afterId` are news; undefined: the stream has some already and is asked for at its pace. */
  follow(key: string, afterId: string | undefined): void {
    if (afterId === undefined) this.#wanted.delete(key);
    else this.#wanted.set(key, afterId);
    if (this.#wanted.size === 0 || this.#isRunning || this.#isForbidden || this.#isClosed) return;
    this.#isRunning = true;
    this.#again(0);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#client.close();
  }

  #again(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#wait().then(
        () => this.#again(pauseMs),
        (error: unknown) => {
          this.#forget();
          this.#isForbidden = isForbidden(error);
          this.#isRunning = !this.#isForbidden;
          if (this.#isRunning) this.#again(retryMs);
        },
      );
    }, delayMs);
  }

  async #wait(): Promise<void> {
    if (this.#wanted.size === 0) {
      this.#isRunning = false;
      clearTimeout(this.#timer);
      return;
    }
    const client = (await this.#client.get()) as Redis;
    this.#heard = new Map(this.#wanted);
    const late = setTimeout(() => this.#client.drop(), blockMs + this.#timeoutMs);
    try {
      const streams = await client.xread(
        'COUNT',
        1,
        'BLOCK',
        blockMs,
        'STREAMS',
        ...this.#heard.keys(),
        ...this.#heard.values(),
      );
      for (const [key] of streams ?? []) {
        // Until it was read again it is not known from where on entries are new.
        this.#wanted.delete(key);
        this.#changed(key);
      }
    } finally {
      clearTimeout(late);
      this.#forget();
    }
  }

  #forget(): void {
    this.#heard = new Map();
  }
}
