import type { DriverEvent, PodSample } from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';
import { isStatus, type KubernetesClient } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import type { Resource } from '../client/resources.ts';
import { PodIndex } from '../driver/podIndex.ts';
import type { TargetReference, TargetState } from '../driver/target.ts';
import { TargetIndex } from '../driver/targetIndex.ts';
import type { Informer } from '../informer/informer.ts';
import { hpaPod, podSample } from './hpaPod.ts';

export interface PodUsageOptions {
  readonly client: KubernetesClient;
  readonly pods: Pick<Informer, 'list' | 'watch'>;
  /** Whether a workload is scaled by what its pods use. */
  needs(workload: ObjectKey): boolean;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

interface Measured {
  readonly reference: TargetReference;
  state: TargetState;
  /** Null until the first answer. */
  samples: PodSample[] | { error: string } | null;
  isAsked: boolean;
  askedAtMs: number;
  /** Pods have gone since: what they did is left to the others, whose samples do not have it yet. */
  isStale: boolean;
}

interface Question {
  readonly namespace: string;
  /** Undefined: all pods of the namespace. */
  readonly selector: string | undefined;
  readonly of: readonly Measured[];
}

/** As often as the HPA's controller asks, and metrics-server measures. */
const everyMs = 15_000;
/** Changes of pods are told together. */
const tellAfterMs = 500;
/** Between two questions about one workload whose pods go one after another. */
const leastGapMs = 2000;
/** From this many workloads of one namespace on, one question for all of its pods is cheaper. */
const manyInOneNamespace = 5;

export const podMetrics: Resource = {
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  plural: 'pods',
  kind: 'PodMetrics',
  namespaced: true,
};

/**
 * What pods use, by the resource metrics API, which can be asked and not followed: every 15 s, and only for workloads that
 * are scaled by it. Each answer, and each change of their pods, is told as an event of the driver.
 */
export class PodUsageReader {
  readonly #options: PodUsageOptions;
  readonly #measured = new Map<string, Measured>();
  readonly #targets = new TargetIndex<Measured>();
  readonly #pods: PodIndex;
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  readonly #unwatch: () => void;
  /** Whose pods have changed. */
  readonly #changed = new Set<Measured>();
  readonly #errors = new Map<string, string>();
  #cancelTell: (() => void) | null = null;
  #cancelSoon: (() => void) | null = null;
  #cancelRound: (() => void) | null = null;
  #closed = false;

  constructor(options: PodUsageOptions) {
    this.#options = options;
    this.#pods = new PodIndex(options.pods);
    this.#unwatch = options.pods.watch(({ type, object }) => {
      if (type === 'put') this.#pods.seen(object);
      else this.#pods.gone(object);
      this.#podChanged(object, type === 'delete');
    });
    this.#schedule();
  }

  manage(reference: TargetReference, state: TargetState): void {
    const key = keyText(reference.workload);
    const before = this.#measured.get(key);
    if (before && before.state.selector.text === state.selector.text) {
      before.state = state;
      // It may be scaled by what its pods use from now on.
      if (before.samples === null && this.#options.needs(reference.workload)) this.#soon();
      return;
    }
    this.release(reference.workload);
    const measured: Measured = { reference, state, samples: null, isAsked: false, askedAtMs: 0, isStale: false };
    this.#measured.set(key, measured);
    this.#targets.add(measured);
    if (this.#options.needs(reference.workload)) this.#soon();
  }

  release(workload: ObjectKey): void {
    const measured = this.#measured.get(keyText(workload));
    if (!measured) return;
    this.#measured.delete(keyText(workload));
    this.#targets.delete(measured);
    this.#changed.delete(measured);
  }

  watch(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    // Whoever listens from now on hears what is known.
    queueMicrotask(() => {
      for (const one of this.#measured.values()) this.#tell(one);
    });
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#closed = true;
    this.#unwatch();
    this.#cancelRound?.();
    this.#cancelSoon?.();
    this.#cancelTell?.();
    this.#listeners.clear();
  }

  /** Those that have not been asked for do not wait for the next round. */
  #soon(): void {
    const { clock } = this.#options.client;
    this.#cancelSoon ??= clock.at(clock.nowMs(), () => {
      this.#cancelSoon = null;
      void this.#round(({ samples, isAsked }) => samples === null && !isAsked);
    });
  }

  #schedule(): void {
    const { clock } = this.#options.client;
    this.#cancelRound = clock.at(clock.nowMs() + everyMs, () => {
      this.#schedule();
      void this.#round(({ isAsked }) => !isAsked);
    });
  }

  async #round(isDue: (one: Measured) => boolean): Promise<void> {
    const due: Measured[] = [];
    for (const one of this.#measured.values()) {
      if (!this.#options.needs(one.reference.workload)) one.samples = null;
      else if (isDue(one)) due.push(one);
    }
    for (const one of due) {
      Object.assign(one, { isAsked: true, isStale: false, askedAtMs: this.#options.client.clock.nowMs() });
    }
    await Promise.all(questionsOf(due).map((question) => this.#ask(question)));
    for (const one of due) one.isAsked = false;
  }

  async #ask({ namespace, selector, of }: Question): Promise<void> {
    const { client, log } = this.#options;
    let samples: PodSample[] | { error: string };
    try {
      const { objects } = await client.list(podMetrics, { namespace, labelSelector: selector });
      samples = objects.map((one) => podSample(one, client.clock.nowMs()));
      this.#errors.delete(namespace);
    } catch (error) {
      samples = { error: explained(error) };
      if (this.#errors.get(namespace) !== samples.error && !this.#closed) {
        log('warn', 'what pods use cannot be read', { namespace, error: samples.error });
      }
      this.#errors.set(namespace, samples.error);
    }
    for (const one of of) {
      one.samples = samples;
      this.#tell(one);
    }
  }

  #podChanged(pod: KubernetesObject, isGone: boolean): void {
    const measured = this.#targets.ownerOf(pod);
    if (!measured || measured.samples === null) return;
    // As HPA's controller asks before it decides: by what was measured with more pods, fewer would be wanted again and again.
    if (isGone) measured.isStale = true;
    this.#changed.add(measured);
    this.#tellLater(tellAfterMs);
  }

  #tellLater(delayMs: number): void {
    const { clock } = this.#options.client;
    this.#cancelTell ??= clock.at(clock.nowMs() + delayMs, () => {
      this.#cancelTell = null;
      const nowMs = clock.nowMs();
      for (const one of this.#changed) if (!one.isStale) this.#tell(one);
      const stale = [...this.#changed].filter(({ isStale }) => isStale);
      const early = stale.filter(({ isAsked, askedAtMs }) => isAsked || nowMs < askedAtMs + leastGapMs);
      this.#changed.clear();
      for (const one of early) this.#changed.add(one);
      if (early.length > 0) this.#tellLater(tellAfterMs);
      const due = new Set(stale.filter((one) => !early.includes(one)));
      if (due.size > 0) void this.#round((one) => due.has(one));
    });
  }

  #tell({ reference, state, samples }: Measured): void {
    if (this.#closed || samples === null || this.#measured.get(keyText(reference.workload))?.reference !== reference)
      return;
    const own = this.#pods.near(reference.namespace, state.selector).filter((pod) => state.selector(pod.labels));
    const names = new Set(own.map(({ name }) => name));
    const usage = {
      workload: reference.workload,
      replicas: state.replicas,
      pods: own.map(hpaPod),
      // What was asked for a whole namespace has others too.
      samples: 'error' in samples ? samples : samples.filter(({ name }) => names.has(name)),
    };
    for (const listener of [...this.#listeners]) listener({ type: 'pod-usage', usage });
  }
}

/** One for each namespace and selector, or one for the namespace where many of its workloads are due. */
function questionsOf(due: readonly Measured[]): Question[] {
  const all: Question[] = [];
  for (const [namespace, near] of Map.groupBy(due, ({ reference }) => reference.namespace)) {
    if (near.length >= manyInOneNamespace) all.push({ namespace, selector: undefined, of: near });
    else {
      const bySelector = Map.groupBy(near, ({ state }) => state.selector.text);
      for (const [selector, of] of bySelector) all.push({ namespace, selector, of });
    }
  }
  return all;
}

/** What is wrong, and what a person can do about it. */
function explained(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (isStatus(error, 404)) {
    return 'the cluster has no resource metrics API (metrics.k8s.io): install metrics-server or another one that serves it';
  }
  if (isStatus(error, 503)) {
    return 'the resource metrics API (metrics.k8s.io) does not answer: see `kubectl describe apiservice v1beta1.metrics.k8s.io`';
  }
  if (isStatus(error, 403)) return `${message}; to give it that right, apply the manifests of this version`;
  return `the resource metrics API (metrics.k8s.io) cannot be read: ${message}`;
}
