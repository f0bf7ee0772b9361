import { chmodSync, rmSync } from 'node:fs';
import { createServer, connect, type Server } from 'node:net';
import { Connection, type ConnectionIdentity } from './connection.ts';

export interface LinkServer {
  close(): Promise<void>;
}

export class SocketInUseError extends Error {
  constructor(path: string) {
    super(`another process already listens on ${path}`);
  }
}

/** Listens on a Unix socket that only the owner may open. A stale socket file is replaced, a live one is refused. */
export async function listenLink<In, Out>(
  path: string,
  identity: ConnectionIdentity,
  onConnection: (connection: Connection<In, Out>) => void,
): Promise<LinkServer> {
  if (await isAlive(path)) throw new SocketInUseError(path);
  rmSync(path, { force: true });
  const connections = new Set<Connection<In, Out>>();
  const server: Server = createServer((socket) => {
    const connection = new Connection<In, Out>(socket, identity);
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
    onConnection(connection);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    async close() {
      for (const connection of connections) connection.end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Whether somebody answers on the socket. */
export function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Connects once; rejects when nobody listens. */
export function connectLink<In, Out>(path: string, identity: ConnectionIdentity): Promise<Connection<In, Out>> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(new Connection<In, Out>(socket, identity));
    });
  });
}
