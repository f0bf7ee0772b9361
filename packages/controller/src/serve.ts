import { type Store, StoreError } from '@ebb/core';
import { openOfferings } from './offerings.ts';
import { assemblePage } from '@ebb/dashboard';
import { cannotRunOn, connectProcessDriver } from '@ebb/drivers';
import { createEngine, type Engine } from '@ebb/engine';
import { createScheduleScaler } from '@ebb/scalers';
import type { FastifyInstance } from 'fastify';
import type { ApiContext, Page } from './api/context.ts';
import { apiServer } from './api/server.ts';
import { WatchRing } from './api/watchRing.ts';
import { liveClock } from './clock.ts';
import { keepClockFloor, readClockFloor } from './clockFloor.ts';
import type { ControlPlane, ControlPlaneOptions } from './controlPlane.ts';
import type { DataDirectory } from './dataDirectory.ts';
import { StartError } from './exitCodes.ts';
import { connectGateway } from './gatewayLink.ts';
import { type ClusterRules, readClusterRules } from './limits.ts';
import { httpMetricsScraper } from './metricsScraper.ts';
import { withinMachine } from './machineGpus.ts';
import { newSuffix } from './newSuffix.ts';
import { liveNodes } from './nodePorts.ts';
import { readOrMakeToken } from './ownerToken.ts';
import type { LocalProcesses } from './processes/localProcesses.ts';
import { Shutdown } from './shutdown.ts';
import { NewerDatabaseError } from './store/sqlite/database.ts';
import { readOrMakeSealingKey, sealDocuments } from './store/sealedDocuments.ts';
import { openSqliteStore } from './store/sqlite/openSqliteStore.ts';
import { liveTriggers } from './triggers.ts';
import { openWebhook } from './webhook.ts';

interface ServeOptions extends ControlPlaneOptions {
  directory: DataDirectory;
  processes: LocalProcesses;
  version: string;
}

const loopback = '127.0.0.1';
const connectTimeoutMs = 15_000;

/** The part of the control plane that takes time to load: store, engine, links and API. */
export async function serve(options: ServeOptions): Promise<Omit<ControlPlane, 'version'>> {
  const { directory, processes, version, log } = options;
  const undo: (() => unknown)[] = [];
  try {
    const offerings = await openOfferings(options.catalogue ?? null);
    const token = readOrMakeToken(directory.token);
    const database = await openSqliteStore(directory.database);
    undo.push(() => database.close());
    const store: Store = {
      documents: sealDocuments(database.documents, readOrMakeSealingKey(directory.sealingKey)),
      journal: database.journal,
      ledger: database.ledger,
      state: database.state,
      takeEpoch: () => database.takeEpoch(),
      close: () => database.close(),
    };
    const epoch = await store.takeEpoch();
    const clock = liveClock(await readClockFloor(store));
    undo.push(() => clock.close());
    const startedAt = clock.nowMs();
    const stopKeepingFloor = keepClockFloor(store, clock, epoch, (error) =>
      log('warn', 'time not saved', { error: String(error) }),
    );

    const gateway = connectGateway({ dataDirectory: directory.path, epoch, log });
    undo.push(() => gateway.close());
    const driver = await processes.whileAlive(
      Promise.all([
        connectProcessDriver({ dataDirectory: directory.path, epoch, clock, log, connectTimeoutMs }),
        gateway.connected(connectTimeoutMs),
      ]).then(([connected]) => connected),
    );
    undo.push(() => driver.close());

    const metrics = httpMetricsScraper();
    undo.push(() => metrics.close());

    const nodes = liveNodes({ clock, store, offerings, log });
    undo.push(() => nodes.close());

    const ring = new WatchRing(startedAt * 1000);
    const webhook = openWebhook(log);
    undo.push(() => webhook.close());
    const readRules = async () => {
      const rules = await readClusterRules(store);
      webhook.setUrl(rules.webhook);
      return { ...rules, limits: withinMachine(rules.limits, driver.machine()) };
    };
    const { limits, money } = await readRules();
    const engine: Engine = createEngine({
      ports: {
        clock,
        store,
        driver,
        gateway,
        scheduleScaler: (schedules, events) => createScheduleScaler(schedules, { wallNowMs: () => Date.now(), events }),
        triggers: liveTriggers({
          documents: store.documents,
          engine: () => engine,
          nowMs: () => clock.nowMs(),
          log,
        }),
        metrics,
        nodes,
        notify: (notice) => webhook.send(notice),
        cannotRun(requests) {
          const machine = driver.machine();
          return machine && cannotRunOn(machine, requests);
        },
        newSuffix,
        log,
      },
      epoch,
      version,
      node: 'local',
      limits,
      money,
    });
    engine.watch((event) => {
      ring.push(event);
      if (event.type === 'document' && event.kind === 'Cluster') void followRules(engine, readRules);
    });
    driver.onMachine(() => {
      engine.machineChanged?.();
      void followRules(engine, readRules);
    });

    let phase: ReturnType<ApiContext['phase']> = 'starting';
    const shutdown = new Shutdown({
      directory,
      processes,
      engine,
      gateway,
      driver,
      log,
      onBegin: () => {
        phase = 'stopping';
      },
      closeApi: () => app.close(),
      closeStore: async () => {
        await stopKeepingFloor();
        clock.close();
        await metrics.close();
        await nodes.close();
        webhook.close();
        await store.close();
      },
    });
    const app = apiServer({
      version,
      startedAt,
      dataDirectory: directory.path,
      token,
      metricsOpen: options.metricsOpen ?? false,
      clock,
      engine,
      store,
      logs: (query) => driver.logs(query),
      offerings,
      gateway: () => gateway.state(),
      agent: () => driver.agent(),
      machine: () => driver.machine(),
      ring,
      page: options.page === false ? null : once(assemblePage),
      shutdown: (how) => void shutdown.begin(how),
      phase: () => phase,
      log,
    });
    const apiUrl = await listen(app, options.apiPort);
    undo.push(() => app.close());

    await engine.start();
    // Only now is it known what runs: before, the gateway keeps the routes it has.
    gateway.release();
    gateway.watch((event) => event.type === 'disconnected' && processes.gateway.lost());
    driver.watch((event) => event.type === 'disconnected' && processes.agent.lost());
    processes.gateway.watch();
    processes.agent.watch();
    phase = 'ready';
    return {
      apiUrl,
      gatewayUrl: gateway.state().url,
      stop: (how = {}) => shutdown.begin(how),
      hurry: () => shutdown.hurry(),
      stopped: shutdown.done,
    };
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw startError(error);
  }
}

async function listen(app: FastifyInstance, port: number): Promise<string> {
  try {
    return await app.listen({ host: loopback, port });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || (error.code !== 'EADDRINUSE' && error.code !== 'EACCES'))
      throw error;
    const why = error.code === 'EACCES' ? 'may not be used by this user' : 'is taken: another program listens there';
    throw new StartError(
      'portTaken',
      `port ${port} on ${loopback} ${why}. Choose another one with --api-port, or 0 for any free one.`,
    );
  }
}

function startError(error: unknown): unknown {
  if (error instanceof NewerDatabaseError || error instanceof StoreError)
    return new StartError('storeUnusable', error.message, error);
  return error;
}

/** Rules of a Cluster document that was applied while the engine runs, or bounds of another machine. */
async function followRules(engine: Engine, read: () => Promise<ClusterRules>): Promise<void> {
  const { limits, money } = await read();
  engine.setLimits?.(limits);
  engine.setMoney?.(money);
}

function once(make: () => Page): () => Page {
  let made: Page | null = null;
  return () => (made ??= make());
}
