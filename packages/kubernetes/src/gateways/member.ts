import type { Clock, DispatchCounts, FromGateway, GatewayEvent, ToGateway } from '@ebb/core';
import type { FoundGateway, GatewayConnection, GatewayPlace } from './connection.ts';

export type MemberEvent = Exclude<GatewayEvent, { type: 'connected' } | { type: 'disconnected' } | { type: 'gone' }>;

export interface MemberOptions {
  readonly found: FoundGateway;
  /** It ran before this operator decided: it may have slots that are not known here. */
  readonly wasBefore: boolean;
  readonly clock: Clock;
  connect(place: GatewayPlace): Promise<GatewayConnection>;
  /** It is connected, and has said what it is and has. */
  onHello(): void;
  /** Stamps are on this machine's clock. */
  onEvent(event: MemberEvent): void;
  onApplied(revision: number): void;
  onResend(): void;
  onAway(reason: string): void;
  onTrouble(error: unknown): void;
}

const firstRetryMs = 20;
const longestRetryMs = 2000;
/** Gateways say something every second; one that is silent for so long is connected to anew. */
export const silentMs = 5000;

/** One gateway pod: connected to as long as it is there, over restarts of its process too. */
export class Member {
  readonly name: string;
  readonly #options: MemberOptions;
  #connection: GatewayConnection | null = null;
  #leads = false;
  #hasSaidHello = false;
  /** Start of the process that was heard last; null: none was. */
  #process: number | null = null;
  #url = '';
  /** From its clock to this machine's: the same for all of one process, so that differences stay what they are. */
  #offsetUs: number | null = null;
  #heardAtMs = 0;
  #retryMs = firstRetryMs;
  #cancel: (() => void) | null = null;
  #closed = false;
  isLeaving: boolean;
  /** What it said of itself when it was connected: the requests that it may have by replica, and whether it began anew. */
  slots: Readonly<Record<string, number>> = {};
  isOtherProcess = false;
  /** It was told everything since it connected. */
  isSynced = false;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.name = options.found.name;
    this.isLeaving = options.found.isLeaving;
  }

  start(): void {
    void this.#connect();
  }

  get isHere(): boolean {
    return this.#hasSaidHello;
  }

  get isUnheard(): boolean {
    return this.#options.wasBefore && this.#process === null;
  }

  get process(): number | null {
    return this.#process;
  }

  get url(): string {
    return this.#url;
  }

  send(message: ToGateway): boolean {
    return this.#hasSaidHello && (this.#connection?.send(message) ?? false);
  }

  #toOurUs(atUs: number): number {
    this.#offsetUs ??= this.#options.clock.nowUs() - atUs;
    return atUs + this.#offsetUs;
  }

  close(): void {
    this.#closed = true;
    this.#hasSaidHello = false;
    this.#cancel?.();
    this.#connection?.close();
    this.#connection = null;
  }

  async #connect(): Promise<void> {
    const { connect, found, clock, onTrouble } = this.#options;
    this.#cancel = null;
    let connection: GatewayConnection;
    try {
      connection = await connect(found);
    } catch (error) {
      if (!this.#closed) onTrouble(error);
      this.#retryLater();
      return;
    }
    if (this.#closed) {
      connection.close();
      return;
    }
    this.#connection = connection;
    this.#leads = false;
    this.#heardAtMs = clock.nowMs();
    connection.onMessage = (message, process) => {
      if (this.#connection === connection) this.#take(message, process);
    };
    connection.onClose = (reason) => {
      if (this.#connection === connection) this.#drop(reason);
    };
    this.#watchSilence(connection);
  }

  #take(message: FromGateway, process: number): void {
    const { onHello, onEvent, onApplied, onResend, clock } = this.#options;
    this.#heardAtMs = clock.nowMs();
    switch (message.type) {
      case 'hello': {
        if (!this.#leads) {
          // What it says now may be overtaken by what an earlier operator has sent it: it is asked again as its leader.
          this.#leads = true;
          this.#connection?.send({ type: 'lead' });
          return;
        }
        this.isOtherProcess = this.#process !== process;
        if (this.isOtherProcess) this.#offsetUs = null;
        this.slots = message.slots ?? {};
        this.#process = process;
        this.#url = message.url;
        this.#hasSaidHello = true;
        this.isSynced = false;
        this.#retryMs = firstRetryMs;
        onHello();
        return;
      }
      case 'applied':
        onApplied(message.revision);
        return;
      case 'resend':
        onResend();
        return;
      default:
        onEvent(this.#onOurClock(message));
    }
  }

  /** The pod's name is the gateway's, and its stamps are ours: clocks of other machines say nothing here. */
  #onOurClock(message: MemberEvent): MemberEvent {
    const gateway = this.name;
    switch (message.type) {
      case 'counts':
        return {
          ...message,
          gateway,
          atUs: this.#toOurUs(message.atUs),
          counts: message.counts.map((counts) => this.#countsOnOurClock(counts)),
        };
      case 'wake':
        return { ...message, gateway, heldAtUs: this.#toOurUs(message.heldAtUs) };
      case 'routed':
        return { ...message, gateway, atUs: this.#toOurUs(message.atUs) };
      default:
        return { ...message, gateway };
    }
  }

  #countsOnOurClock(counts: DispatchCounts): DispatchCounts {
    const moved = (atUs: number | null) => (atUs === null ? null : this.#toOurUs(atUs));
    const classes: DispatchCounts['classes'] = {};
    for (const [name, one] of Object.entries(counts.classes)) {
      classes[name] = one.oldestHeldUs === undefined ? one : { ...one, oldestHeldUs: this.#toOurUs(one.oldestHeldUs) };
    }
    return {
      ...counts,
      classes,
      oldestHeldUs: moved(counts.oldestHeldUs),
      lastActiveUs: moved(counts.lastActiveUs),
      ...(counts.deferred ? { deferred: { ...counts.deferred, oldestUs: moved(counts.deferred.oldestUs) } } : {}),
    };
  }

  /** A machine that is lost closes no connection. */
  #watchSilence(connection: GatewayConnection): void {
    const { clock } = this.#options;
    clock.at(this.#heardAtMs + silentMs + 1, () => {
      if (this.#closed || this.#connection !== connection) return;
      if (clock.nowMs() - this.#heardAtMs <= silentMs) {
        this.#watchSilence(connection);
        return;
      }
      connection.close();
      this.#drop(`nothing was heard of it for ${silentMs} ms`);
    });
  }

  #drop(reason: string): void {
    const wasHere = this.#hasSaidHello;
    this.#connection = null;
    this.#hasSaidHello = false;
    if (this.#closed) return;
    if (wasHere) this.#options.onAway(reason);
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#closed) return;
    const { clock } = this.#options;
    this.#cancel = clock.at(clock.nowMs() + this.#retryMs, () => void this.#connect());
    this.#retryMs = Math.min(longestRetryMs, this.#retryMs * 2);
  }
}
