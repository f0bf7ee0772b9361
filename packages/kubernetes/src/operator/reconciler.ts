import { keyText, type ObjectKey } from '@ebb/documents';
import { ApplyError, type ApplyInput } from '@ebb/engine';
import type { KubernetesClient } from '../client/client.ts';
import { UnmetError, unmetWaitMs } from '../client/missingPermission.ts';
import { type KubernetesObject, objectName, parseObjectName } from '../client/objects.ts';
import { Retries } from '../client/retries.ts';
import { numberAt } from '../client/values.ts';
import type { TargetDriver } from '../advice/modeDriver.ts';
import type { Mode } from '../advice/mode.ts';
import { isPlainKind, plainTargetState, podRefusal, type TargetReference } from '../driver/target.ts';
import { httpKinds, targetOf } from '../gateways/httpDocuments.ts';
import type { InformerEvent } from '../informer/informer.ts';
import type { ClusterView } from './cluster.ts';
import { hpaTarget } from './conflicts.ts';
import { keyOf, scaledObjectInput } from './documents.ts';
import { targetId } from './targets.ts';
import type { Wanted, WantedReader } from './wanted.ts';
import { lastActiveOf } from './statuses.ts';

/** Where documents go: the engine, or its store before it has started. */
export interface DocumentSink {
  apply(inputs: readonly ApplyInput[]): Promise<void>;
  remove(kind: string, key: ObjectKey): Promise<void>;
}

export interface ReconcilerOptions {
  readonly client: KubernetesClient;
  readonly view: ClusterView;
  readonly reader: WantedReader;
  readonly driver: TargetDriver;
  /** An object's status may be another one by now. */
  statusChanged(object: KubernetesObject): void;
  statusGone(object: KubernetesObject): void;
  log(level: 'info' | 'warn' | 'error', message: string, data?: Record<string, unknown>): void;
}

/** What the engine and the driver have been told of a workload. */
interface Told {
  mode: Mode;
  scaledObject: ObjectKey | null;
  workload: boolean;
  reference: TargetReference | null;
  /** Count that was found when it was taken over. */
  original: number | null;
  restore: boolean;
}

const authenticationKinds = ['TriggerAuthentication', 'ClusterTriggerAuthentication'];

/**
 * Brings what the cluster says to the engine: each name with its ScaledObject, its Workload and its target, as a whole and
 * from what stands now, so that it does not matter which of them came first.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #told = new Map<string, Told>();
  readonly #byTarget = new Map<string, Set<string>>();
  readonly #targetOf = new Map<string, string>();
  readonly #env = new Map<string, Record<string, string>>();
  readonly #due = new Set<string>();
  readonly #retries: Retries;
  #sink: DocumentSink;
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(options: ReconcilerOptions, sink: DocumentSink) {
    this.#options = options;
    this.#retries = new Retries(options.client);
    this.#sink = sink;
  }

  /** Variables that triggers of a ScaledObject may name. */
  environmentOf(scaledObject: ObjectKey): Record<string, string> {
    return this.#env.get(keyText(scaledObject)) ?? {};
  }

  originalOf(workload: { namespace: string; name: string }): number | null {
    return this.#told.get(objectName(workload))?.original ?? null;
  }

  /** What a target's collection is called; null where it is not followed. */
  pluralOf(workload: { namespace: string; name: string }): string | null {
    return this.#told.get(objectName(workload))?.reference?.resource.plural ?? null;
  }

  /** Takes in everything that is there, into the store of an engine that has not started yet. */
  async fill(): Promise<void> {
    const { view, reader } = this.#options;
    await this.#sink.apply(
      [...view.authentications.list(), ...view.clusterAuthentications.list()].map(scaledObjectInput),
    );
    for (const object of view.scaledObjects.list()) for (const key of reader.note(object, false)) this.#due.add(key);
    for (const object of view.workloads.list()) this.#due.add(objectName(object));
    for (const hpa of view.autoscalers.list()) {
      const name = reader.isFollowed(hpa) ? hpaTarget(hpa) : null;
      if (name !== null) this.#due.add(objectName({ namespace: hpa.namespace, name }));
    }
    for (const object of [...view.httpScaledObjects.list(), ...view.interceptorRoutes.list()]) {
      await this.#takeIn(object, false);
      const name = targetOf(object);
      if (name !== null) this.#due.add(objectName({ namespace: object.namespace, name }));
    }
    await this.settle();
    for (const object of [...view.scaledObjects.list(), ...view.workloads.list()]) this.#options.statusChanged(object);
  }

  /** The engine has started: it hears of changes from now on. */
  useSink(sink: DocumentSink): void {
    this.#sink = sink;
  }

  onEvent(event: InformerEvent): void {
    const { object } = event;
    const { reader, statusChanged, statusGone } = this.#options;
    const isGone = event.type === 'delete';
    if (object.kind === 'ScaledObject' || object.kind === 'Workload') {
      if (isGone) statusGone(object);
      else if (event.before?.generation === object.generation && isSameMeta(event.before, object)) return;
      const keys = object.kind === 'Workload' ? [objectName(object)] : reader.note(object, isGone);
      if (isGone && object.kind === 'Workload') reader.forget(object);
      for (const key of keys) this.#touch(key);
      if (!isGone) statusChanged(object);
    } else if (object.kind === 'HorizontalPodAutoscaler') {
      // Its status changes every fifteen seconds, and says nothing of whose the target is.
      if (event.type === 'put' && event.before && isSameDocument(event.before, object)) return;
      const names = [hpaTarget(object), event.type === 'put' && event.before ? hpaTarget(event.before) : null];
      for (const name of names) {
        if (name !== null) this.#touch(objectName({ namespace: object.namespace, name }));
      }
    } else if (httpKinds.includes(object.kind)) {
      void this.#takeIn(object, isGone);
      for (const one of [object, event.type === 'put' ? event.before : null]) {
        const name = one && targetOf(one);
        if (name) this.#touch(objectName({ namespace: object.namespace, name }));
      }
    } else if (authenticationKinds.includes(object.kind)) void this.#takeIn(object, isGone);
    else this.#target(event);
  }

  /** Resolves once everything that is due is done. */
  settle(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retries.close();
    await this.#running;
  }

  #target(event: InformerEvent): void {
    const { object } = event;
    const keys = this.#byTarget.get(targetId(object)) ?? new Set([objectName(object)]);
    for (const key of keys) {
      const reference = this.#told.get(key)?.reference;
      // At once and in order: a count that others have set is not to be overtaken by ours.
      if (event.type === 'put' && reference && isPlainKind(reference.resource)) {
        this.#options.driver.manage(reference, plainTargetState(object), this.#told.get(key)?.mode ?? 'advice');
        // Pods that are refused are seen in its status alone.
        const refused = event.before && podRefusal(event.before.body)?.message;
        if (refused !== podRefusal(object.body)?.message) this.#tellStatuses(parseObjectName(key));
        if (event.before?.generation === object.generation) continue;
      }
      this.#touch(key);
    }
  }

  #touch(key: string): void {
    if (this.#closed) return;
    this.#due.add(key);
    void this.settle();
  }

  async #run(): Promise<void> {
    // After the turn: a burst of changes of one name is one.
    await Promise.resolve();
    for (let [key] = this.#due; key !== undefined && !this.#closed; [key] = this.#due) {
      this.#due.delete(key);
      await this.#sync(key);
    }
  }

  async #sync(key: string): Promise<void> {
    const { reader, log } = this.#options;
    const at = parseObjectName(key);
    try {
      const wanted = await reader.wanted(at);
      if (this.#closed) return;
      await this.#bring(key, at, wanted);
      this.#retries.succeeded(key);
      this.#tellStatuses(at);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log('warn', 'a workload could not be taken in', { key, error: message });
      // A document that is refused is refused again until it changes.
      if (error instanceof ApplyError) return;
      const isUnmet = error instanceof UnmetError;
      if (isUnmet) reader.unmet(at, { reason: error.reason, message });
      if (isUnmet) this.#tellStatuses(at);
      this.#retries.later(key, isUnmet ? unmetWaitMs : null, () => this.#touch(key));
    }
  }

  async #bring(key: string, at: { namespace: string; name: string }, wanted: Wanted): Promise<void> {
    const { driver } = this.#options;
    const workload = keyOf(at);
    const told: Told = this.#told.get(key) ?? {
      mode: wanted.mode,
      scaledObject: null,
      workload: false,
      reference: null,
      original: null,
      restore: false,
    };
    const { scaledObject, target, inputs } = wanted;
    const claim = scaledObject ? keyOf(scaledObject.object) : null;
    const isWorkload = inputs.some(({ kind }) => kind === 'Workload');
    const isFollowed = target !== null && (claim !== null || wanted.workload !== null || wanted.isHttpScaled);
    const isSameTarget = told.reference !== null && isFollowed && isSame(told.reference, target.object);
    if (isSameTarget && told.mode !== wanted.mode) {
      // In charge from now on, or no more: what is decided stays, and is asked of the other driver.
      told.reference = null;
      driver.expect(workload, null, wanted.mode);
    } else if (told.reference && !isSameTarget) await this.#letGo(workload, told);
    if (told.scaledObject && (!claim || keyText(claim) !== keyText(told.scaledObject))) {
      await this.#sink.remove('ScaledObject', told.scaledObject);
      this.#env.delete(keyText(told.scaledObject));
    }
    if (told.workload && !isWorkload) await this.#sink.remove('Workload', workload);
    if (claim && wanted.env) this.#env.set(keyText(claim), wanted.env);
    const next: Told = { ...told, mode: wanted.mode, scaledObject: claim, workload: isWorkload };
    if (scaledObject) next.restore = scaledObject.spec.restoreToOriginalReplicaCount;
    this.#told.set(key, next);
    this.#noteTarget(key, wanted);
    const state = isFollowed ? await this.#options.view.targets.stateOf(target) : null;
    if (state) {
      const lastActiveAtMs = scaledObject && lastActiveOf(scaledObject.object, this.#options.client.clock.nowMs());
      driver.expect(workload, { replicas: state.replicas, lastActiveAtMs }, wanted.mode);
    }
    try {
      if (inputs.length > 0) await this.#sink.apply(inputs);
    } catch (error) {
      if (!next.reference) driver.release(workload);
      throw error;
    }
    if (isFollowed && state) {
      next.reference = { workload, resource: target.resource, ...named(target.object) };
      const saved = scaledObject && numberAt(scaledObject.object.body, 'status', 'originalReplicaCount');
      next.original ??= saved ?? state.replicas;
      driver.manage(next.reference, state, wanted.mode);
    } else if (inputs.length === 0 && next.original === null) this.#told.delete(key);
  }

  /** The target stays as it is, or goes back to the count that was found, where its ScaledObject asks for that. */
  async #letGo(workload: ObjectKey, told: Told): Promise<void> {
    const { driver, client, view, log } = this.#options;
    const { reference, original, restore, scaledObject } = told;
    told.reference = null;
    driver.release(workload);
    // One that is paused or refused is still there, and means to come back to what was found; one that is being deleted does not.
    if (scaledObject && view.scaledObjects.get(scaledObject)?.deletedAtMs === null) return;
    told.original = null;
    if (!reference || !restore || original === null || told.mode === 'advice') return;
    try {
      const { replicas, resourceVersion } = await client.readScale(reference.resource, reference);
      if (replicas !== original) await client.writeScale(reference.resource, reference, original, resourceVersion);
    } catch (error) {
      log('warn', 'the count that was found could not be restored', { target: reference.name, error: String(error) });
    }
  }

  #noteTarget(key: string, { targetName }: Wanted): void {
    const before = this.#targetOf.get(key);
    const id = targetName && targetId(targetName);
    if (before === id) return;
    if (before !== undefined) {
      const keys = this.#byTarget.get(before);
      keys?.delete(key);
      if (keys?.size === 0) this.#byTarget.delete(before);
    }
    this.#targetOf.delete(key);
    if (id === null) return;
    this.#targetOf.set(key, id);
    this.#byTarget.set(id, (this.#byTarget.get(id) ?? new Set()).add(key));
  }

  #tellStatuses(at: { namespace: string; name: string }): void {
    const { view, reader, statusChanged } = this.#options;
    for (const object of reader.claimsOf(at)) statusChanged(object);
    const workload = view.workloads.get(at);
    if (workload) statusChanged(workload);
  }

  async #takeIn(object: KubernetesObject, isGone: boolean): Promise<void> {
    try {
      const input = scaledObjectInput(object);
      if (isGone) await this.#sink.remove(input.kind, input.key);
      else await this.#sink.apply([input]);
    } catch (error) {
      this.#options.log('warn', `a ${object.kind} could not be taken in`, { name: object.name, error: String(error) });
    }
  }
}

function named({ namespace, name }: KubernetesObject): { namespace: string; name: string } {
  return { namespace, name };
}

function isSame(reference: TargetReference, object: KubernetesObject): boolean {
  return objectName(reference) === objectName(object) && reference.resource.kind === object.kind;
}

/** Of kinds whose generation does not say it. */
function isSameDocument(left: KubernetesObject, right: KubernetesObject): boolean {
  return isSameMeta(left, right) && JSON.stringify(left.body.spec) === JSON.stringify(right.body.spec);
}

/** Annotations pause and improve; a status that was written changes neither. */
function isSameMeta(left: KubernetesObject, right: KubernetesObject): boolean {
  return (
    JSON.stringify([left.annotations, left.labels, left.deletedAtMs]) ===
    JSON.stringify([right.annotations, right.labels, right.deletedAtMs])
  );
}
