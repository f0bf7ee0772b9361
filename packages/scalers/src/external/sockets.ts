import type { Socket } from 'node:net';
import type { ChannelCredentials } from '@grpc/grpc-js';

/**
 * The sockets below a gRPC client. It neither gives up one on which the other side accepted and never spoke, nor notices
 * one that went dead, nor closes the first kind when it is closed itself: here they can be ended.
 */
export class Sockets {
  readonly #open = new Set<Socket>();

  /** The same credentials, whose sockets are known here. */
  watched(credentials: ChannelCredentials): ChannelCredentials {
    const create = credentials._createSecureConnector.bind(credentials);
    const known: ChannelCredentials = Object.create(credentials);
    known._createSecureConnector = (target, options, callCredentials) => {
      const connector = create(target, options, callCredentials);
      const connect = connector.connect.bind(connector);
      connector.connect = (socket) => {
        this.#open.add(socket);
        socket.once('close', () => this.#open.delete(socket));
        return connect(socket);
      };
      return connector;
    };
    return known;
  }

  /** Bytes that came in on what is open: a number to compare, which grows while the other side is alive. */
  heard(): number {
    return [...this.#open].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  }

  end(): void {
    for (const socket of this.#open) socket.destroy();
  }
}
