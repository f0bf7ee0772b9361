import type { Clock } from '@ebb/core';
import { isStatus, type KubernetesClient, type NamedObject } from '../client/client.ts';
import { type KubernetesObject, objectName } from '../client/objects.ts';
import type { Resource } from '../client/resources.ts';
import type { JsonObject } from '../client/values.ts';
import type { Regarded } from './eventWriter.ts';

export interface StatusWriterOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  mayWrite(): boolean;
  /** Between two writes of one object. */
  readonly gapMs?: number;
  /** A status was written in the place of another one; null: there was none. */
  applied?(resource: Resource, object: Regarded, before: unknown, after: JsonObject): void;
  log(level: 'warn', message: string, data: Record<string, unknown>): void;
}

/** Whose status is written, and what it was found with. */
export type StatusObject = Pick<KubernetesObject, 'namespace' | 'name' | 'uid' | 'body'>;

interface Entry {
  readonly resource: Resource;
  at: Regarded;
  make: () => JsonObject | null;
  /** What the server has, as text. */
  written: string;
  /** The same as it was found or written. */
  before: unknown;
  writtenAtMs: number;
  cancel: (() => void) | null;
  writing: boolean;
}

/** Thousands may be due at once when an operator begins: counts go before them, and so do connections of others. */
const writesAtOnce = 8;

/**
 * Writes the statuses of objects by server-side apply: the first change at once, further ones together, at most one
 * write in ten seconds for each object, and none where nothing has changed.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions & { readonly gapMs: number };
  readonly #entries = new Map<string, Entry>();
  readonly #due: Entry[] = [];
  #writing = 0;
  #closed = false;

  constructor(options: StatusWriterOptions) {
    this.#options = { gapMs: 10_000, ...options };
  }

  /** The status may be another one by now. `make` is asked when it is written; null: there is nothing to say. */
  changed(resource: Resource, object: StatusObject, make: () => JsonObject | null): void {
    if (this.#closed) return;
    const id = `${resource.plural} ${objectName(object)}`;
    const { namespace, name, uid } = object;
    const at = { namespace, name, uid };
    const entry: Entry = this.#entries.get(id) ?? {
      resource,
      at,
      make,
      written: '',
      before: object.body.status ?? null,
      writtenAtMs: Number.NEGATIVE_INFINITY,
      cancel: null,
      writing: false,
    };
    entry.make = make;
    entry.at = at;
    this.#entries.set(id, entry);
    this.#plan(entry);
  }

  forget(resource: Resource, at: NamedObject): void {
    const id = `${resource.plural} ${objectName(at)}`;
    this.#entries.get(id)?.cancel?.();
    this.#entries.delete(id);
  }

  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#entries.values()) cancel?.();
    this.#entries.clear();
  }

  #plan(entry: Entry): void {
    if (entry.cancel || entry.writing || this.#closed) return;
    const { clock, gapMs } = this.#options;
    const dueMs = Math.max(clock.nowMs(), entry.writtenAtMs + gapMs);
    entry.cancel = clock.at(dueMs, () => {
      entry.cancel = null;
      entry.writing = true;
      this.#due.push(entry);
      if (this.#writing < writesAtOnce) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#writing++;
    for (let entry = this.#due.shift(); entry && !this.#closed; entry = this.#due.shift()) await this.#write(entry);
    this.#writing--;
  }

  async #write(entry: Entry): Promise<void> {
    const { client, clock, mayWrite, log } = this.#options;
    const status = entry.make();
    const text = JSON.stringify(status);
    if (status === null || text === entry.written || !mayWrite()) {
      entry.writing = false;
      return;
    }
    entry.writtenAtMs = clock.nowMs();
    let again = false;
    try {
      await client.apply(entry.resource, entry.at, { status }, 'status');
      entry.written = text;
      this.#options.applied?.(entry.resource, entry.at, entry.before, status);
      entry.before = status;
      again = JSON.stringify(entry.make()) !== text;
    } catch (error) {
      // 404: it is gone, or its kind has no status.
      again = !isStatus(error, 404);
      if (!this.#closed) log('warn', 'status not written', { object: objectName(entry.at), error: String(error) });
    }
    entry.writing = false;
    if (again) this.#plan(entry);
  }
}
