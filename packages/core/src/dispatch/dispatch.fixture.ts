import { createDispatcher } from './dispatcher.ts';
import type { DispatchEndpoint, DispatchEvent, Dispatcher, DispatchRequest, DispatchWorkload } from './types.ts';

/** The workload of the tests. */
export const chat = 'local/default/chat';

type Overrides = Partial<Omit<DispatchWorkload, 'serving'>> & {
  holdMs?: number;
  buffer?: Partial<DispatchWorkload['serving']['buffer']>;
  balancing?: DispatchWorkload['serving']['balancing'];
  affinity?: DispatchWorkload['serving']['affinity'];
  deferrable?: DispatchWorkload['serving']['deferrable'];
};

/** A workload with one class that accepts everything, unless it is said otherwise. */
export function workloadOf({
  holdMs,
  buffer,
  balancing,
  affinity,
  deferrable,
  ...overrides
}: Overrides = {}): DispatchWorkload {
  return {
    key: chat,
    classes: [{ name: 'default', accepts: null }],
    unavailable: null,
    serving: {
      timeouts: { holdMs: holdMs ?? 60_000, responseMs: 300_000, requestMs: 0, idleMs: 0 },
      buffer: { maxRequests: 1000, maxBodyBytes: 10_000, maxTotalBytes: 100_000, ...buffer },
      balancing: balancing ?? 'leastConnections',
      affinity: affinity ?? null,
      deferrable: deferrable ?? null,
    },
    ...overrides,
  };
}

export function requestOf(id: number, overrides: Partial<DispatchRequest> = {}): DispatchRequest {
  return {
    id,
    workload: chat,
    bodyBytes: 0,
    maxTokens: null,
    model: null,
    headers: {},
    deadlineUs: null,
    bufferedBytes: 0,
    affinityKey: null,
    ...overrides,
  };
}

/** `a` one slot, `a:3` three, `a:0` no limit, `a:1/large` of the class large, `a!` draining, `a!7` in drain 7. */
export function endpointOf(text: string): DispatchEndpoint {
  const match = /^(\w+)(?::(\d+))?(?:\/(\w+))?(?:(!)(\d+)?)?$/.exec(text);
  if (!match?.[1]) throw new Error(`not an endpoint: ${text}`);
  return {
    replica: match[1],
    slots: Number(match[2] ?? 1),
    class: match[3] ?? 'default',
    draining: match[4] === '!',
    ...(match[5] === undefined ? {} : { drain: Number(match[5]) }),
  };
}

/** `1 → a`, `2 held at 1: no-replica`, `3 refused: queue-full`, `a drained`. */
export function eventText(event: DispatchEvent): string {
  switch (event.type) {
    case 'assigned':
      return `${event.id} → ${event.replica}`;
    case 'held':
      return `${event.id} held at ${event.position}: ${event.reason}`;
    case 'deferred':
      return `${event.id} deferred at ${event.position}`;
    case 'refused':
      return `${event.id} refused: ${event.refusal.code}`;
    case 'drained':
      return `${event.replica} drained${event.drain === undefined ? '' : ` ${event.drain}`}`;
  }
}

/** A dispatcher with one workload, told of things in short and answering in short. */
export class Desk {
  readonly dispatcher: Dispatcher;
  /** Microseconds; the tests set it. */
  nowUs = 0;

  constructor(overrides: Overrides = {}, seed = 1) {
    this.dispatcher = createDispatcher(seed);
    this.configure(overrides);
  }

  configure(overrides: Overrides = {}): string[] {
    return this.dispatcher.configure(this.nowUs, workloadOf(overrides)).map(eventText);
  }

  endpoints(...texts: string[]): string[] {
    return this.dispatcher.setEndpoints(this.nowUs, chat, texts.map(endpointOf)).map(eventText);
  }

  arrive(id: number, overrides: Partial<DispatchRequest> = {}): string[] {
    return this.dispatcher.arrive(this.nowUs, requestOf(id, overrides)).map(eventText);
  }

  complete(id: number, outcome: 'succeeded' | 'failed' | 'cancelled' = 'succeeded'): string[] {
    return this.dispatcher.complete(this.nowUs, id, outcome).map(eventText);
  }

  retry(id: number): string[] {
    return this.dispatcher.retry(this.nowUs, id).map(eventText);
  }

  cancel(id: number): string[] {
    return this.dispatcher.cancel(this.nowUs, id).map(eventText);
  }

  tick(): string[] {
    return this.dispatcher.tick(this.nowUs).map(eventText);
  }

  remove(): string[] {
    return this.dispatcher.remove(this.nowUs, chat).map(eventText);
  }

  counts() {
    const counts = this.dispatcher.counts(this.nowUs, chat);
    if (!counts) throw new Error(`${chat} is not known`);
    return counts;
  }
}
