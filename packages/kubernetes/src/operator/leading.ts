import type { Store, TriggerPort, TriggerRequest } from '@ebb/core';
import { createEngine, type Engine, type EnginePorts, targetRevision } from '@ebb/engine';
import type { KubernetesClient } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { PodBindings } from '../driver/bindings.ts';
import { KubernetesDriver } from '../driver/kubernetesDriver.ts';
import type { Leadership } from '../leases/elector.ts';
import { kubernetesStore } from '../store/kubernetesStore.ts';
import { StatusWriter } from '../store/statusWriter.ts';
import type { ClusterView } from './cluster.ts';
import { keyOf } from './documents.ts';
import { noGateway } from './noGateway.ts';
import { type DocumentSink, Reconciler } from './reconciler.ts';
import { kedaStatus, workloadStatusOf } from './statuses.ts';
import { WantedReader } from './wanted.ts';

/** What the operator is given by whoever starts it. */
export interface OperatorPorts
  extends Pick<EnginePorts, 'clock' | 'scheduleScaler' | 'metrics' | 'notify' | 'newSuffix'> {
  /** Has journal, ledger and state. */
  readonly embedded: Store;
  /** Opens triggers, signed in to by what the store has. */
  triggers(store: Store, engine: () => Engine): TriggerPort;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, data?: Record<string, unknown>): void;
}

export interface LeadingOptions {
  readonly client: KubernetesClient;
  readonly view: ClusterView;
  readonly leadership: Leadership;
  readonly ports: OperatorPorts;
  readonly version: string;
  /** Between two writes of one status; left out: 10 s. */
  readonly statusGapMs?: number;
}

export interface Leading {
  readonly engine: Engine;
  readonly driver: KubernetesDriver;
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
  const driver = new KubernetesDriver({
    client,
    clock,
    pods: view.pods,
    bindings,
    adopted: { class: 'default', revision: targetRevision },
    mayWrite,
    log,
  });
  const gateway = noGateway();
  const reader = new WantedReader(client, view);
  const statuses = new StatusWriter({
    client,
    clock,
    mayWrite,
    log,
    ...(options.statusGapMs === undefined ? {} : { gapMs: options.statusGapMs }),
  });
  const reconciler: Reconciler = new Reconciler(
    { client, view, reader, driver, log, statusChanged, statusGone },
    storeSink(store, epoch, () => clock.nowMs()),
  );
  const triggers = withEnvironment(
    ports.triggers(store, () => engine),
    (request) => (request.kind === 'ScaledObject' ? reconciler.environmentOf(request.key) : {}),
  );
  const engine: Engine = createEngine({
    ports: {
      clock,
      store,
      driver,
      gateway,
      triggers,
      log,
      scheduleScaler: (schedules, events) => ports.scheduleScaler(schedules, events),
      newSuffix: () => ports.newSuffix(),
      ...(ports.metrics ? { metrics: ports.metrics } : {}),
      ...(ports.notify ? { notify: ports.notify } : {}),
    },
    epoch,
    version,
    node: 'kubernetes',
    limits: noLimits,
  });

  function statusChanged(object: KubernetesObject): void {
    if (object.kind === 'Workload') {
      statuses.changed(resources.workloads, object, () => {
        const key = keyOf(object);
        const problem = reader.problemOf(object);
        if (problem) return { conditions: [notReady(problem, object, clock.nowMs())] };
        const status = engine.status(key);
        return status && workloadStatusOf(status, object.generation, driver.scaleOf(key)?.external ?? null);
      });
      return;
    }
    statuses.changed(resources.scaledObjects, object, () => {
      const spec = reader.specOf(object);
      const target = keyOf({ namespace: object.namespace, name: spec?.target.name ?? '' });
      return kedaStatus({
        spec,
        problem: reader.problemOf(object),
        status: engine.scaledObject(keyOf(object)),
        plural: reconciler.pluralOf(target),
        originalReplicas: reconciler.originalOf(target),
        external: driver.scaleOf(target)?.external ?? null,
      });
    });
  }

  function statusGone(object: KubernetesObject): void {
    statuses.forget(object.kind === 'Workload' ? resources.workloads : resources.scaledObjects, object);
  }

  const unlisten = view.listen((event) => reconciler.onEvent(event));
  await reconciler.fill();
  await engine.start();
  reconciler.useSink(engineSink(engine));
  // What changed while the engine started.
  await reconciler.settle();
  const unwatch = engine.watch((event) => {
    if (event.type !== 'status') return;
    const { namespace, name, scaledBy } = event.status;
    const objects = [
      view.workloads.get({ namespace, name }),
      scaledBy?.kind === 'ScaledObject' ? view.scaledObjects.get({ namespace, name: scaledBy.name }) : null,
    ];
    for (const object of objects) if (object) statusChanged(object);
  });
  log('info', 'the operator decides', { epoch, workloads: engine.statuses().length });

  async function end(): Promise<void> {
    unlisten();
    unwatch();
    await reconciler.close();
    await engine.stop();
    statuses.close();
    await bindings.flush();
    await driver.close();
    await gateway.close();
  }
  let ending: Promise<void> | null = null;
  return { engine, driver, stop: () => (ending ??= end()) };
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
