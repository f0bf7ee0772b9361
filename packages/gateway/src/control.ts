import type { FromGateway, ToGateway } from '@ebb/core';
import { type Connection, type LinkServer, listenLink } from '@ebb/link';
import type { Gateway } from './gateway.ts';
import { limits } from './limits.ts';

export interface ControlOptions {
  path: string;
  gatewayName: string;
  /** Start of this process, wall milliseconds. */
  epoch: number;
  url: string;
  gateway: Gateway;
  onShutdown: () => void;
  onError: (message: string, error: unknown) => void;
  onConnected: (connected: boolean) => void;
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
    const { path, gatewayName, epoch } = this.#options;
    this.#server = await listenLink<ToGateway, FromGateway>(path, { sender: gatewayName, epoch }, (connection) =>
      this.#accept(connection),
    );
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
    const { gatewayName, url } = this.#options;
    connection.send({ type: 'hello', gateway: gatewayName, url, pid: process.pid });
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
        // Only a full state makes a connection the current one.
        if (message.type !== 'sync' && message.type !== 'shutdown') {
          connection.send({ type: 'resend' });
          return;
        }
        const before = this.#current;
        this.#current = connection;
        before?.destroy();
        this.#options.onConnected(true);
      }
      this.#take(message);
    };
  }

  #take(message: ToGateway): void {
    const { gateway, onShutdown, onError } = this.#options;
    try {
      switch (message.type) {
        case 'sync':
          gateway.sync(message.workloads);
          return;
        case 'workload':
          gateway.configure(message.workload);
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
}
