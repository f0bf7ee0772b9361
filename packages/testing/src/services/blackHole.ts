import { createServer, type Socket } from 'node:net';
import { freePort, loopback } from './ports.ts';

/** A listener that accepts every connection and never says a word. */
export interface BlackHole {
  readonly host: string;
  readonly port: number;
  /** `host:port`. */
  readonly address: string;
  /** Connections that are open now: a client that gave up properly has closed its own. */
  openConnections(): number;
  stop(): Promise<void>;
}

/** Starts a listener that accepts and never answers: what a hung broker or a half-dead network looks like. */
export async function blackHole(): Promise<BlackHole> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.resume();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, loopback, resolve);
  });
  return {
    host: loopback,
    port,
    address: `${loopback}:${port}`,
    openConnections: () => sockets.size,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
