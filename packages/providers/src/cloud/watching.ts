import type { Clock, NodeEvent, NodeObservation } from '@ebb/core';

type Listener = (event: NodeEvent) => void;

export interface WatchingOptions {
  clock: Clock;
  everyMs: number;
  list(): Promise<NodeObservation[]>;
}

/**
 * Makes a stream of events of a provider that can only be asked: each listener begins with a snapshot, then hears what is
 * different from the answer before. A machine that is listed no more has gone. Asks only while somebody listens, one question
 * at a time.
 */
export class Watching {
  readonly #options: WatchingOptions;
  readonly #listeners = new Map<Listener, { begun: boolean }>();
  #known = new Map<string, NodeObservation>();
  #isAway = false;
  #cancel: (() => void) | null = null;
  #asking = false;
  #askAgain = false;

  constructor(options: WatchingOptions) {
    this.#options = options;
  }

  watch(listener: Listener): () => void {
    // A listener that is given twice is two listeners.
    const own: Listener = (event) => listener(event);
    this.#listeners.set(own, { begun: false });
    this.ask();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.close();
    };
  }

  /** Asks now: something was done that changes the answer. */
  ask(): void {
    if (this.#listeners.size === 0) return;
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#cancel?.();
    this.#cancel = null;
    void this.#round();
  }

  close(): void {
    this.#listeners.clear();
    this.#cancel?.();
    this.#cancel = null;
    this.#known = new Map();
    this.#isAway = false;
  }

  async #round(): Promise<void> {
    this.#asking = true;
    try {
      this.#tell(await this.#options.list());
    } catch (error) {
      this.#tellAway(error instanceof Error ? error.message : String(error));
    } finally {
      this.#asking = false;
    }
    if (this.#listeners.size === 0) return;
    const { clock, everyMs } = this.#options;
    if (this.#askAgain) {
      this.#askAgain = false;
      void this.#round();
    } else this.#cancel = clock.at(clock.nowMs() + everyMs, () => void this.#round());
  }

  #tell(nodes: NodeObservation[]): void {
    const before = this.#known;
    this.#known = new Map(nodes.map((node) => [keyOf(node), node]));
    const isBack = this.#isAway;
    this.#isAway = false;
    const changed = nodes.filter((node) => JSON.stringify(before.get(keyOf(node))) !== JSON.stringify(node));
    const gone = [...before].flatMap(([key, node]) =>
      this.#known.has(key) || node.phase === 'gone'
        ? []
        : [{ ...node, phase: 'gone' as const, message: 'is there no more' }],
    );
    for (const [listener, state] of this.#listeners) {
      if (!state.begun || isBack) {
        state.begun = true;
        listener({ type: 'snapshot', nodes: [...nodes] });
      } else for (const node of [...changed, ...gone]) listener({ type: 'node', node });
    }
  }

  #tellAway(message: string): void {
    if (this.#isAway) return;
    this.#isAway = true;
    for (const listener of this.#listeners.keys()) listener({ type: 'disconnected', message });
  }
}

function keyOf({ id, providerId }: NodeObservation): string {
  return id === null ? `provider ${providerId}` : `id ${id}`;
}
