/** A connection in use. Give it back once. */
export interface Lease<Connection> {
  readonly connection: Connection;
  release(): Promise<void>;
}

interface Shared {
  connection: unknown;
  users: number;
  close(): Promise<void>;
}

/**
 * Connections that several triggers use, by a key that says place, account and settings (never shown: it may hold a
 * secret). The last one to give it back closes it.
 */
export class Connections {
  readonly #shared = new Map<string, Shared>();

  /** `open` must not wait: a connection object connects by itself on first use and again when it broke. */
  lease<Connection>(
    key: string,
    open: () => Connection,
    close: (connection: Connection) => Promise<void>,
  ): Lease<Connection> {
    let shared = this.#shared.get(key);
    if (!shared) {
      const connection = open();
      shared = { connection, users: 0, close: () => close(connection) };
      this.#shared.set(key, shared);
    }
    const leased = shared;
    leased.users++;
    let isReleased = false;
    return {
      connection: leased.connection as Connection,
      release: async () => {
        if (isReleased) return;
        isReleased = true;
        leased.users--;
        if (leased.users > 0) return;
        this.#shared.delete(key);
        await leased.close();
      },
    };
  }

  /** How many are open. */
  get size(): number {
    return this.#shared.size;
  }
}
