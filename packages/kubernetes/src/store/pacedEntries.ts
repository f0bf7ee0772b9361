import type { Clock } from '@ebb/core';
import type { NamedObject } from '../client/client.ts';
import { objectName } from '../client/objects.ts';
import type { Resource } from '../client/resources.ts';

/** What is written about one object, and when it last was. */
export interface PacedEntry {
  /** When it was last written; before that, long ago. */
  writtenAtMs: number;
  writing: boolean;
  cancel: (() => void) | null;
}

export const notWritten = (): PacedEntry => ({
  writtenAtMs: Number.NEGATIVE_INFINITY,
  writing: false,
  cancel: null,
});

/** Entries of objects that are each due at once, and then no sooner than a time after their last write. */
export class PacedEntries<Entry extends PacedEntry> {
  readonly #clock: Clock;
  readonly #gapMs: number;
  readonly #due: (entry: Entry) => void;
  readonly #entries = new Map<string, Entry>();
  #closed = false;

  constructor(clock: Clock, gapMs: number, due: (entry: Entry) => void) {
    this.#clock = clock;
    this.#gapMs = gapMs;
    this.#due = due;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** That of an object, made where there is none. */
  of(resource: Resource, at: NamedObject, make: () => Entry): Entry {
    const id = idOf(resource, at);
    const entry = this.#entries.get(id) ?? make();
    this.#entries.set(id, entry);
    return entry;
  }

  /** It has something to write. */
  plan(entry: Entry): void {
    if (entry.cancel || entry.writing || this.#closed) return;
    entry.cancel = this.#clock.at(Math.max(this.#clock.nowMs(), entry.writtenAtMs + this.#gapMs), () => {
      entry.cancel = null;
      this.#due(entry);
    });
  }

  forget(resource: Resource, at: NamedObject): void {
    const id = idOf(resource, at);
    this.#entries.get(id)?.cancel?.();
    this.#entries.delete(id);
  }

  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#entries.values()) cancel?.();
    this.#entries.clear();
  }
}

function idOf({ plural }: Resource, at: NamedObject): string {
  return `${plural} ${objectName(at)}`;
}
