import type { FromGateway, GatewayEvent, GatewayPort, GatewayWorkload, ToGateway } from '@ebb/core';
import { type Connection, connectLink, socketPath } from '@ebb/link';
import type { Log } from './log.ts';

export interface GatewayLinkOptions {
  dataDirectory: string;
  /** Leader's epoch: the gateway closes the connection of an older one. */
  epoch: number;
  log: Log;
}

export interface GatewayState {
  connected: boolean;
  /** Last known; empty before the first connection. */
  url: string;
  pid: number | null;
}

/** The gateway of a data directory, reached over its link and found again whenever it comes back. */
export interface GatewayLink extends GatewayPort {
  state(): GatewayState;
  /** Resolves with the first connection. */
  connected(timeoutMs: number): Promise<void>;
  /**
   * From now on the gateway hears what `configure` and `remove` say. Until then it keeps the routes it has from an
   * earlier control plane: an unfinished picture must not take them away.
   */
  release(): void;
  /** Asks the gateway to end: what is held is refused, what is in flight may finish. False when it is not connected. */
  shutdown(): boolean;
}

const firstRetryMs = 5;
const longestRetryMs = 500;

type Link = Connection<FromGateway, ToGateway>;

/** Begins to connect at once, and goes on until `close`. */
export function connectGateway(options: GatewayLinkOptions): GatewayLink {
  return new LinkedGateway(options);
}

class LinkedGateway implements GatewayLink {
  readonly #options: GatewayLinkOptions;
  readonly #path: string;
  readonly #workloads = new Map<string, GatewayWorkload>();
  readonly #listeners = new Set<(event: GatewayEvent) => void>();
  readonly #waiting = new Set<() => void>();
  #link: Link | null = null;
  #gateway: { name: string; url: string; pid: number } | null = null;
  #released = false;
  #synced = false;
  #closed = false;
  /** It was asked to end. */
  #ending = false;
  #retry: NodeJS.Timeout | null = null;
  #retryMs = firstRetryMs;

  constructor(options: GatewayLinkOptions) {
    this.#options = options;
    this.#path = socketPath(options.dataDirectory, 'gateway');
    void this.#connect();
  }

  state(): GatewayState {
    const connected = this.#isConnected();
    return { connected, url: this.#gateway?.url ?? '', pid: connected ? (this.#gateway?.pid ?? null) : null };
  }

  connected(timeoutMs: number): Promise<void> {
    if (this.#isConnected()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(done);
        reject(new Error(`no gateway answers on ${this.#path} within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiting.add(done);
    });
  }

  release(): void {
    this.#released = true;
    this.#sync();
  }

  configure(workload: GatewayWorkload): void {
    this.#workloads.set(workload.key, workload);
    if (this.#synced) this.#link?.send({ type: 'workload', workload });
  }

  remove(workload: string): void {
    this.#workloads.delete(workload);
    if (this.#synced) this.#link?.send({ type: 'remove', workload });
  }

  /** The listener hears of a connection that is already there. */
  watch(listener: (event: GatewayEvent) => void): () => void {
    this.#listeners.add(listener);
    const event = this.#connectedEvent();
    if (event) queueMicrotask(() => this.#listeners.has(listener) && this.#isConnected() && listener(event));
    return () => this.#listeners.delete(listener);
  }

  shutdown(): boolean {
    this.#ending = true;
    return this.#link?.send({ type: 'shutdown' }) ?? false;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry) clearTimeout(this.#retry);
    this.#listeners.clear();
    this.#link?.end();
    this.#link = null;
  }

  #isConnected(): boolean {
    return this.#link !== null && this.#gateway !== null;
  }

  async #connect(): Promise<void> {
    this.#retry = null;
    let link: Link;
    try {
      link = await connectLink<FromGateway, ToGateway>(this.#path, {
        sender: 'control-plane',
        epoch: this.#options.epoch,
      });
    } catch {
      this.#retryLater();
      return;
    }
    if (this.#closed) {
      link.destroy();
      return;
    }
    this.#link = link;
    link.onMessage = (message) => {
      if (this.#link === link) this.#onMessage(message);
    };
    // A lost message of the gateway's is made good by its next counts; a new sync makes it send them at once.
    link.onGap = () => this.#sync();
    link.onClose = (error) => {
      if (this.#link === link) this.#drop(error?.message ?? 'the gateway closed the connection');
    };
  }

  #onMessage(message: FromGateway): void {
    if (message.type === 'resend') {
      this.#sync();
      return;
    }
    // Asked for by those who share slots between gateways.
    if (message.type === 'applied') return;
    if (message.type !== 'hello') {
      this.#tell(message);
      return;
    }
    this.#retryMs = firstRetryMs;
    this.#gateway = { name: message.gateway, url: message.url, pid: message.pid };
    this.#options.log('info', 'gateway connected', { gateway: message.gateway, url: message.url, pid: message.pid });
    this.#sync();
    const event = this.#connectedEvent();
    if (event) this.#tell(event);
    for (const done of this.#waiting) done();
    this.#waiting.clear();
  }

  /** Everything at once; what is not in it is removed there. */
  #sync(): void {
    if (!this.#released || !this.#isConnected()) return;
    this.#synced = this.#link?.send({ type: 'sync', workloads: [...this.#workloads.values()] }) ?? false;
  }

  #drop(reason: string): void {
    const before = this.#gateway;
    const wasConnected = this.#isConnected();
    this.#link = null;
    this.#synced = false;
    if (wasConnected && before) {
      this.#options.log(this.#ending ? 'debug' : 'warn', 'gateway connection lost', { gateway: before.name, reason });
      this.#tell({ type: 'disconnected', gateway: before.name, message: reason });
    }
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#closed || this.#ending) return;
    this.#retry = setTimeout(() => void this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(longestRetryMs, this.#retryMs * 2);
  }

  #connectedEvent(): GatewayEvent | null {
    const { name, url, pid } = this.#gateway ?? {};
    if (!this.#isConnected() || name === undefined || url === undefined || pid === undefined) return null;
    return { type: 'connected', gateway: name, url, pid };
  }

  #tell(event: GatewayEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
