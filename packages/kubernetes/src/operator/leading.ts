import type { Store, TriggerPort, TriggerRequest } from '@ebb/core';
import { type Condition, type DecisionStatus, keyText, parseKeyText, type ObjectKey } from '@ebb/documents';
import { createEngine, type Engine, type EnginePorts, targetRevision } from '@ebb/engine';
import type { InsideView } from '@ebb/scalers';
import { Advising } from '../advice/advising.ts';
import type { Comparison } from '../advice/comparison.ts';
import type { Mode } from '../advice/mode.ts';
import type { KubernetesClient } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { type Namespaces, resources } from '../client/resources.ts';
import { PodBindings } from '../driver/bindings.ts';
import { KubernetesDriver } from '../driver/kubernetesDriver.ts';
import type { TargetReference } from '../driver/target.ts';
import { ScaledJobsOfCluster } from '../jobs/scaledJobs.ts';
import { blindTriggers } from '../gateways/blindTriggers.ts';
import { followGateways, type GatewayPorts } from '../gateways/gateways.ts';
import { type ServedState, ServeServices } from '../gateways/serveServices.ts';
import type { Leadership } from '../leases/elector.ts';
import { leadNodes, type OperatorNodes } from '../nodes/leadNodes.ts';
import { readClusterMetric } from '../metrics/clusterMetrics.ts';
import { ExternalMetricsApi, type ExternalMetricsSettings } from '../metrics/externalMetricsApi.ts';
import { PodUsageReader } from '../metrics/podUsage.ts';
import { withPodUsage } from '../metrics/withPodUsage.ts';
import { leadSizing, notSwitchedOn, SizingAsked } from '../sizing/leadSizing.ts';
import { leadWarmth } from '../warmth/leadWarmth.ts';
import type { WarmthImages } from '../warmth/objects.ts';
import type { NodesView } from '../nodes/nodesView.ts';
import { kubernetesStore } from '../store/kubernetesStore.ts';
import { EventWriter } from '../store/eventWriter.ts';
import { StatusWriter } from '../store/statusWriter.ts';
import type { ClusterView } from './cluster.ts';
import { withCompanions } from './companions.ts';
import { keyOf } from './documents.ts';
import { KedaFinalizers } from './kedaFinalizers.ts';
import { noGateway } from './noGateway.ts';
import { type DocumentSink, Reconciler } from './reconciler.ts';
import { ObjectEvents } from './objectEvents.ts';
import { adviceStatusOf, kedaStatus, lastActiveOf, workloadStatusOf } from './statuses.ts';
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
  /** Whether pods are sized as Workloads say; left out: they are not. */
  readonly sizing?: boolean;
  /** Keeps images and room for targets whose annotations ask for it, by these images; left out: it does not. */
  readonly warmth?: WarmthImages;
  /** Opens triggers, signed in to by what the store has. */
  triggers(store: Store, engine: () => Engine, clusterMetric: NonNullable<InsideView['clusterMetric']>): TriggerPort;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, data?: Record<string, unknown>): void;
}

export interface LeadingOptions {
  readonly client: KubernetesClient;
  /** The operator's own, where gateways are; and those whose pods are followed. */
  readonly namespaces: { readonly own: string; readonly followed: Namespaces };
  readonly view: ClusterView;
  /** Null: machines are not decided on. */
  readonly nodesView?: NodesView | null;
  readonly leadership: Leadership;
  readonly ports: OperatorPorts;
  readonly version: string;
  /** What this process calls itself. */
  readonly instance: string;
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
  /** The Services whose endpoints are kept. */
  servedServices(): ServedState[];
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
  const gap = options.statusGapMs === undefined ? {} : { gapMs: options.statusGapMs };
  const eventWriter = new EventWriter({ client, clock, instance: options.instance, mayWrite, log, ...gap });
  // Whoever only advises may not write them.
  const events = options.mode === 'advice' ? null : new ObjectEvents(eventWriter);
  const driver = new KubernetesDriver({
    ...{ client, clock, pods: view.pods, bindings, adopted, mayWrite, log },
    scaled: tellScaled,
  });
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
        serves: (workload) => reader.isServed(parseKeyText(workload)) || (serve?.serves(workload) ?? false),
        direct: {
          servicesOf: (workload) => serve?.namesOf(workload) ?? [],
          isReached: (workload, endpoint) => serve?.isReached(workload, endpoint) ?? false,
        },
      })
    : null;
  const statuses = new StatusWriter({
    client,
    clock,
    mayWrite,
    log,
    ...gap,
    applied: (...change) => events?.conditions(...change),
    forgotten: (resource, at) => eventWriter.forget(resource, at),
  });
  const serve: ServeServices | null =
    gateways && ports.gateways?.serveServices && options.mode !== 'advice'
      ? new ServeServices({
          ...{ client, clock, namespace: followed, statuses, mayWrite, log },
          gateways: { pods: gateways.pods, namespace },
          pods: view.pods,
          facts: {
            status: (key) => engine.status(key),
            specOf(at, name) {
              const object = reader.claimsOf(at).find((claim) => claim.name === name);
              return object ? reader.specOf(object) : null;
            },
            isAdvised: (at) => reader.isAdvised(at),
          },
          namesChanged: (workload) => gateways.fleet.renamed(workload),
          drainsMayEnd: () => gateways.fleet.lookAtDrains(),
        })
      : null;
  await serve?.start();
  const fleet = gateways?.fleet ?? noGateway();
  const gateway = serve?.around(fleet) ?? fleet;
  const scaledJobs = new ScaledJobsOfCluster({
    ...{ client, clock, view, mode: options.mode, statuses, events, mayWrite, log },
    advise: (real) => advising.runs(real),
  });
  const asked = new SizingAsked(view);
  const sizing = ports.sizing
    ? leadSizing({
        ...{ client, view, reader, asked, state: store.state, epoch, mayWrite, log },
        changed: tellStatuses,
      })
    : null;
  const warmth = ports.warmth
    ? leadWarmth({ ...{ client, view, reader, mayWrite, log }, images: ports.warmth, changed: tellStatuses })
    : null;
  const isMeasured = (workload: ObjectKey) => reader.isMeasured(workload);
  const usage = new PodUsageReader({
    ...{ client, pods: view.pods, log },
    needs: (workload) => isMeasured(workload) || (sizing !== null && asked.of(workload) !== null),
  });
  sizing?.follow(usage);
  const companions = [...(sizing ? [sizing.companion] : []), ...(warmth ? [warmth.companion] : [])];
  const targets = withCompanions(withPodUsage(advising.driver, usage, isMeasured), companions);
  const wholeDriver = scaledJobs.driver(targets);
  const beforeStart = storeSink(store, epoch, () => clock.nowMs());
  const reconciler: Reconciler = new Reconciler(
    { client, view, reader, driver: targets, log, statusChanged, statusGone },
    beforeStart,
  );
  const opened = ports.triggers(
    store,
    () => engine,
    (question, signal) => readClusterMetric(client, question, signal),
  );
  const counted = gateways ? blindTriggers(opened, gateways.fleet, serve) : opened;
  const triggers = withEnvironment(advising.triggers(counted), (request) =>
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
        const more = moreConditions(object, key);
        if (reader.modeOf(object) === 'advice')
          return status && adviceStatusOf(status, object.generation, since.of(object, 'advice'), more);
        return status && workloadStatusOf(status, object.generation, driver.scaleOf(key), more);
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
        lastActiveAtMs: lastActiveOf(object, clock.nowMs()),
        scale: driver.scaleOf(target),
        more: warmth?.conditionOf(target) ?? null,
      });
    });
  }

  /** Of what is done beside scaling. */
  function moreConditions(object: KubernetesObject, key: ObjectKey): Condition[] {
    const found = [sizing?.conditionOf(key), warmth?.conditionOf(key)].filter((one) => one != null);
    if (found.length > 0 || sizing || (asked.of(key)?.apply ?? 'never') === 'never') return found;
    const { namespace, name } = object;
    const atMs = since.of({ kind: 'Sizing', namespace, name }, notSwitchedOn.reason);
    return [{ ...notSwitchedOn, lastTransitionTime: new Date(atMs).toISOString() }];
  }

  /** Whatever asks for the count is told about: KEDA's document, a Workload, or both. */
  function tellScaled({ workload, resource, name }: TargetReference, from: number, to: number): void {
    const change = { target: `${resource.kind} ${name}`, from, to };
    const why = () => whyOf(engine.status(workload)?.decision ?? null);
    for (const object of reader.claimsOf(workload)) events?.scaled(resources.scaledObjects, object, change, why);
    const own = view.workloads.get(workload);
    if (own) events?.scaled(resources.workloads, own, change, why);
  }

  function tellStatuses({ namespace, name }: { namespace: string; name: string }): void {
    const workload = view.workloads.get({ namespace, name });
    if (workload) statusChanged(workload);
    for (const object of reader.claimsOf({ namespace, name })) statusChanged(object);
  }

  function statusGone(object: KubernetesObject): void {
    since.forget(object);
    const resource = object.kind === 'Workload' ? resources.workloads : resources.scaledObjects;
    statuses.forget(resource, object);
  }

  const finalizers = new KedaFinalizers({
    ...{ client, clock, view, mayWrite, log },
    // Whoever has the target beside KEDA's document may be KEDA itself, whose HPA is still there.
    isInCharge: (object) => reader.modeOf(object) === 'control' && reader.problemOf(object)?.reason !== 'ScaleConflict',
  });
  const unlisten = view.listen((event) => {
    seen++;
    finalizers.onEvent(event);
    if (scaledJobs.onEvent(event)) return;
    reconciler.onEvent(event);
    warmth?.onEvent(event);
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
  warmth?.settled();
  serve?.release();
  advising.follow(engine);
  scaledJobs.follow(engine);
  finalizers.begin();
  const unwatch = engine.watchStatuses(({ type, key: { namespace, name } }) => {
    if (type !== 'status') return;
    serve?.changed(keyText(keyOf({ namespace, name })));
    tellStatuses({ namespace, name });
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
    finalizers.close();
    await external?.close();
    await reconciler.close();
    await led?.stop();
    await scaledJobs.close();
    await engine.stop();
    statuses.close();
    eventWriter.close();
    await serve?.close();
    await advising.close();
    await bindings.flush();
    await sizing?.close();
    await warmth?.close();
    await targets.close();
    await (gateways ?? gateway).close();
  }
  let ending: Promise<void> | null = null;
  return {
    engine,
    driver,
    advice: () => advising.comparisons(),
    servedServices: () => serve?.list() ?? [],
    stop: () => (ending ??= end()),
  };
}

/** The last thing that made the count what it is: a step from zero comes before what the readings ask for. */
function whyOf(decision: DecisionStatus | null): string {
  if (!decision) return '';
  const { reasons, replicas, summary } = decision;
  const deciding = reasons.findLast(({ data }) => data.replicas === replicas);
  return (deciding ?? reasons.findLast(({ stage }) => stage === 'combine'))?.sentence ?? summary;
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
