import { addressText, type Broker, type BrokerAddress } from './broker.ts';
import type { Brokers } from './brokers.ts';
import { kafkaCodes } from './errors.ts';
import { canLongPoll, type LogPosition, longPollMs, nextMessages } from './longPoll.ts';

/** A broker is asked again no sooner than this, however much is produced. */
const smallestGapMs = 100;
/** A wake-up brings at least one batch of messages with it, which is thrown away: what may be spent on that. */
const bytesPerSecond = 256 * 1024;
const retryMs = 1000;
/** Where messages may not be read, rounds alone tell of them for this long. */
const forbiddenForMs = 60_000;

/** Where one trigger has seen the logs end, by topic and partition. */
export type Positions = ReadonlyMap<string, ReadonlyMap<number, number>>;

export interface Follower {
  positions: Positions;
  /** Something was produced to one of its partitions. */
  wake(): void;
}

interface Line {
  readonly address: BrokerAddress;
  broker: Broker | null;
  asked: ReadonlySet<string>;
  /** Ends the pause between two questions. */
  resume: (() => void) | null;
}

/**
 * Waits at the end of the logs for new messages: one long poll to each leader for the partitions of all followers, as a
 * plain reader that belongs to no group and commits nothing.
 */
export class LogTail {
  readonly #brokers: Brokers;
  readonly #leader: (topic: string, partition: number) => BrokerAddress | null;
  readonly #timeoutMs: number;
  readonly #nowMs: () => number;
  readonly #followers = new Set<Follower>();
  readonly #lines = new Map<string, Line>();
  readonly #seen = new Map<string, number>();
  readonly #forbiddenUntilMs = new Map<string, number>();
  #isRefreshing = false;
  #isClosed = false;

  constructor(
    brokers: Brokers,
    leader: (topic: string, partition: number) => BrokerAddress | null,
    { timeoutMs, nowMs }: { timeoutMs: number; nowMs: () => number },
  ) {
    this.#brokers = brokers;
    this.#leader = leader;
    this.#timeoutMs = timeoutMs;
    this.#nowMs = nowMs;
  }

  add(follower: Follower): void {
    this.#followers.add(follower);
    this.refresh();
  }

  remove(follower: Follower): void {
    this.#followers.delete(follower);
    this.refresh();
  }

  /** Positions have changed: partitions that are new are asked for at once. */
  refresh(): void {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    // Once for all triggers that one round of requests has answered.
    setImmediate(() => {
      this.#isRefreshing = false;
      if (!this.#isClosed) this.#refresh();
    });
  }

  #refresh(): void {
    const wanted = this.#wanted();
    for (const [key, { address, asks }] of wanted) {
      const line = this.#lines.get(key);
      if (!line) {
        const begun: Line = { address, broker: null, asked: new Set(), resume: null };
        this.#lines.set(key, begun);
        void this.#run(key, begun);
      } else if (line.asked.size > 0 && asks.some((ask) => !line.asked.has(keyOf(ask)))) {
        // A question cannot be changed once it is asked.
        line.broker?.end();
      }
    }
    for (const [key, line] of this.#lines) {
      if (wanted.has(key)) continue;
      line.broker?.end();
      line.resume?.();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#followers.clear();
    for (const line of this.#lines.values()) {
      line.broker?.end();
      line.resume?.();
    }
  }

  async #run(key: string, line: Line): Promise<void> {
    const asks = () => (this.#isClosed ? [] : (this.#wanted().get(key)?.asks ?? []));
    while (asks().length > 0) {
      let gapMs = retryMs;
      try {
        if (!line.broker?.isOpen)
          line.broker = await this.#brokers.dedicated(line.address, longPollMs + this.#timeoutMs);
        // Only now: they may have changed while the connection was being opened.
        gapMs = await this.#ask(line, line.broker, asks());
      } catch {
        line.broker?.end();
        line.broker = null;
        if (asks().some((ask) => !line.asked.has(keyOf(ask)))) gapMs = 0;
      }
      line.asked = new Set();
      if (gapMs > 0 && !this.#isClosed) await pause(gapMs, line);
    }
    this.#lines.delete(key);
    line.broker?.end();
  }

  /** Returns the pause until the next question, ms. */
  async #ask(line: Line, broker: Broker, asks: readonly LogPosition[]): Promise<number> {
    if (!canLongPoll(broker)) return forbiddenForMs;
    line.asked = new Set(asks.map(keyOf));
    const { throttleMs, bytes, partitions } = await nextMessages(broker, asks);
    const offsets = new Map(asks.map((ask) => [keyOf(ask), ask.offset]));
    const changed = new Set<string>();
    let hasFailed = false;
    for (const { topic, partition, code, end } of partitions) {
      const key = keyOf({ topic, partition });
      if (code === kafkaCodes.none) {
        if (end > (offsets.get(key) ?? Number.POSITIVE_INFINITY)) changed.add(key);
        this.#seen.set(key, end);
        continue;
      }
      hasFailed = true;
      this.#seen.delete(key);
      if (code === kafkaCodes.topicAuthorizationFailed)
        this.#forbiddenUntilMs.set(topic, this.#nowMs() + forbiddenForMs);
      // Followers look up where the log ends now, or who leads it.
      else changed.add(key);
    }
    this.#wake(changed);
    return Math.max(hasFailed ? retryMs : smallestGapMs, throttleMs, (bytes / bytesPerSecond) * 1000);
  }

  #wake(changed: ReadonlySet<string>): void {
    if (changed.size === 0) return;
    for (const follower of this.#followers) {
      const isTouched = [...follower.positions].some(([topic, partitions]) =>
        [...partitions.keys()].some((partition) => changed.has(keyOf({ topic, partition }))),
      );
      if (isTouched) follower.wake();
    }
  }

  #wanted(): Map<string, { address: BrokerAddress; asks: LogPosition[] }> {
    const offsets = new Map<string, LogPosition>();
    for (const { positions } of this.#followers) {
      for (const [topic, partitions] of positions) {
        if ((this.#forbiddenUntilMs.get(topic) ?? 0) > this.#nowMs()) continue;
        for (const [partition, offset] of partitions) {
          const key = keyOf({ topic, partition });
          // The follower that has seen least: it is to be woken too.
          const least = Math.min(offset, offsets.get(key)?.offset ?? offset);
          offsets.set(key, { topic, partition, offset: least });
        }
      }
    }
    for (const key of this.#seen.keys()) if (!offsets.has(key)) this.#seen.delete(key);
    const wanted = new Map<string, { address: BrokerAddress; asks: LogPosition[] }>();
    for (const [key, ask] of offsets) {
      const address = this.#leader(ask.topic, ask.partition);
      if (!address) continue;
      const line = wanted.get(addressText(address)) ?? { address, asks: [] };
      wanted.set(addressText(address), line);
      line.asks.push({ ...ask, offset: Math.max(ask.offset, this.#seen.get(key) ?? 0) });
    }
    return wanted;
  }
}

function keyOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}

async function pause(ms: number, line: Line): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    line.resume = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  line.resume = null;
}
