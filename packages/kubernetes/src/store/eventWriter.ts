import type { Clock } from '@ebb/core';
import { isStatus, type KubernetesClient, type NamedObject } from '../client/client.ts';
import { objectName } from '../client/objects.ts';
import { apiVersionOf, type Resource, resources } from '../client/resources.ts';
import type { JsonObject } from '../client/values.ts';
import { notWritten, PacedEntries, type PacedEntry } from './pacedEntries.ts';

export interface EventWriterOptions {
  readonly client: Pick<KubernetesClient, 'create' | 'mergePatch'>;
  readonly clock: Clock;
  /** Who tells: the name of this process. */
  readonly instance: string;
  mayWrite(): boolean;
  /** Between two writes about one object. */
  readonly gapMs?: number;
  log(level: 'warn', message: string, data: Record<string, unknown>): void;
}

/** Whom an event is about. */
export type Regarded = NamedObject & { readonly uid: string };

export interface ToldEvent {
  readonly type: 'Normal' | 'Warning';
  /** In one word, as conditions have them. */
  readonly reason: string;
  /** What was done, in one word. */
  readonly action: string;
  readonly note: string;
}

interface Known {
  readonly name: string;
  readonly atMs: number;
  count: number;
}

interface Entry extends PacedEntry {
  readonly resource: Resource;
  regarded: Regarded;
  /** What there is to tell, by topic: news of one topic replace what was not told yet. */
  readonly topics: Map<string, () => ToldEvent>;
  /** Events that are there, by what they say: the same again is one more of them. */
  readonly known: Map<string, Known>;
}

const reporter = 'ebb.dev/operator';
const longestNote = 1024;
/** An API server forgets events after an hour. */
const keptMs = 50 * 60_000;
const knownEach = 4;

/**
 * Events about objects, as `kubectl describe` shows them: the first at once, then at most one write in ten seconds for each object. They
 * are for people: one that cannot be written is left out.
 */
export class EventWriter {
  readonly #options: EventWriterOptions;
  readonly #entries: PacedEntries<Entry>;
  #serial = 0;

  constructor(options: EventWriterOptions) {
    this.#options = options;
    this.#entries = new PacedEntries(options.clock, options.gapMs ?? 10_000, (entry) => void this.#write(entry));
  }

  /** `make` is asked when it is written. */
  tell(resource: Resource, regarded: Regarded, topic: string, make: () => ToldEvent): void {
    if (this.#entries.isClosed || regarded.uid === '') return;
    const { namespace, name, uid } = regarded;
    const entry = this.#entries.of(resource, regarded, () => ({
      ...{ resource, regarded: { namespace, name, uid }, topics: new Map(), known: new Map() },
      ...notWritten(),
    }));
    if (entry.regarded.uid !== uid) entry.known.clear();
    entry.regarded = { namespace, name, uid };
    entry.topics.set(topic, make);
    this.#entries.plan(entry);
  }

  forget(resource: Resource, at: NamedObject): void {
    this.#entries.forget(resource, at);
  }

  close(): void {
    this.#entries.close();
  }

  async #write(entry: Entry): Promise<void> {
    const { clock, mayWrite, log } = this.#options;
    const [[topic, make] = []] = entry.topics;
    if (topic === undefined || !make) return;
    entry.topics.delete(topic);
    const event = make();
    if (!mayWrite()) return;
    entry.writing = true;
    entry.writtenAtMs = clock.nowMs();
    try {
      await this.#send(entry, event, entry.writtenAtMs);
    } catch (error) {
      if (!this.#entries.isClosed)
        log('warn', 'event not written', { object: objectName(entry.regarded), error: String(error) });
    }
    entry.writing = false;
    if (entry.topics.size > 0) this.#entries.plan(entry);
  }

  async #send({ resource, regarded, known }: Entry, event: ToldEvent, atMs: number): Promise<void> {
    const { client } = this.#options;
    const { namespace, name, uid } = regarded;
    const note = event.note.length > longestNote ? `${event.note.slice(0, longestNote - 1)}…` : event.note;
    const text = JSON.stringify([event.type, event.reason, note]);
    const before = known.get(text);
    if (before && atMs - before.atMs < keptMs) {
      before.count++;
      const series = { count: before.count, lastObservedTime: microTime(atMs) };
      try {
        await client.mergePatch(resources.events, { namespace, name: before.name }, { series });
        return;
      } catch (error) {
        if (!isStatus(error, 404)) throw error;
      }
    }
    const own = `${name.slice(0, 200)}.${atMs.toString(16)}${(this.#serial++).toString(16)}`;
    const body: JsonObject = {
      apiVersion: apiVersionOf(resources.events),
      kind: resources.events.kind,
      metadata: { name: own, namespace },
      eventTime: microTime(atMs),
      reportingController: reporter,
      reportingInstance: this.#options.instance.slice(0, 128) || 'ebb',
      ...{ type: event.type, reason: event.reason, action: event.action, note },
      regarding: { apiVersion: apiVersionOf(resource), kind: resource.kind, namespace, name, uid },
    };
    await client.create(resources.events, { namespace }, body);
    known.delete(text);
    known.set(text, { name: own, atMs, count: 1 });
    for (const old of [...known.keys()].slice(0, Math.max(0, known.size - knownEach))) known.delete(old);
  }
}

/** As the API has times with microseconds. */
function microTime(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 23)}000Z`;
}
