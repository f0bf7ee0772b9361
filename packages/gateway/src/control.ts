import type { FromGateway, ToGateway } from '@ebb/core';
import type { Connection, ConnectionIdentity, LinkServer } from '@ebb/link';
import type { Gateway } from './gateway.ts';
import { limits } from './limits.ts';

/** Opens the link that a control plane connects to. */
export type ListenForControl = (
  identity: ConnectionIdentity,
  onConnection: (connection: Connection<ToGateway, FromGateway>) => void,
) => Promise<LinkServer>;

export interface ControlOptions {
  listen: ListenForControl;
  gatewayName: string;
  /** Start of this process, wall milliseconds. */
  epoch: number;
  url: string;
  gateway: Gateway;
  onShutdown: () => void;
  onError: (message: string, error: unknown) => void;
  onConnected: (connected: boolean) => void;
  /** Everything was said at once, and is in force. */
  onConfigured?: () => void;
}

/**
 * The gateway's side of the link. The control plane may come and go; the newest leader's connection is the one that
 * counts, and one of an older epoch is closed.
 */
export class Control {
  readonly #options: ControlOptions;
  #current: Connection<ToGateway, FromGateway> | null = null;
  #leaderEpoch = 0;
  #server: LinkServer | null = null;

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  async listen(): Promise<void> {
    const { listen, gatewayName, epoch } = this.#options;
    this.#server = await listen({ sender: gatewayName, epoch }, (connection) => this.#accept(connection));
  }

  /** False while no control plane is there. */
  send(message: FromGateway): boolean {
    const connection = this.#current;
    if (!connection) return false;
    if (connection.backlogBytes > limits.linkBacklogBytes) {
      // It will come back and get the whole state; what it did not read is of no use by then.
      connection.destroy();
      return false;
    }
    return connection.send(message);
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  #accept(connection: Connection<ToGateway, FromGateway>): void {
    this.#sayHello(connection);
    connection.onGap = () => connection.send({ type: 'resend' });
    connection.onClose = () => {
      if (this.#current !== connection) return;
      this.#current = null;
      this.#options.onConnected(false);
    };
    connection.onMessage = (message, envelope) => {
      if (envelope.epoch < this.#leaderEpoch) {
        connection.destroy();
        return;
      }
      this.#leaderEpoch = envelope.epoch;
      if (this.#current !== connection) {
        // Only who takes the lead, or says everything, is listened to.
        if (message.type !== 'sync' && message.type !== 'shutdown' && message.type !== 'lead') {
          connection.send({ type: 'resend' });
          return;
        }
        const before = this.#current;
        this.#current = connection;
        before?.destroy();
        this.#options.onConnected(true);
      }
      if (message.type === 'lead') this.#sayHello(connection);
      else this.#take(message);
    };
  }

  #sayHello(connection: Connection<ToGateway, FromGateway>): void {
    const { gatewayName, url, gateway } = this.#options;
    connection.send({ type: 'hello', gateway: gatewayName, url, pid: process.pid, slots: gateway.slots() });
  }

  #take(message: Exclude<ToGateway, { type: 'lead' }>): void {
    const { gateway, onShutdown, onError } = this.#options;
    try {
      switch (message.type) {
        case 'sync':
          gateway.sync(message.workloads);
          this.#applied(message.revision);
          this.#options.onConfigured?.();
          return;
        case 'workload':
          gateway.configure(message.workload);
          this.#applied(message.revision);
          return;
        case 'remove':
          gateway.remove(message.workload);
          return;
        case 'shutdown':
          onShutdown();
          return;
        default:
          onError('unknown message', message);
      }
    } catch (error) {
      onError(`message "${message.type}" failed`, error);
    }
  }

  #applied(revision: number | undefined): void {
    if (revision === undefined) return;
    // Who asks shares slots by what is in flight now.
    this.#options.gateway.reportNow();
    this.send({ type: 'applied', revision });
  }
}
