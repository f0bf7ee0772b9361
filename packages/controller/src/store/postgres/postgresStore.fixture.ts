import { randomUUID } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import type { JournalRecord } from '@ebb/core';
import { type PostgresService, startPostgres } from '@ebb/testing/services';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { ConnectionTimes } from './connection.ts';
import { openPostgresStore, type PostgresStore, type PostgresStoreOptions } from './openPostgresStore.ts';
import { type PostgresStoreSettings, readStoreSettings } from './settings.ts';

/** Soon enough for a test, long enough for two busy cores. */
export const quick: ConnectionTimes = { answerMs: 5000, connectMs: 2000, firstRetryMs: 20, longestRetryMs: 200 };

/** One server for the tests of a file. */
export function onePostgres(options?: Parameters<typeof startPostgres>[0]): () => PostgresService {
  let service: PostgresService | undefined;
  beforeAll(async () => {
    service = await startPostgres(options);
  }, 120_000);
  afterAll(() => service?.stop());
  return () => {
    if (!service) throw new Error('PostgreSQL is not running');
    return service;
  };
}

/** Settings for a schema that nobody else has. */
export function newSchema(service: PostgresService, schema = `Ebb-${randomUUID()}`): PostgresStoreSettings {
  const settings = readStoreSettings({ EBB_STORE_URL: service.url, EBB_STORE_SCHEMA: schema });
  if (!settings) throw new Error('there is no address');
  return settings;
}

export interface Wire {
  readonly port: number;
  /** From now on nothing comes through, in either direction, and nothing is refused. */
  hold(): void;
  release(): void;
}

/** A way to the server that can be held up; it is taken away at the end of the test. */
export async function wireTo(service: PostgresService): Promise<Wire> {
  const sockets = new Set<Socket>();
  let isHeld = false;
  const server = createServer((near) => {
    const far = connect(service.port, service.host);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      if (isHeld) from.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    hold() {
      isHeld = true;
      for (const socket of sockets) socket.pause();
    },
    release() {
      isHeld = false;
      for (const socket of sockets) socket.resume();
    },
  };
}

export interface LoggedStore {
  store: PostgresStore;
  logs: { level: string; message: string; data: unknown }[];
}

/** A store that is closed at the end of the test. */
export async function openStore(
  settings: PostgresStoreSettings,
  more: Partial<PostgresStoreOptions> = {},
): Promise<LoggedStore> {
  const logs: LoggedStore['logs'] = [];
  const store = await openPostgresStore({
    settings,
    times: quick,
    openWithinMs: 20_000,
    log: (level, message, data) => logs.push({ level, message, data }),
    ...more,
  });
  onTestFinished(() => store.close());
  return { store, logs };
}

export function record(sequence: number, rest: Partial<JournalRecord> = {}): JournalRecord {
  return { sequence, segment: 1, atMs: sequence * 10, kind: 'event', workload: null, body: { sequence }, ...rest };
}
