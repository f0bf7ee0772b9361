import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { Connection, type ConnectionIdentity } from './connection.ts';
import type { LinkServer } from './server.ts';

export interface TcpAddress {
  host: string;
  port: number;
}

export interface TcpLinkServer extends LinkServer {
  readonly address: TcpAddress;
}

/** The other side does not know the secret, or is none of ours. */
export class LinkRefusedError extends Error {
  override readonly name = 'LinkRefusedError';
}

export interface TcpLinkOptions extends TcpAddress {
  /** What both sides know. Read for each connection, so that it may be replaced; it never travels. */
  secret(): string | Buffer;
}

/**
 * Both sides prove that they know the secret and everything is encrypted: TLS with a pre-shared key (RFC 5489: ECDHE-PSK, with
 * forward secrecy; RFC 7905 has the cipher). There are no certificates, so nobody has to issue or renew any.
 */
const tlsOptions = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const satisfies TlsOptions;
const keyName = 'ebb-link';
const handshakeMs = 5000;
/** Operators and their standbys; more are strangers. */
const mostConnections = 64;

/** A key of the length that the cipher takes, for this use alone. */
function keyOf(secret: string | Buffer): Buffer {
  return createHash('sha256').update('ebb link\0').update(secret).digest();
}

/**
 * Listens on a TCP port for those who know the secret. `onConnection` hears of no other; `onRefused` does, with what went wrong.
 * Rejects with the system's error, such as `EADDRINUSE`. Port 0 takes any free one.
 */
export async function listenTcpLink<In, Out>(
  { host, port, secret, onRefused }: TcpLinkOptions & { onRefused?: (from: string, reason: string) => void },
  identity: ConnectionIdentity,
  onConnection: (connection: Connection<In, Out>) => void,
): Promise<TcpLinkServer> {
  const connections = new Set<Connection<In, Out>>();
  const sockets = new Set<Socket>();
  const server = createServer(
    {
      ...tlsOptions,
      handshakeTimeout: handshakeMs,
      pskCallback: (_socket, name) => (name === keyName ? keyOf(secret()) : null),
    },
    (socket) => {
      const connection = new Connection<In, Out>(socket, identity);
      connections.add(connection);
      socket.on('close', () => connections.delete(connection));
      onConnection(connection);
    },
  );
  server.maxConnections = mostConnections;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', (error, socket) => onRefused?.(socket.remoteAddress ?? '', reasonOf(error)));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return {
    address: { host: address.address, port: address.port },
    async close() {
      for (const connection of connections) connection.end();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Who does not end by itself is not waited for.
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, lastBytesMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

const lastBytesMs = 1000;

/** Connects once. Rejects with `LinkRefusedError` where the other side does not share the secret, else with the system's error. */
export function connectTcpLink<In, Out>(
  { host, port, secret }: TcpLinkOptions,
  identity: ConnectionIdentity,
): Promise<Connection<In, Out>> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({
      ...tlsOptions,
      host,
      port,
      timeout: handshakeMs,
      pskCallback: () => ({ psk: keyOf(secret()), identity: keyName }),
      // There is no certificate: who knows the key is who is meant.
      checkServerIdentity: () => undefined,
    });
    const fail = (error: NodeJS.ErrnoException) => {
      socket.destroy();
      const isRefusal = error.code?.startsWith('ERR_SSL') ?? false;
      reject(isRefusal ? new LinkRefusedError(`${host}:${port} does not share the secret`) : error);
    };
    const onTimeout = () => fail(new Error(`${host}:${port} does not answer within ${handshakeMs} ms`));
    socket.once('error', fail);
    socket.once('timeout', onTimeout);
    socket.once('secureConnect', () => {
      socket.setTimeout(0);
      socket.off('timeout', onTimeout);
      socket.off('error', fail);
      resolve(new Connection<In, Out>(socket, identity));
    });
  });
}

/** Without what OpenSSL adds: addresses of its own sources. */
function reasonOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}
