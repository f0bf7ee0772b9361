import { Readable } from 'node:stream';
import type { RingEntry, WatchRing } from './watchRing.ts';

export type WatchFormat = 'ndjson' | 'sse';

export interface WatchStreamOptions {
  ring: WatchRing;
  format: WatchFormat;
  /** Resume after this; null: `opening` goes first. */
  since: number | null;
  /** Events of the state as it is, for one who begins. */
  opening: () => RingEntry[];
  nowMs: () => number;
  heartbeatMs?: number;
}

const defaultHeartbeatMs = 10_000;

/**
 * One watcher. It keeps a place in the ring and takes as much as the client does, so a slow client costs no memory; one
 * that falls behind the ring is ended, and resumes or begins again. A heartbeat with the present sequence follows the
 * opening and each ten seconds of silence.
 */
export class WatchStream extends Readable {
  readonly #options: WatchStreamOptions;
  readonly #unwatch: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  #cursor: number;
  #wanted = false;
  #heartbeatDue = true;

  constructor(options: WatchStreamOptions) {
    super({ encoding: 'utf8', highWaterMark: 256 * 1024 });
    this.#options = options;
    const { ring, since } = options;
    this.#cursor = since ?? ring.newest;
    if (since === null) for (const entry of options.opening()) this.push(this.#encode(entry));
    this.#unwatch = ring.onPush(() => this.#pump());
    this.#heartbeat = setInterval(() => {
      this.#heartbeatDue = true;
      this.#pump();
    }, options.heartbeatMs ?? defaultHeartbeatMs);
  }

  override _read(): void {
    this.#wanted = true;
    this.#pump();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#unwatch();
    clearInterval(this.#heartbeat);
    callback(error);
  }

  #pump(): void {
    const { ring } = this.#options;
    while (this.#wanted && !this.destroyed) {
      if (!ring.reaches(this.#cursor)) {
        this.push(null);
        this.#wanted = false;
        return;
      }
      const entry = ring.after(this.#cursor);
      if (entry) {
        this.#cursor = entry.sequence;
        this.#wanted = this.push(this.#encode(entry));
      } else if (this.#heartbeatDue) {
        this.#heartbeatDue = false;
        this.#wanted = this.push(this.#encode(this.#heartbeatEntry()));
      } else {
        return;
      }
    }
  }

  #heartbeatEntry(): Omit<RingEntry, 'type'> & { type: 'heartbeat' } {
    const sequence = this.#cursor;
    return {
      sequence,
      type: 'heartbeat',
      json: JSON.stringify({ type: 'heartbeat', sequence, at: this.#options.nowMs() }),
    };
  }

  #encode({ sequence, type, json }: { sequence: number; type: string; json: string }): string {
    return this.#options.format === 'sse' ? `id: ${sequence}\nevent: ${type}\ndata: ${json}\n\n` : `${json}\n`;
  }
}
