import type { Reading, TriggerRequest, TriggerSet } from '@ebb/core';
import type { TriggerStatus } from '@ebb/documents';
import { messageOf } from './replicaActions.ts';
import type { EnginePorts } from './types.ts';

/** A source that cannot even be opened is tried again after this. */
const reopenMs = 10_000;

export interface TriggerReadingsOptions {
  ports: EnginePorts;
  request: TriggerRequest;
  /** Follow what the sources tell, or ask only when told to. */
  watched: boolean;
  /** New readings are there. */
  onNews(): void;
}

/** The newest reading of each trigger of one document. Of cpu and memory triggers only what is noted. */
export class TriggerReadings {
  readonly #options: TriggerReadingsOptions;
  readonly #latest = new Map<string, Reading>();
  readonly #fresh = new Set<string>();
  readonly #external: readonly { name: string; type: string }[];
  #set: TriggerSet | null = null;
  #unwatch: (() => void) | null = null;
  #cancel: (() => void) | null = null;
  #reading = false;
  #readAtMs: number | null = null;
  #asked = 0;
  #answered = 0;
  #closed = false;

  constructor(options: TriggerReadingsOptions) {
    this.#options = options;
    this.#external = options.request.triggers.filter(({ type }) => type !== 'cpu' && type !== 'memory');
    this.#open();
  }

  /** Targets that the document says, by trigger name. */
  get targets(): TriggerSet['targets'] {
    return this.#set?.targets ?? {};
  }

  /** By trigger name. */
  get latest(): ReadonlyMap<string, Reading> {
    return this.#latest;
  }

  /** The answer to the last question is not there yet. */
  get isReading(): boolean {
    return this.#reading;
  }

  /** Every trigger has said something. */
  get isComplete(): boolean {
    return this.#external.every(({ name }) => this.#latest.has(name));
  }

  /** When the sources were last asked all together; null: never. */
  get readAtMs(): number | null {
    return this.#readAtMs;
  }

  /** How many questions have been asked of all sources together. */
  get asked(): number {
    return this.#asked;
  }

  /** Of these, the latest that was answered; 0: none was. What a source tells by itself may be as old as an earlier question. */
  get answered(): number {
    return this.#answered;
  }

  /** Names with a reading that is new since this was last called. */
  takeFresh(): string[] {
    const fresh = [...this.#fresh];
    this.#fresh.clear();
    return fresh;
  }

  get hasResources(): boolean {
    return this.#external.length < this.#options.request.triggers.length;
  }

  /** Whether a trigger is cpu or memory: no source is asked for it, and its reading is for people alone. */
  isResource(name: string): boolean {
    return !this.#external.some((one) => one.name === name);
  }

  /** What a cpu or memory trigger says by what was measured of the replicas. */
  note(reading: Reading): void {
    if (!this.#closed) this.#latest.set(reading.trigger, reading);
  }

  /** Asks all sources once; `onNews` follows. Does nothing while an answer is on its way. */
  ask(): void {
    if (this.#reading || this.#closed) return;
    const { clock } = this.#options.ports;
    const askedMs = clock.nowMs();
    this.#asked++;
    if (this.#external.length === 0 || !this.#set) {
      this.#readAtMs = askedMs;
      this.#answered = this.#asked;
      return;
    }
    this.#reading = true;
    this.#set.read(askedMs).then(
      (readings) => this.#takeAnswer(askedMs, readings),
      (error: unknown) => this.#takeAnswer(askedMs, this.#allFailed(messageOf(error))),
    );
  }

  /** As people see them. */
  status(): TriggerStatus[] {
    return this.#options.request.triggers.map(({ name, type }) => {
      const reading = this.#latest.get(name);
      const target = reading?.target ?? this.targets[name]?.target ?? null;
      const base = { name, type, target };
      if (!reading) return { ...base, state: 'unread', value: null, active: null, at: null, message: '' };
      const { state, value, atMs, message = '' } = reading;
      const active = value === null ? null : (reading.active ?? value > (this.targets[name]?.activationTarget ?? 0));
      return { ...base, state, value, active, at: atMs, message };
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#leave();
  }

  #leave(): void {
    this.#unwatch?.();
    this.#unwatch = null;
    const closing = this.#set;
    this.#set = null;
    const { ports, request } = this.#options;
    closing?.close().catch((error: unknown) => {
      ports.log('warn', 'triggers not closed', { kind: request.kind, error: messageOf(error) });
    });
  }

  #open(): void {
    const { ports, request, watched } = this.#options;
    try {
      this.#set = ports.triggers.open(request);
    } catch (error) {
      const failed = this.#allFailed(messageOf(error));
      // Told after the turn: whoever makes this object does not have it yet.
      void Promise.resolve().then(() => this.#takeAnswer(ports.clock.nowMs(), failed));
      this.#cancel = ports.clock.at(ports.clock.nowMs() + reopenMs, () => this.#open());
      return;
    }
    if (!watched || this.#external.length === 0) return;
    this.#unwatch = this.#set.watch((readings) => {
      if (this.#closed) return;
      if (!readings) this.ask();
      else if (readings.length > 0) this.#take(readings);
    });
  }

  #takeAnswer(askedMs: number, readings: readonly Reading[]): void {
    this.#reading = false;
    this.#answered = this.#asked;
    if (this.#closed) return;
    this.#readAtMs = askedMs;
    this.#take(readings);
  }

  #take(readings: readonly Reading[]): void {
    const nowMs = this.#options.ports.clock.nowMs();
    for (const reading of readings) {
      // A source's clock may be ahead; what it says is known now.
      this.#latest.set(reading.trigger, reading.atMs > nowMs ? { ...reading, atMs: nowMs } : reading);
      this.#fresh.add(reading.trigger);
    }
    this.#options.onNews();
  }

  #allFailed(message: string): Reading[] {
    const atMs = this.#options.ports.clock.nowMs();
    return this.#external.map(({ name }) => ({
      trigger: name,
      class: null,
      value: null,
      peak: null,
      spanMs: 0,
      atMs,
      state: 'error',
      message,
    }));
  }
}
