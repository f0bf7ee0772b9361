import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { hostname } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { externalMetricsService, type Operator, openCluster, startOperator } from '@ebb/kubernetes';
import { createScheduleScaler } from '@ebb/scalers';
import { operatorMetricsText } from './api/operatorMetrics.ts';
import { clusterNodes } from './clusterNodes.ts';
import { clusterGateways } from './clusterGateways.ts';
import { listenHealth } from './healthServer.ts';
import type { Log } from './log.ts';
import { httpMetricsScraper } from './metricsScraper.ts';
import { newSuffix } from './newSuffix.ts';
import { openOfferings } from './offerings.ts';
import { openOperatorStore, StoreTold } from './operatorStore.ts';
import type { PostgresStoreSettings } from './store/postgres/settings.ts';
import { liveTriggers } from './triggers.ts';
import { readVersion } from './version.ts';

export interface ClusterOperatorOptions {
  /** Null: `KUBECONFIG`, the service account of the pod, or `~/.kube/config`. */
  kubeconfig: string | null;
  /** Objects of this namespace, or of these, alone; null: of all. */
  namespace: string | readonly string[] | null;
  /** Objects that say nothing else are decided on and never written to. Left out: they are in Ebb's charge. */
  advice?: boolean;
  /** Null: `ebb` in the namespace of the pod or of the kubeconfig. */
  lease: { namespace: string | null; name: string };
  /** Whether machines are made for pods that have no place, as Clusters and NodePools say; `catalogue`: prices in place of the built-in list. */
  nodePools: { catalogue: string | null } | null;
  /** Whether the external metrics API is served at `port` of the health host, and the pod that this is; left out: no. */
  externalMetrics?: { port: number; podName: string | null } | null;
  /** Whether endpoints of Services are kept, so that gateways can be out of the path; left out: no. */
  serveServices?: boolean;
  /** Whether pods are sized as Workloads say; left out: no. */
  sizing?: boolean;
  /** Images of the pods that keep images and room for targets whose annotations ask for it; left out: nothing is kept. */
  warmth?: { pause: string; tool: string } | null;
  /** Has journal, ledger and state, unless `store` has. */
  dataDirectory: string;
  /** A database in the place of the file: several operators can stand by for one another. */
  store?: PostgresStoreSettings | null;
  /** Ends the start, where it waits for a store that is away. */
  signal?: AbortSignal;
  /** Where `/livez` and `/healthz` answer, and `/metrics` unless `metrics` is false. */
  health: { host: string; port: number };
  metrics?: boolean;
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

/** The operator with live ports: a kubeconfig or a service account, a file on a volume or a database, real triggers. */
export async function startClusterOperator(options: ClusterOperatorOptions): Promise<ClusterOperator> {
  const { log, dataDirectory, namespace, lease } = options;
  boundMemory();
  const undo: (() => unknown)[] = [];
  try {
    const cluster = await openCluster({ path: options.kubeconfig });
    undo.push(() => cluster.transport.close());
    const ownNamespace = lease.namespace ?? cluster.namespace ?? 'default';
    const identity = `${hostname()}_${randomUUID()}`;
    let operator: Operator | null = null;
    // It lives from the start; it is ready once it has seen everything, whether it leads or stands by.
    const startedAt = Date.now();
    const version = readVersion();
    const told = new StoreTold();
    const metricsText = () => {
      const leading = operator?.leading() ?? null;
      const services = leading?.servedServices() ?? [];
      return operatorMetricsText({ version, startedAt, engine: leading?.engine ?? null, services });
    };
    const health = await listenHealth(
      options.health,
      healthListener(
        () => operator !== null,
        options.metrics === false ? null : metricsText,
        () => told.text(),
      ),
    );
    undo.push(() => health.close());
    const { signal, store: postgres = null } = options;
    const { store: embedded, clock } = await openOperatorStore(
      { postgres, dataDirectory, log, ...(signal ? { signal } : {}) },
      told,
    );
    undo.push(() => embedded.close());
    undo.push(() => clock.close());
    const metrics = httpMetricsScraper();
    undo.push(() => metrics.close());
    // Machines are left alone in advice, and may not even be seen.
    const nodes =
      options.nodePools && !options.advice
        ? clusterNodes({ clock, log, offerings: await openOfferings(options.nodePools.catalogue) })
        : null;
    if (nodes) undo.push(() => nodes.close());
    operator = await startOperator({
      transport: cluster.transport,
      random: { next: () => Math.random() },
      version,
      namespace,
      mode: options.advice ? 'advice' : 'control',
      lease: { namespace: ownNamespace, name: lease.name, identity },
      ports: {
        clock,
        embedded,
        ...(nodes ? { nodes } : {}),
        ...(options.sizing ? { sizing: true } : {}),
        ...(options.warmth ? { warmth: options.warmth } : {}),
        metrics,
        newSuffix,
        log,
        gateways: { ...clusterGateways(), serveServices: options.serveServices ?? false },
        ...(options.externalMetrics
          ? {
              externalMetrics: {
                ...{ host: options.health.host, ...options.externalMetrics },
                service: { namespace: ownNamespace, name: externalMetricsService },
              },
            }
          : {}),
        triggers: ({ documents }, engine, clusterMetric) =>
          liveTriggers({ documents, engine, nowMs: () => clock.nowMs(), log, clusterMetric }),
        scheduleScaler: (schedules, events) => createScheduleScaler(schedules, { wallNowMs: () => Date.now(), events }),
      },
    });
    const started = operator;
    undo.push(() => started.stop());
    return {
      server: cluster.server,
      healthUrl: health.url,
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

/**
 * V8 lets a heap of 140 MB grow to several times that before it collects, which thousands of objects at rest fill in a minute: it may
 * grow by a sixth. (`--optimize-for-size` would make everything several times slower.)
 */
function boundMemory(): void {
  setFlagsFromString('--heap-growing-percent=15');
}

function healthListener(
  isReady: () => boolean,
  metricsText: (() => string) | null,
  storeText: () => string,
): RequestListener {
  return (request, answer) => {
    if (metricsText && request.url === '/metrics') {
      answer.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      answer.end(metricsText());
      return;
    }
    const isLive = request.url === '/livez' || (request.url === '/healthz' && isReady());
    const isKnown = request.url === '/livez' || request.url === '/healthz';
    answer.writeHead(isLive ? 200 : isKnown ? 503 : 404, { 'content-type': 'text/plain' });
    const said = isLive ? 'ok\n' : isKnown ? 'the cluster is still being listed\n' : 'not found\n';
    // Decisions go on without the store, so it is said and no reason to end anything.
    answer.end(request.url === '/healthz' ? said + storeText() : said);
  };
}
