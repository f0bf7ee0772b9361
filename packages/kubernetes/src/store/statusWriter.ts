import type { Clock } from '@ebb/core';
import { isStatus, type KubernetesClient, type NamedObject } from '../client/client.ts';
import { type KubernetesObject, objectName } from '../client/objects.ts';
import type { Resource } from '../client/resources.ts';
import type { JsonObject } from '../client/values.ts';
import type { Regarded } from './eventWriter.ts';
import { notWritten, PacedEntries, type PacedEntry } from './pacedEntries.ts';

export interface StatusWriterOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  mayWrite(): boolean;
  /** Between two writes of one object. */
  readonly gapMs?: number;
  /** A status was written in the place of another one; null: there was none. */
  applied?(resource: Resource, object: Regarded, before: unknown, after: JsonObject): void;
  /** Nothing is said of an object any more. */
  forgotten?(resource: Resource, at: NamedObject): void;
  log(level: 'warn', message: string, data: Record<string, unknown>): void;
}

/** Whose status is written, and what it was found with. */
export type StatusObject = Pick<KubernetesObject, 'namespace' | 'name' | 'uid' | 'body'>;

interface Entry extends PacedEntry {
  readonly resource: Resource;
  at: Regarded;
  make: () => JsonObject | null;
  /** What the server has, as text. */
  written: string;
  /** What was found there, until there is something of ours. */
  found: unknown;
}

/** Thousands may be due at once when an operator begins: counts go before them, and so do connections of others. */
const writesAtOnce = 8;

/**
 * Writes the statuses of objects by server-side apply: the first change at once, further ones together, at most one
 * write in ten seconds for each object, and none where nothing has changed.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #entries: PacedEntries<Entry>;
  readonly #due: Entry[] = [];
  #writing = 0;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#entries = new PacedEntries(options.clock, options.gapMs ?? 10_000, (entry) => this.#isDue(entry));
  }

  /** The status may be another one by now. `make` is asked when it is written; null: there is nothing to say. */
  changed(resource: Resource, object: StatusObject, make: () => JsonObject | null): void {
    if (this.#entries.isClosed) return;
    const { namespace, name, uid, body } = object;
    const at = { namespace, name, uid };
    const entry = this.#entries.of(resource, at, () => ({
      ...{ resource, at, make, written: '', found: body.status ?? null },
      ...notWritten(),
    }));
    entry.make = make;
    entry.at = at;
    this.#entries.plan(entry);
  }

  forget(resource: Resource, at: NamedObject): void {
    this.#entries.forget(resource, at);
    this.#options.forgotten?.(resource, at);
  }

  close(): void {
    this.#entries.close();
  }

  #isDue(entry: Entry): void {
    entry.writing = true;
    this.#due.push(entry);
    if (this.#writing < writesAtOnce) void this.#work();
  }

  async #work(): Promise<void> {
    this.#writing++;
    for (let entry = this.#due.shift(); entry && !this.#entries.isClosed; entry = this.#due.shift())
      await this.#write(entry);
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
      const before: unknown = entry.written === '' ? entry.found : JSON.parse(entry.written);
      entry.written = text;
      entry.found = null;
      this.#options.applied?.(entry.resource, entry.at, before, status);
      again = JSON.stringify(entry.make()) !== text;
    } catch (error) {
      // 404: it is gone, or its kind has no status.
      again = !isStatus(error, 404);
      if (!this.#entries.isClosed)
        log('warn', 'status not written', { object: objectName(entry.at), error: String(error) });
    }
    entry.writing = false;
    if (again) this.#entries.plan(entry);
  }
}
