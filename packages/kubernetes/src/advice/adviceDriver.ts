import type { Clock, Driver, DriverEvent, FoundTargets, LogLine, ReplicaObservation, ReplicaStart } from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';
import type { KubernetesObject } from '../client/objects.ts';
import { isLive, type PodView, podView } from '../driver/pod.ts';
import { PodIndex } from '../driver/podIndex.ts';
import type { Found, TargetReference, TargetState } from '../driver/target.ts';
import { TargetIndex } from '../driver/targetIndex.ts';
import type { Informer } from '../informer/informer.ts';

export interface AdviceDriverOptions {
  readonly clock: Clock;
  readonly pods: Informer;
  /** Class and revision of replicas that are there. */
  readonly adopted: { readonly class: string; readonly revision: string };
  /** What runs of a workload, or is to run, is another number by now. */
  onActual(workload: ObjectKey): void;
}

/** What is really there of a target. */
export interface ActualReplicas {
  /** What its scale says, by whoever decides it. */
  readonly wanted: number;
  readonly live: number;
  readonly ready: number;
}

interface Imagined {
  readonly start: Pick<ReplicaStart, 'id' | 'workload' | 'class' | 'revision'>;
  readonly askedAtMs: number;
  readonly askedAtUs: number | null;
  readyAtMs: number | null;
  readyAtUs: number | null;
  /** The pod whose readiness is its own, while it starts. */
  pod: string | null;
  cancel: (() => void) | null;
}

interface Advised {
  readonly reference: TargetReference;
  state: TargetState;
  readonly pods: Map<string, PodView>;
  readonly imagined: Map<string, Imagined>;
  /** How long pods took from made to ready, newest last. */
  readonly startsMs: Map<string, number>;
}

/** What was asked for a workload whose target is named next. */
interface Waiting {
  readonly start: ReplicaStart;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Before any pod of a target was seen to start. */
const assumedStartMs = 1000;
const startsKept = 20;

/**
 * The driver of advice: what the engine asks for is imagined and nothing is written. It begins with the pods that are
 * there; from then on replicas come and go as the engine says, ready after what the target's own pods take to start.
 * It has no client, so that it could not write.
 */
export class AdviceDriver implements Driver {
  readonly #options: AdviceDriverOptions;
  readonly #advised = new Map<string, Advised>();
  readonly #targets = new TargetIndex<Advised>();
  /** By the id of what is imagined. */
  readonly #byId = new Map<string, Advised>();
  /** By pod UID: whose it is. */
  readonly #owners = new Map<string, Advised>();
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #found = new Map<string, Found>();
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  readonly #pods: PodIndex;
  readonly #unwatch: () => void;

  readonly found: FoundTargets = {
    replicas: (workload) => {
      const key = keyText(workload);
      return this.#advised.get(key)?.state.replicas ?? this.#found.get(key)?.replicas ?? null;
    },
    lastActiveAtMs: (workload) => this.#found.get(keyText(workload))?.lastActiveAtMs ?? null,
  };

  constructor(options: AdviceDriverOptions) {
    this.#options = options;
    this.#pods = new PodIndex(options.pods);
    this.#unwatch = options.pods.watch(({ type, object }) => {
      if (type === 'put') {
        this.#pods.seen(object);
        this.#podSeen(object);
      } else {
        this.#pods.gone(object);
        this.#podGone(object);
      }
    });
  }

  /** The engine is told of a workload whose target, found so, is named next: what it asks for until then waits. */
  expect(workload: ObjectKey, found: Found | null): void {
    const key = keyText(workload);
    if (this.#advised.has(key)) return;
    if (found) this.#found.set(key, found);
    if (!this.#waiting.has(key)) this.#waiting.set(key, []);
  }

  /** Follows a target from now on, or takes in what its document says by now. */
  manage(reference: TargetReference, state: TargetState): void {
    const key = keyText(reference.workload);
    const known = this.#advised.get(key);
    if (known) {
      known.state = { ...state, selector: known.state.selector };
      this.#options.onActual(reference.workload);
      return;
    }
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    const advised: Advised = { reference, state, pods: new Map(), imagined: new Map(), startsMs: new Map() };
    this.#advised.set(key, advised);
    this.#targets.add(advised);
    for (const pod of this.#pods.near(reference.namespace, state.selector)) {
      if (!isOf(advised, pod) || this.#owners.has(pod.uid)) continue;
      this.#owners.set(pod.uid, advised);
      this.#note(advised, podView(pod));
    }
    const there = [...advised.pods.values()].filter(isLive).sort((left, right) => left.createdAtMs - right.createdAtMs);
    for (const { start, resolve } of waiting) {
      this.#imagine(advised, start, there.shift() ?? null);
      resolve();
    }
    while (advised.imagined.size < state.replicas) {
      const pod = there.shift();
      if (!pod) break;
      // Pods of StatefulSets of one name have the same names in two namespaces.
      const id = this.#byId.has(pod.name) ? `${pod.namespace}.${pod.name}` : pod.name;
      this.#imagine(advised, { id, workload: reference.workload, ...this.#options.adopted }, pod);
    }
    this.#options.onActual(reference.workload);
  }

  /** What was imagined is forgotten. */
  release(workload: ObjectKey): void {
    const key = keyText(workload);
    this.#found.delete(key);
    for (const { reject } of this.#waiting.get(key) ?? []) reject(notAdvised(workload));
    this.#waiting.delete(key);
    const advised = this.#advised.get(key);
    if (!advised) return;
    this.#advised.delete(key);
    this.#targets.delete(advised);
    for (const uid of advised.pods.keys()) this.#owners.delete(uid);
    for (const one of [...advised.imagined.values()]) {
      this.#tell(one, 'stopping');
      this.#forget(advised, one);
    }
    this.#options.onActual(workload);
  }

  /** What runs; null: it is not advised on. */
  actualOf(workload: ObjectKey): ActualReplicas | null {
    const advised = this.#advised.get(keyText(workload));
    if (!advised) return null;
    const live = [...advised.pods.values()].filter(isLive);
    return {
      wanted: advised.state.replicas,
      live: live.length,
      ready: live.filter(({ phase }) => phase === 'ready').length,
    };
  }

  /** Such as `Deployment/web`. */
  targetOf(workload: ObjectKey): string {
    const reference = this.#advised.get(keyText(workload))?.reference;
    return reference ? `${reference.resource.kind}/${reference.name}` : '';
  }

  /** Median of what its pods took from made to ready, ms. */
  startMsOf(workload: ObjectKey): number {
    const starts = [...(this.#advised.get(keyText(workload))?.startsMs.values() ?? [])].sort((a, b) => a - b);
    return starts[Math.floor(starts.length / 2)] ?? assumedStartMs;
  }

  async ensure(start: ReplicaStart): Promise<void> {
    const key = keyText(start.workload);
    const waiting = this.#waiting.get(key);
    const advised = this.#advised.get(key);
    if (advised) {
      if (!advised.imagined.has(start.id)) this.#imagine(advised, start, null);
      return;
    }
    if (!waiting) throw notAdvised(start.workload);
    await new Promise<void>((resolve, reject) => waiting.push({ start, resolve, reject }));
  }

  async stop(id: string): Promise<void> {
    for (const waiting of this.#waiting.values()) {
      const at = waiting.findIndex(({ start }) => start.id === id);
      const [found] = at < 0 ? [] : waiting.splice(at, 1);
      found?.resolve();
    }
    const advised = this.#byId.get(id);
    const imagined = advised?.imagined.get(id);
    if (advised && imagined) this.#forget(advised, imagined);
  }

  async list(): Promise<ReplicaObservation[]> {
    await this.#options.pods.synced;
    return [...this.#advised.values()].flatMap(({ imagined }) =>
      [...imagined.values()].map((one) => observationOf(one, phaseOf(one))),
    );
  }

  watch(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // biome-ignore lint/correctness/useYield: what is imagined says nothing
  async *logs(): AsyncIterableIterator<LogLine> {}

  async close(): Promise<void> {
    this.#unwatch();
    this.#listeners.clear();
    for (const { imagined } of this.#advised.values()) for (const one of imagined.values()) one.cancel?.();
    this.#advised.clear();
    this.#byId.clear();
    this.#owners.clear();
  }

  /** Of a pod that is there: as ready as it is. Else ready after as long as pods of this target take. */
  #imagine(advised: Advised, start: Imagined['start'], pod: PodView | null): void {
    const { clock } = this.#options;
    const { workload } = advised.reference;
    const nowMs = clock.nowMs();
    const one: Imagined = {
      start: { id: start.id, workload, class: start.class, revision: start.revision },
      // A pod's times are of other machines' clocks, which may be ahead.
      askedAtMs: Math.min(pod?.createdAtMs ?? nowMs, nowMs),
      askedAtUs: pod ? null : clock.nowUs(),
      readyAtMs: pod?.phase === 'ready' ? Math.min(pod.readyAtMs ?? pod.createdAtMs, nowMs) : null,
      readyAtUs: null,
      pod: pod?.uid ?? null,
      cancel: null,
    };
    advised.imagined.set(start.id, one);
    this.#byId.set(start.id, advised);
    if (one.readyAtMs === null) {
      one.cancel = clock.at(nowMs + this.startMsOf(workload), () => this.#ready(one));
    }
    this.#tell(one);
  }

  #ready(one: Imagined): void {
    if (one.readyAtMs !== null) return;
    const { clock } = this.#options;
    one.cancel?.();
    one.cancel = null;
    one.readyAtMs = clock.nowMs();
    one.readyAtUs = one.askedAtUs === null ? null : clock.nowUs();
    this.#tell(one);
  }

  #forget(advised: Advised, one: Imagined): void {
    one.cancel?.();
    advised.imagined.delete(one.start.id);
    if (this.#byId.get(one.start.id) === advised) this.#byId.delete(one.start.id);
    this.#tell(one, 'gone');
  }

  #tell(one: Imagined, phase: ReplicaObservation['phase'] = phaseOf(one)): void {
    const event: DriverEvent = { type: 'replica', replica: observationOf(one, phase) };
    for (const listener of [...this.#listeners]) listener(event);
  }

  #podSeen(object: KubernetesObject): void {
    const known = this.#owners.get(object.uid);
    // With other labels it is nobody's, or another one's.
    if (known && !isOf(known, object)) this.#podGone(object);
    const advised = this.#owners.get(object.uid) ?? this.#targets.ownerOf(object);
    if (!advised) return;
    this.#owners.set(object.uid, advised);
    const pod = podView(object);
    const before = advised.pods.get(pod.uid);
    this.#note(advised, pod);
    for (const one of advised.imagined.values()) if (one.pod === pod.uid && pod.phase === 'ready') this.#ready(one);
    if (before?.phase !== pod.phase) this.#options.onActual(advised.reference.workload);
  }

  #podGone({ uid }: KubernetesObject): void {
    const advised = this.#owners.get(uid);
    this.#owners.delete(uid);
    if (advised?.pods.delete(uid)) this.#options.onActual(advised.reference.workload);
  }

  #note(advised: Advised, pod: PodView): void {
    advised.pods.set(pod.uid, pod);
    const { startsMs } = advised;
    if (pod.phase !== 'ready' || pod.readyAtMs === null || pod.restarts > 0 || startsMs.has(pod.uid)) return;
    startsMs.set(pod.uid, Math.max(0, pod.readyAtMs - pod.createdAtMs));
    for (const uid of [...startsMs.keys()].slice(0, Math.max(0, startsMs.size - startsKept))) startsMs.delete(uid);
  }
}

function isOf({ reference, state }: Advised, { namespace, labels }: KubernetesObject): boolean {
  return namespace === reference.namespace && state.selector(labels);
}

function phaseOf({ readyAtMs }: Imagined): ReplicaObservation['phase'] {
  return readyAtMs === null ? 'starting' : 'ready';
}

function observationOf(one: Imagined, phase: ReplicaObservation['phase']): ReplicaObservation {
  const toReadyUs =
    one.askedAtUs === null || one.readyAtUs === null ? null : Math.max(0, one.readyAtUs - one.askedAtUs);
  return {
    ...one.start,
    node: '',
    phase,
    endpoint: null,
    pid: null,
    restarts: 0,
    message: 'advice: it is imagined',
    failure: null,
    askedAtMs: one.askedAtMs,
    readyAtMs: phase === 'ready' ? one.readyAtMs : null,
    readyAtUs: phase === 'ready' ? one.readyAtUs : null,
    stagesUs: { askToSpawn: toReadyUs, spawnToListen: null, listenToReady: null },
  };
}

function notAdvised(workload: ObjectKey): Error {
  return new Error(`${keyText(workload)} has no scale target that is advised on`);
}
