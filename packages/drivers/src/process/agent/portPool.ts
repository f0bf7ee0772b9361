import { createServer } from 'node:net';
import { findPortOwner } from './portOwner.ts';

/**
 * Ports handed out lie below the range that the kernel takes for outgoing connections (32768 and above on Linux,
 * 49152 on macOS), so that nobody takes one by chance between the check and the replica's own listen.
 */
const firstPort = 20_000;
const lastPort = 29_999;

export class PortTakenError extends Error {}

/** Loopback ports for replicas. A port is handed out once at a time and belongs to its replica until released. */
export class PortPool {
  readonly #owners = new Map<number, string>();
  #next: number;

  constructor(seed: number) {
    this.#next = firstPort + (Math.abs(seed) % (lastPort - firstPort + 1));
  }

  /** Reserves the port for the replica. Throws `PortTakenError` with who has it, when a fixed one is taken. */
  async take(wanted: 'auto' | number, replica: string): Promise<number> {
    if (wanted !== 'auto') {
      await this.#takeFixed(wanted, replica);
      return wanted;
    }
    for (let tried = firstPort; tried <= lastPort; tried++) {
      const port = this.#next;
      this.#next = port === lastPort ? firstPort : port + 1;
      if (this.#owners.has(port)) continue;
      this.#owners.set(port, replica);
      if (await isFree(port)) return port;
      this.#owners.delete(port);
    }
    throw new PortTakenError(`no free port between ${firstPort} and ${lastPort}`);
  }

  /** For a replica that already has it (adopted). */
  claim(port: number, replica: string): void {
    this.#owners.set(port, replica);
  }

  release(port: number, replica: string): void {
    if (this.#owners.get(port) === replica) this.#owners.delete(port);
  }

  async #takeFixed(port: number, replica: string): Promise<void> {
    const owner = this.#owners.get(port);
    if (owner !== undefined && owner !== replica) {
      throw new PortTakenError(
        `port ${port} is taken by replica ${owner}: with a fixed port only one replica can run at a time; use "port: auto"`,
      );
    }
    this.#owners.set(port, replica);
    if (await isFree(port)) return;
    this.#owners.delete(port);
    const other = findPortOwner(port);
    throw new PortTakenError(`port ${port} is taken by ${other ?? 'another process'}; use "port: auto" or end it`);
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
