import type { Clock, Reading, TriggerPort, TriggerRequest, TriggerSet } from '@ebb/core';

/** What a virtual source says: a number, an answer in full, or why it does not. */
export type VirtualAnswer = number | { value: number; active?: boolean; target?: number } | { error: string };

/**
 * Triggers whose sources the test is. Each is known by the trigger's name; its target is `metadata.target`, its
 * activation value `metadata.activationTarget`. A type `unknown-…` is one that is not available.
 */
export class VirtualTriggers implements TriggerPort {
  readonly #clock: Clock;
  readonly #answers = new Map<string, VirtualAnswer>();
  readonly #watchers = new Set<{ names: string[]; tell(readings: Reading[]): void }>();
  /** Every request that was opened, with those that are closed. */
  readonly opened: { request: TriggerRequest; closed: boolean }[] = [];
  /** Reads of all sources of one document. */
  reads = 0;
  /** How long an answer takes. */
  delayMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets what a source says from now on; whoever watches it is told. */
  set(name: string, answer: VirtualAnswer): void {
    this.#answers.set(name, answer);
    for (const { names, tell } of [...this.#watchers]) if (names.includes(name)) tell([this.#reading(name)]);
  }

  get(name: string): VirtualAnswer {
    return this.#answers.get(name) ?? 0;
  }

  open(request: TriggerRequest): TriggerSet {
    const external = request.triggers.filter(({ type }) => type !== 'cpu' && type !== 'memory');
    const unsupported = external.filter(({ type }) => type.startsWith('unknown-')).map(({ name }) => name);
    const names = external.map(({ name }) => name);
    const noted = { request, closed: false };
    this.opened.push(noted);
    const readings = () => names.map((name) => this.#reading(name, unsupported.includes(name)));
    const targets = Object.fromEntries(
      external
        .filter(({ metadata }) => metadata.target !== undefined)
        .map(({ name, metadata }) => [
          name,
          { target: Number(metadata.target), activationTarget: Number(metadata.activationTarget ?? 0) },
        ]),
    );
    const watchers = new Set<{ names: string[]; tell(readings: Reading[]): void }>();
    return {
      targets,
      unsupported,
      read: async () => {
        this.reads++;
        if (this.delayMs > 0) {
          await new Promise<void>((resolve) => this.#clock.at(this.#clock.nowMs() + this.delayMs, resolve));
        }
        return readings();
      },
      watch: (listener) => {
        const watcher = { names: names.filter((name) => !unsupported.includes(name)), tell: listener };
        this.#watchers.add(watcher);
        watchers.add(watcher);
        void Promise.resolve().then(() => {
          if (this.#watchers.has(watcher)) listener(readings());
        });
        return () => this.#watchers.delete(watcher);
      },
      close: async () => {
        noted.closed = true;
        for (const watcher of watchers) this.#watchers.delete(watcher);
      },
    };
  }

  #reading(name: string, isMissing = false): Reading {
    const base = { trigger: name, class: null, peak: null, spanMs: 0, atMs: this.#clock.nowMs() };
    if (isMissing) return { ...base, value: null, state: 'missing', message: 'not available' };
    const answer = this.get(name);
    if (typeof answer === 'number') return { ...base, value: answer, state: 'ok' };
    if ('error' in answer) return { ...base, value: null, state: 'error', message: answer.error };
    return { ...base, ...answer, state: 'ok' };
  }
}
