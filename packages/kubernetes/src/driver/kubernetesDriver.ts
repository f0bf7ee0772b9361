import type { Clock, Driver, DriverEvent, FoundTargets, LogLine, ReplicaObservation, ReplicaStart } from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';
import type { KubernetesClient } from '../client/client.ts';
import { permitted, scaleKindRemedy } from '../client/missingPermission.ts';
import { type KubernetesObject, objectName } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { listAt, textAt } from '../client/values.ts';
import type { Informer } from '../informer/informer.ts';
import type { PodBindings } from './bindings.ts';
import { deletionCostAnnotation, type PodView, podView } from './pod.ts';
import type { ExternalChange } from './scaleCount.ts';
import { ScaleTarget } from './scaleTarget.ts';
import { PodIndex } from './podIndex.ts';
import { newSlot, observationOf } from './slots.ts';
import {
  type Found,
  hasDeletionCost,
  isPlainKind,
  type PodRefusal,
  type TargetReference,
  type TargetState,
} from './target.ts';
import { TargetIndex } from './targetIndex.ts';

export interface KubernetesDriverOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly pods: Informer;
  readonly bindings: Pick<PodBindings, 'idOf' | 'changed'>;
  /** Class and revision of replicas that were there before. */
  readonly adopted: { readonly class: string; readonly revision: string };
  /** Whether this process leads: nothing is written otherwise. */
  mayWrite(): boolean;
  /** A count was written. */
  scaled?(reference: TargetReference, from: number, to: number): void;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

export interface ScaleFacts {
  readonly replicas: number | null;
  readonly external: ExternalChange | null;
  readonly refusal: PodRefusal | null;
}

interface Managed {
  readonly reference: TargetReference;
  readonly target: ScaleTarget;
  state: TargetState;
}

/** What was asked for a workload whose target is named next. */
interface Waiting {
  readonly start: ReplicaStart;
  readonly resolve: (outcome?: Promise<void>) => void;
}

/**
 * Replicas are the pods of scale targets. `manage` names a workload's target; what the engine asks for is written to its
 * scale, and what becomes of it is seen in the pods. Targets that are not managed are never written to.
 */
export class KubernetesDriver implements Driver {
  readonly #options: KubernetesDriverOptions;
  readonly #managed = new Map<string, Managed>();
  /** By pod UID: whose it is. */
  readonly #owners = new Map<string, Managed>();
  readonly #targets = new TargetIndex<Managed>();
  readonly #pods: PodIndex;
  readonly #replicas = new Map<string, Managed>();
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #found = new Map<string, Found>();
  /** Asked for without a target: whoever gives them up is to hear that they are gone. */
  readonly #refused = new Map<string, ReplicaStart>();
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  readonly #unwatch: () => void;

  readonly found: FoundTargets = {
    replicas: (workload) => {
      const key = keyText(workload);
      return this.#managed.get(key)?.target.replicas ?? this.#found.get(key)?.replicas ?? null;
    },
    lastActiveAtMs: (workload) => this.#found.get(keyText(workload))?.lastActiveAtMs ?? null,
  };

  constructor(options: KubernetesDriverOptions) {
    this.#options = options;
    this.#pods = new PodIndex(options.pods);
    this.#unwatch = options.pods.watch((event) => {
      if (event.type === 'put') {
        this.#pods.seen(event.object);
        this.#podSeen(event.object);
      } else {
        this.#pods.gone(event.object);
        this.#podGone(event.object);
      }
    });
  }

  /** The engine is told of a workload whose target, found so, is named next: what it asks for until then waits. */
  expect(workload: ObjectKey, found: Found | null): void {
    const key = keyText(workload);
    if (this.#managed.has(key)) return;
    if (found) this.#found.set(key, found);
    if (!this.#waiting.has(key)) this.#waiting.set(key, []);
  }

  /** A target from now on, or what its document says by now. Its pods become replicas. */
  manage(reference: TargetReference, state: TargetState): void {
    const key = keyText(reference.workload);
    const known = this.#managed.get(key);
    if (known && isSameTarget(known.reference, reference)) {
      const selected = known.state.selector;
      known.state = { ...state, selector: selected };
      known.target.observe(state.replicas, state.resourceVersion);
      return;
    }
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    this.#leave(reference.workload);
    const managed: Managed = { reference, target: this.#newTarget(reference), state };
    this.#managed.set(key, managed);
    this.#targets.add(managed);
    managed.target.observe(state.replicas, state.resourceVersion);
    // Asked for before anybody knew what runs: the pods that are there are what was asked for.
    for (const { start, resolve } of waiting) resolve(this.ensure(start));
    for (const pod of this.#pods.near(reference.namespace, state.selector)) this.#podSeen(pod);
  }

  /** Lets go of a workload's target: it stays as it is. */
  release(workload: ObjectKey): void {
    this.#found.delete(keyText(workload));
    this.#leave(workload);
  }

  #leave(workload: ObjectKey): void {
    for (const { start, resolve } of this.#waiting.get(keyText(workload)) ?? []) resolve(this.#refuse(start));
    this.#waiting.delete(keyText(workload));
    const managed = this.#managed.get(keyText(workload));
    if (!managed) return;
    this.#managed.delete(keyText(workload));
    this.#targets.delete(managed);
    for (const [uid, owner] of [...this.#owners]) if (owner === managed) this.#owners.delete(uid);
    managed.target.release();
  }

  /** What the target's scale is, what others have made of it, and why it has fewer pods; null where it is not managed. */
  scaleOf(workload: ObjectKey): ScaleFacts | null {
    const managed = this.#managed.get(keyText(workload));
    if (!managed) return null;
    const { target, state } = managed;
    return { replicas: target.replicas, external: target.external, refusal: state.refusal };
  }

  ensure(start: ReplicaStart): Promise<void> {
    const key = keyText(start.workload);
    const managed = this.#managed.get(key);
    const waiting = this.#waiting.get(key);
    if (!managed && waiting) return new Promise((resolve) => waiting.push({ start, resolve }));
    if (!managed) return this.#refuse(start);
    this.#refused.delete(start.id);
    this.#replicas.set(start.id, managed);
    return managed.target.ensure(start);
  }

  async stop(id: string): Promise<void> {
    for (const waiting of this.#waiting.values()) {
      const at = waiting.findIndex(({ start }) => start.id === id);
      const [found] = at < 0 ? [] : waiting.splice(at, 1);
      if (found) this.#refused.set(id, found.start);
      found?.resolve();
    }
    const refused = this.#refused.get(id);
    if (refused) {
      this.#refused.delete(id);
      const slot = newSlot(refused, { atMs: this.#options.clock.nowMs(), atUs: null });
      this.#tell({ type: 'replica', replica: observationOf(slot, refused.workload, 'gone') });
      return;
    }
    await this.#replicas.get(id)?.target.stop(id);
  }

  planned(workload: ObjectKey, replicas: number): void {
    this.#managed.get(keyText(workload))?.target.planned(replicas);
  }

  async list(): Promise<ReplicaObservation[]> {
    await this.#options.pods.synced;
    return [...this.#managed.values()].flatMap(({ target }) => target.list());
  }

  watch(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // biome-ignore lint/correctness/useYield: the kubelet has them, `kubectl logs` shows them
  async *logs(): AsyncIterableIterator<LogLine> {}

  async close(): Promise<void> {
    this.#unwatch();
    this.#listeners.clear();
    for (const { target } of this.#managed.values()) target.close();
    this.#managed.clear();
  }

  #newTarget(reference: TargetReference): ScaleTarget {
    const { client, clock, pods, bindings, adopted, mayWrite, log } = this.#options;
    const { resource, workload } = reference;
    const key = keyText(workload);
    const mark = async (pod: PodView, cost: number | null) => {
      if (!hasDeletionCost(resource) && !isOfReplicaSet(pods.get(pod))) return;
      const annotations = { [deletionCostAnnotation]: cost === null ? null : String(cost) };
      await client.mergePatch(resources.pods, pod, { metadata: { annotations } });
    };
    const target: ScaleTarget = new ScaleTarget({
      clock,
      workload,
      adopted,
      log,
      idOf: (uid) => bindings.idOf(uid),
      isTaken: (id) => {
        const other = this.#replicas.get(id);
        return other !== undefined && other !== this.#managed.get(key);
      },
      bindingsChanged: () => bindings.changed(key, () => target.bindings()),
      tell: (replica) => {
        const managed = this.#managed.get(key);
        if (replica.phase === 'gone') this.#replicas.delete(replica.id);
        else if (managed) this.#replicas.set(replica.id, managed);
        this.#tell({ type: 'replica', replica });
      },
      actions: {
        readScale: () => client.readScale(resource, reference),
        writeScale: async (replicas, version) => {
          const before = target.replicas;
          const written = client.writeScale(resource, reference, replicas, version);
          const scale = await permitted(written, scaleKindRemedy(resource));
          this.#options.scaled?.(reference, before ?? replicas, replicas);
          return scale;
        },
        deletePod: async (pod) => {
          await client.delete(resources.pods, pod, { uid: pod.uid });
        },
        mayWrite,
        ...(hasDeletionCost(resource) || !isPlainKind(resource) ? { setDeletionCost: mark } : {}),
      },
    });
    return target;
  }

  async #refuse(start: ReplicaStart): Promise<never> {
    this.#refused.set(start.id, start);
    throw new Error(`${keyText(start.workload)} has no scale target that is managed here`);
  }

  #tell(event: DriverEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  #podSeen(pod: KubernetesObject): void {
    const known = this.#owners.get(pod.uid);
    const managed = known ?? this.#targets.ownerOf(pod);
    if (!managed) return;
    if (known && !known.state.selector(pod.labels)) {
      this.#podGone(pod);
      return;
    }
    this.#owners.set(pod.uid, managed);
    managed.target.podSeen(podView(pod));
  }

  #podGone({ uid }: KubernetesObject): void {
    const managed = this.#owners.get(uid);
    this.#owners.delete(uid);
    managed?.target.podGone(uid);
  }
}

function isSameTarget(left: TargetReference, right: TargetReference): boolean {
  return objectName(left) === objectName(right) && left.resource.plural === right.resource.plural;
}

/** Other kinds may have ReplicaSets too, as Argo's Rollout does. */
function isOfReplicaSet(pod: KubernetesObject | null): boolean {
  return listAt(pod?.body, 'metadata', 'ownerReferences').some((owner) => textAt(owner, 'kind') === 'ReplicaSet');
}
