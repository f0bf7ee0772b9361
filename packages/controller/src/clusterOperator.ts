import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Operator, openCluster, startOperator } from '@ebb/kubernetes';
import { createScheduleScaler } from '@ebb/scalers';
import { liveClock } from './clock.ts';
import { readClockFloor } from './clockFloor.ts';
import type { Log } from './log.ts';
import { httpMetricsScraper } from './metricsScraper.ts';
import { newSuffix } from './newSuffix.ts';
import { openSqliteStore } from './store/sqlite/openSqliteStore.ts';
import { liveTriggers } from './triggers.ts';
import { readVersion } from './version.ts';

export interface ClusterOperatorOptions {
  /** Null: `KUBECONFIG`, the service account of the pod, or `~/.kube/config`. */
  kubeconfig: string | null;
  /** Objects of this namespace alone; null: of all. */
  namespace: string | null;
  /** Null: `ebb` in the namespace of the pod or of the kubeconfig. */
  lease: { namespace: string | null; name: string };
  /** Has journal, ledger and state. */
  dataDirectory: string;
  /** Where `/livez` and `/healthz` answer. */
  health: { host: string; port: number };
  log: Log;
}

export interface ClusterOperator {
  server: string;
  healthUrl: string;
  /** Who this process is in the lease. */
  identity: string;
  /** Resolves when it leads for the first time. */
  ready: Promise<void>;
  /** Rejects when it cannot go on. */
  done: Promise<void>;
  stop(): Promise<void>;
}

/** The operator with live ports: a kubeconfig or a service account, an SQLite file on a volume, real triggers. */
export async function startClusterOperator(options: ClusterOperatorOptions): Promise<ClusterOperator> {
  const { log, dataDirectory, namespace, lease } = options;
  const undo: (() => unknown)[] = [];
  try {
    const cluster = await openCluster({ path: options.kubeconfig });
    undo.push(() => cluster.transport.close());
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    const embedded = await openSqliteStore(join(dataDirectory, 'ebb.db'));
    undo.push(() => embedded.close());
    const clock = liveClock(await readClockFloor(embedded));
    undo.push(() => clock.close());
    const metrics = httpMetricsScraper();
    undo.push(() => metrics.close());
    const identity = `${hostname()}_${randomUUID()}`;
    let operator: Operator | null = null;
    // It lives from the start; it is ready once it has seen everything, whether it leads or stands by.
    const health = await listenHealth(options.health, () => operator !== null);
    undo.push(() => closeServer(health));
    operator = await startOperator({
      transport: cluster.transport,
      random: { next: () => Math.random() },
      version: readVersion(),
      namespace,
      lease: { namespace: lease.namespace ?? cluster.namespace ?? 'default', name: lease.name, identity },
      ports: {
        clock,
        embedded,
        metrics,
        newSuffix,
        log,
        triggers: ({ documents }, engine) => liveTriggers({ documents, engine, nowMs: () => clock.nowMs(), log }),
        scheduleScaler: (schedules, events) => createScheduleScaler(schedules, { wallNowMs: () => Date.now(), events }),
      },
    });
    const started = operator;
    undo.push(() => started.stop());
    return {
      server: cluster.server,
      healthUrl: urlOf(health),
      identity,
      ready: started.ready,
      done: started.done,
      async stop() {
        for (const step of undo.splice(0).reverse()) await step();
      },
    };
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

function listenHealth({ host, port }: { host: string; port: number }, isReady: () => boolean): Promise<Server> {
  const server = createServer((request, answer) => {
    const isLive = request.url === '/livez' || (request.url === '/healthz' && isReady());
    const isKnown = request.url === '/livez' || request.url === '/healthz';
    answer.writeHead(isLive ? 200 : isKnown ? 503 : 404, { 'content-type': 'text/plain' });
    answer.end(isLive ? 'ok\n' : isKnown ? 'the cluster is still being listed\n' : 'not found\n');
  });
  server.maxHeadersCount = 100;
  server.requestTimeout = 10_000;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

function urlOf(server: Server): string {
  const address = server.address();
  return typeof address === 'object' && address !== null ? `http://${address.address}:${address.port}` : '';
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
