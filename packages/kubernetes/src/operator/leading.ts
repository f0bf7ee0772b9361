import type { Store, TriggerPort, TriggerRequest } from '@ebb/core';
import { keyText } from '@ebb/documents';
import { createEngine, type Engine, type EnginePorts, targetRevision } from '@ebb/engine';
import type { InsideView } from '@ebb/scalers';
import { Advising } from '../advice/advising.ts';
import type { Comparison } from '../advice/comparison.ts';
import type { Mode } from '../advice/mode.ts';
import type { KubernetesClient } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { PodBindings } from '../driver/bindings.ts';
import { KubernetesDriver } from '../driver/kubernetesDriver.ts';
import { ScaledJobsOfCluster } from '../jobs/scaledJobs.ts';
import { followGateways, type GatewayPorts } from '../gateways/gateways.ts';
import type { Leadership } from '../leases/elector.ts';
import { leadNodes, type OperatorNodes } from '../nodes/leadNodes.ts';
import { readClusterMetric } from '../metrics/clusterMetrics.ts';
import { ExternalMetricsApi, type ExternalMetricsSettings } from '../metrics/externalMetricsApi.ts';
import { PodUsageReader } from '../metrics/podUsage.ts';
import { withPodUsage } from '../metrics/withPodUsage.ts';
import type { NodesView } from '../nodes/nodesView.ts';
import { kubernetesStore } from '../store/kubernetesStore.ts';
import { StatusWriter } from '../store/statusWriter.ts';
import type { ClusterView } from './cluster.ts';
import { keyOf } from './documents.ts';
import { noGateway } from './noGateway.ts';
import { type DocumentSink, Reconciler } from './reconciler.ts';
import { adviceStatusOf, kedaStatus, workloadStatusOf } from './statuses.ts';
import { Since } from './since.ts';
import { WantedReader } from './wanted.ts';

/** What the operator is given by whoever starts it. */
export interface OperatorPorts
  extends Pick<EnginePorts, 'clock' | 'scheduleScaler' | 'metrics' | 'notify' | 'newSuffix'> {
  /** Has journal, ledger and state. */
  readonly embedded: Store;
  /** Buys machines for pods that have no place; left out: nodes are nobody's affair here. */
  readonly nodes?: OperatorNodes;
  /** Reaches the gateways that run beside it; left out: there are none. */
  readonly gateways?: GatewayPorts;
  /** Serves the external metrics API, for HPAs that follow what is decided here; left out: it is not served. */
  readonly externalMetrics?: ExternalMetricsSettings;
  /** Opens triggers, signed in to by what the store has. */
  triggers(store: Store, engine: () => Engine, clusterMetric: NonNullable<InsideView['clusterMetric']>): TriggerPort;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, data?: Record<string, unknown>): void;
}

export interface LeadingOptions {
  readonly client: KubernetesClient;
  /** The operator's own, where gateways are; and the one whose pods are followed, null: all. */
  readonly namespaces: { readonly own: string; readonly followed: string | null };
  readonly view: ClusterView;
  /** Null: machines are not decided on. */
  readonly nodesView?: NodesView | null;
  readonly leadership: Leadership;
  readonly ports: OperatorPorts;
  readonly version: string;
  /** Of objects that do not say one: `advice` decides everything and writes to no target. */
  readonly mode: Mode;
  /** Where what is advised is written. */
  readonly adviceConfigMap: { readonly namespace: string; readonly name: string };
  /** Between two writes of one status; left out: 10 s. */
  readonly statusGapMs?: number;
}

export interface Leading {
  readonly engine: Engine;
  readonly driver: KubernetesDriver;
  /** What happened beside what would have been done, for each target that is advised on. */
  advice(): Comparison[];
  /** Ends without changing anything. */
  stop(): Promise<void>;
}

const noLimits = {
  maxReplicas: null,
  capacity: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
  maxPricePerHourMicro: null,
};

/** One time of leading: an engine over the cluster, from when the lease is held until it is lost. */
export async function lead(options: LeadingOptions): Promise<Leading> {
  const { client, view, leadership, ports, version } = options;
  const { clock, embedded } = ports;
  const { epoch } = leadership;
  const log: EnginePorts['log'] = (level, message, data) => ports.log(level, message, data);
  const mayWrite = () => leadership.isHeld();
  const store = await kubernetesStore({ client, embedded, epoch });
  const bindings = new PodBindings(clock, store.state, epoch, (message, data) => log('warn', message, data));
  await bindings.load();
  const adopted = { class: 'default', revision: targetRevision };
  const driver = new KubernetesDriver({ client, clock, pods: view.pods, bindings, adopted, mayWrite, log });
  const advising = new Advising({
    ...{ client, clock, view, control: driver, adopted, state: store.state, epoch, mayWrite, log },
    configMap: options.adviceConfigMap,
    ...(options.statusGapMs === undefined ? {} : { gapMs: options.statusGapMs }),
  });
  await advising.load();
  const since = new Since(clock);
  const reader = new WantedReader(client, view, options.mode);
  const { own: namespace, followed } = options.namespaces;
  const gateways = ports.gateways
    ? await followGateways({
        ...{ client, clock, ports: ports.gateways, epoch, namespace, mayWrite, log },
        followed: { pods: view.pods, namespace: followed },
        serves: (workload) => reader.isServed(nameOf(workload)),
      })
    : null;
  const gateway = gateways?.fleet ?? noGateway();
  const statuses = new StatusWriter({
    client,
    clock,
    mayWrite,
    log,
    ...(options.statusGapMs === undefined ? {} : { gapMs: options.statusGapMs }),
  });
  const scaledJobs = new ScaledJobsOfCluster({ client, clock, view, mode: options.mode, statuses, mayWrite, log });
  const usage = new PodUsageReader({ client, pods: view.pods, log, needs: (workload) => reader.isMeasured(workload) });
  const targets = withPodUsage(advising.driver, usage);
  const wholeDriver = scaledJobs.driver(targets);
  const beforeStart = storeSink(store, epoch, () => clock.nowMs());
  const reconciler: Reconciler = new Reconciler(
    { client, view, reader, driver: targets, log, statusChanged, statusGone },
    beforeStart,
  );
  const triggers = withEnvironment(
    advising.triggers(
      ports.triggers(
        store,
        () => engine,
        (question, signal) => readClusterMetric(client, question, signal),
      ),
    ),
    (request) =>
      request.kind === 'ScaledObject'
        ? reconciler.environmentOf(request.key)
        : request.kind === 'ScaledJob'
          ? scaledJobs.environmentOf(request.key)
          : {},
  );
  const { nodesView } = options;
  const led =
    ports.nodes && nodesView && options.mode !== 'advice'
      ? leadNodes(
          {
            ...{ client, view: nodesView, nodes: ports.nodes, clock, store, statuses, since, mayWrite, log },
            fleets: () => engine.fleets(),
          },
          beforeStart,
        )
      : null;
  const engine: Engine = createEngine({
    ports: {
      clock,
      store,
      driver: wholeDriver,
      gateway,
      triggers,
      log,
      scheduleScaler: (schedules, events) => ports.scheduleScaler(schedules, events),
      newSuffix: () => ports.newSuffix(),
      ...(led ? { nodes: led.ports } : {}),
      ...(ports.metrics ? { metrics: ports.metrics } : {}),
      ...(ports.notify ? { notify: ports.notify } : {}),
    },
    epoch,
    version,
    node: 'kubernetes',
    limits: noLimits,
  });

  // What is served by gateways follows from objects alone, and thousands at rest have new statuses all the time.
  let seen = 0;
  const reconsidered = new Map<string, number>();
  function reconsider(namespace: string, name: string): void {
    const workload = keyText(keyOf({ namespace, name }));
    if (!gateways || reconsidered.get(workload) === seen) return;
    reconsidered.set(workload, seen);
    gateways.fleet.reconsider(workload);
  }

  function statusChanged(object: KubernetesObject): void {
    const served = object.kind === 'Workload' ? object.name : reader.specOf(object)?.target.name;
    if (served !== undefined) reconsider(object.namespace, served);
    if (object.kind === 'Workload') {
      statuses.changed(resources.workloads, object, () => {
        const key = keyOf(object);
        const problem = reader.problemOf(object);
        if (problem) return { conditions: [notReady(problem, object, since.of(object, problem.message))] };
        const status = engine.status(key);
        if (reader.modeOf(object) === 'advice')
          return status && adviceStatusOf(status, object.generation, since.of(object, 'advice'));
        return status && workloadStatusOf(status, object.generation, driver.scaleOf(key));
      });
      return;
    }
    // Another one is in charge of it, and writes its status.
    if (reader.modeOf(object) === 'advice') return;
    statuses.changed(resources.scaledObjects, object, () => {
      const spec = reader.specOf(object);
      const target = keyOf({ namespace: object.namespace, name: spec?.target.name ?? '' });
      return kedaStatus({
        spec,
        problem: reader.problemOf(object),
        status: engine.scaledObject(keyOf(object)),
        plural: reconciler.pluralOf(target),
        originalReplicas: reconciler.originalOf(target),
        scale: driver.scaleOf(target),
      });
    });
  }

  function statusGone(object: KubernetesObject): void {
    since.forget(object);
    statuses.forget(object.kind === 'Workload' ? resources.workloads : resources.scaledObjects, object);
  }

  const unlisten = view.listen((event) => {
    seen++;
    if (scaledJobs.onEvent(event)) return;
    reconciler.onEvent(event);
    advising.onEvent(event);
  });
  await reconciler.fill();
  await led?.documents.fill();
  await engine.start();
  led?.documents.useSink(engineSink(engine));
  reconciler.useSink(engineSink(engine));
  // What changed while the engine started.
  await reconciler.settle();
  gateways?.fleet.release();
  advising.follow(engine);
  scaledJobs.follow(engine);
  const unwatch = engine.watchStatuses(({ type, key: { namespace, name } }) => {
    if (type !== 'status') return;
    const workload = view.workloads.get({ namespace, name });
    if (workload) statusChanged(workload);
    for (const object of reader.claimsOf({ namespace, name })) statusChanged(object);
  });
  const external = ports.externalMetrics
    ? new ExternalMetricsApi({
        ...{ ...ports.externalMetrics, client, mayWrite, log },
        facts: {
          nowMs: () => clock.nowMs(),
          workload: (key) => engine.status(key),
          scaledObject: (key) => engine.scaledObject(key),
          specOf: (key) => {
            const object = view.scaledObjects.get(key);
            return object && reader.specOf(object);
          },
        },
      })
    : null;
  void external?.start();
  log('info', 'the operator decides', { epoch, workloads: engine.statuses().length });

  async function end(): Promise<void> {
    unlisten();
    unwatch();
    await external?.close();
    await reconciler.close();
    await led?.stop();
    await scaledJobs.close();
    await engine.stop();
    statuses.close();
    await advising.close();
    await bindings.flush();
    await targets.close();
    await (gateways ?? gateway).close();
  }
  let ending: Promise<void> | null = null;
  return { engine, driver, advice: () => advising.comparisons(), stop: () => (ending ??= end()) };
}

function nameOf(workload: string): { namespace: string; name: string } {
  const [, namespace = '', name = ''] = workload.split('/');
  return { namespace, name };
}

/** Into the store of an engine that has not started: what it finds there is what it begins with. */
function storeSink({ documents }: Store, epoch: number, nowMs: () => number): DocumentSink {
  return {
    async apply(inputs) {
      for (const input of inputs) await documents.put({ ...input, atMs: nowMs(), epoch });
    },
    async remove(kind, key) {
      await documents.delete(kind, key, { epoch });
    },
  };
}

function engineSink(engine: Engine): DocumentSink {
  return {
    async apply(inputs) {
      await engine.apply([...inputs]);
    },
    async remove(kind, key) {
      await engine.remove(kind, key);
    },
  };
}

function withEnvironment(
  inner: TriggerPort,
  environmentOf: (request: TriggerRequest) => Record<string, string>,
): TriggerPort {
  return { open: (request) => inner.open({ ...request, env: { ...request.env, ...environmentOf(request) } }) };
}

function notReady(
  problem: { reason: string; message: string },
  { generation }: KubernetesObject,
  atMs: number,
): Record<string, unknown> {
  const lastTransitionTime = new Date(atMs).toISOString();
  return { type: 'Available', status: 'False', ...problem, lastTransitionTime, observedGeneration: generation };
}
