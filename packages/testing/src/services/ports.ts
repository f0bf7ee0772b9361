import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';

export const loopback = '127.0.0.1';

// Below Linux's range for outgoing connections (from 32768): none of them can take the port of a service that is
// being restarted.
const lowestPort = 15_000;
const highestPort = 32_000;
const maxAttempts = 200;

const handedOut = new Set<number>();

/** A port of 127.0.0.1 on which nobody listens, never the same twice in one process. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const port = randomInt(lowestPort, highestPort);
    if (handedOut.has(port) || !(await canListen(port))) continue;
    handedOut.add(port);
    return port;
  }
  throw new Error(`no free port between ${lowestPort} and ${highestPort} in ${maxAttempts} attempts`);
}

/** A port of 127.0.0.1 that refuses connections: what a broker that is down looks like. */
export function refusedPort(): Promise<number> {
  return freePort();
}

/** Whether somebody accepts connections on the port of 127.0.0.1. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, loopback);
    const answer = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, loopback, () => server.close(() => resolve(true)));
  });
}
