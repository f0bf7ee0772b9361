import { type Clock, type StateStore, StoreError } from '@ebb/core';

const prefix = 'kubernetes/pods/';
const saveAfterMs = 1000;
/** After a store that did not take it. */
const retryAfterMs = 5000;

/**
 * Which replica each pod is, kept beside the ledger: after a restart the same pods are the same replicas, and nothing is
 * paid for twice. Where it is lost, so is that ledger, and replicas have the names of their pods.
 */
export class PodBindings {
  readonly #clock: Clock;
  readonly #state: Pick<StateStore, 'save' | 'load' | 'names'>;
  readonly #epoch: number;
  readonly #log: (message: string, data: Record<string, unknown>) => void;
  readonly #known = new Map<string, string>();
  readonly #due = new Map<string, { cancel: () => void; read: () => Record<string, string> }>();
  #isEnding = false;

  constructor(
    clock: Clock,
    state: Pick<StateStore, 'save' | 'load' | 'names'>,
    epoch: number,
    log: (message: string, data: Record<string, unknown>) => void,
  ) {
    this.#clock = clock;
    this.#state = state;
    this.#epoch = epoch;
    this.#log = log;
  }

  async load(): Promise<void> {
    for (const name of await this.#state.names(prefix)) {
      const saved = await this.#state.load(name);
      if (typeof saved !== 'object' || saved === null) continue;
      for (const [uid, id] of Object.entries(saved)) if (typeof id === 'string') this.#known.set(uid, id);
    }
  }

  idOf(uid: string): string | null {
    return this.#known.get(uid) ?? null;
  }

  /** Saved a little later, many changes at once. */
  changed(workload: string, read: () => Record<string, string>): void {
    this.#schedule(workload, read, saveAfterMs);
  }

  #schedule(workload: string, read: () => Record<string, string>, delayMs: number): void {
    if (this.#due.has(workload)) return;
    const cancel = this.#clock.at(this.#clock.nowMs() + delayMs, () => void this.#save(workload));
    this.#due.set(workload, { cancel, read });
  }

  /** Saves what is due, once and for all. */
  async flush(): Promise<void> {
    this.#isEnding = true;
    await Promise.all([...this.#due.keys()].map((workload) => this.#save(workload)));
  }

  async #save(workload: string): Promise<void> {
    const due = this.#due.get(workload);
    if (!due) return;
    due.cancel();
    this.#due.delete(workload);
    try {
      await this.#state.save(prefix + workload, due.read(), this.#epoch);
    } catch (error) {
      this.#log('which pod is which replica was not saved', { workload, error: String(error) });
      if (this.#isEnding || (error instanceof StoreError && error.code === 'stale-epoch')) return;
      this.#schedule(workload, due.read, retryAfterMs);
    }
  }
}
