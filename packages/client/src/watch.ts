import { keyText, type WatchEvent, type WorkloadStatus } from '@ebb/documents';
import type { EndpointSource } from './endpoint.ts';
import { ApiError, NotRunningError, UnreachableError } from './errors.ts';
import { readLines, send } from './transport.ts';

export interface WatchOptions {
  /** Only events after this sequence; without it the stream begins with the status of every workload. */
  since?: number;
  signal?: AbortSignal;
  /** How long to look for a control plane that went away before giving up; default 30 s. */
  patienceMs?: number;
  /** Hears when the stream is lost and when it is there again. */
  onConnection?: (connected: boolean) => void;
}

/** The server's marks in the stream: everything up to `sequence` has been sent. */
interface Heartbeat {
  type: 'heartbeat';
  sequence: number;
  at: number;
}

const defaultPatienceMs = 30_000;
/** The server sends a heartbeat every 10 s: after this long the connection is dead, whatever the socket says. */
const silenceMs = 35_000;
const firstRetryMs = 50;
const longestRetryMs = 2_000;

/**
 * Every change, in order, for as long as Ebb runs: a lost stream is resumed where it broke. Where that is no longer
 * possible the present status of all workloads follows, and `deleted` for those that went in between, so that the reader
 * never needs to know. Ends when the signal fires or the control plane was stopped; throws when it stays away.
 */
export async function* watchEvents(
  source: EndpointSource,
  options: WatchOptions,
): AsyncGenerator<WatchEvent, void, void> {
  const follower = new Follower(options.since ?? null);
  let lostAtMs: number | null = null;
  let retryMs = firstRetryMs;
  while (!options.signal?.aborted) {
    follower.begin();
    try {
      for await (const line of connectOnce(source, follower.cursor, options.signal)) {
        if (lostAtMs !== null) options.onConnection?.(true);
        lostAtMs = null;
        retryMs = firstRetryMs;
        yield* follower.take(line);
      }
    } catch (error) {
      if (options.signal?.aborted) return;
      if (error instanceof ApiError && error.code === 'watch-expired') {
        follower.restart();
        continue;
      }
      if (error instanceof ApiError && error.status !== 503) throw error;
    }
    if (options.signal?.aborted) return;
    if (lostAtMs === null) options.onConnection?.(false);
    lostAtMs ??= performance.now();
    if (await isStopped(source)) return;
    if (performance.now() - lostAtMs > (options.patienceMs ?? defaultPatienceMs)) {
      throw new UnreachableError(source.current.url, new Error('the control plane stayed away'));
    }
    await pause(retryMs, options.signal);
    retryMs = Math.min(longestRetryMs, retryMs * 2);
  }
}

/** Whether the control plane said goodbye: its control file is gone. A killed one leaves it and may come back. */
async function isStopped(source: EndpointSource): Promise<boolean> {
  try {
    await source.refresh();
    return false;
  } catch (error) {
    return error instanceof NotRunningError && error.reason === 'stopped';
  }
}

async function* connectOnce(source: EndpointSource, since: number | null, signal?: AbortSignal): AsyncGenerator {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error('the stream fell silent')), silenceMs);
  try {
    const response = await send(source, 'GET', '/api/v1/watch', {
      query: { since },
      headers: { accept: 'application/x-ndjson' },
      signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
    });
    for await (const line of readLines(response)) {
      timer.refresh();
      yield line;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Keeps the place in the stream, and which workloads exist as far as the reader was told. */
class Follower {
  cursor: number | null;
  #known = new Set<string>();
  /** While the opening list is read: the workloads that are in it. */
  #listed: Set<string> | null = null;

  constructor(since: number | null) {
    this.cursor = since;
  }

  /** A new connection: without a place in the stream it begins with a whole list, whatever the last one had sent. */
  begin(): void {
    this.#listed = this.cursor === null ? new Set() : null;
  }

  /** The server no longer has what came after the cursor. */
  restart(): void {
    this.cursor = null;
  }

  *take(line: unknown): Generator<WatchEvent> {
    const event = line as WatchEvent | Heartbeat;
    if (event.type === 'heartbeat') {
      if (this.#listed) yield* this.#endOfList(this.#listed, event);
      this.cursor = event.sequence;
      return;
    }
    if (event.type === 'status') this.#note(event.status);
    if (event.type === 'deleted') this.#known.delete(event.workload);
    // Within the opening list a place means nothing yet: a break there must bring the whole list again.
    if (!this.#listed) this.cursor = event.sequence;
    yield event;
  }

  #note(status: WorkloadStatus): void {
    const key = keyText(status);
    this.#known.add(key);
    this.#listed?.add(key);
  }

  *#endOfList(listed: Set<string>, { sequence, at }: Heartbeat): Generator<WatchEvent> {
    this.#listed = null;
    for (const workload of this.#known) {
      if (listed.has(workload)) continue;
      this.#known.delete(workload);
      yield { type: 'deleted', workload, sequence, at };
    }
  }
}

function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    signal?.addEventListener('abort', end);
  });
}
