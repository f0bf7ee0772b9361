import { type PodUsage, type SizedResource, type SizingRecommendation, type StateStore, StoreError } from '@ebb/core';
import { type Condition, keyText, type ObjectKey, type SizingApplySpec } from '@ebb/documents';
import type { Mode } from '../advice/mode.ts';
import { isPassing, isStatus, type KubernetesClient } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { apiVersionOf } from '../client/resources.ts';
import type { TargetReference, TargetState } from '../driver/target.ts';
import type { Informer } from '../informer/informer.ts';
import { withTransition } from '../operator/since.ts';
import { oomSamples } from './ooms.ts';
import { planResizes, planTemplate, type PodPatch } from './plan.ts';
import { isAsTold, recommendPods } from './recommendation.ts';
import type { ContainerChange, SizingRules } from './fit.ts';
import { aboutPod, asSaved, newSized, type Saved, type Sized, writtenChange } from './sized.ts';
import { type SizablePod, sizablePod } from './sizedPod.ts';
import { sizingCondition } from './condition.ts';
import { targetTemplate } from './target.ts';

export interface PodSizingOptions {
  readonly client: KubernetesClient;
  readonly pods: Pick<Informer, 'get'>;
  readonly state: Pick<StateStore, 'save' | 'load' | 'drop'>;
  readonly epoch: number;
  /** What a workload's document says of its sizing; null: nothing, and it is not sized. */
  sizingOf(workload: ObjectKey): SizingApplySpec | null;
  /** What the workload is scaled by as a share of its requests: changing those would scale it. */
  scaledShares(workload: ObjectKey): readonly SizedResource[];
  /** The name of another one that sizes the target's pods; null: nobody does. */
  rivalOf(reference: TargetReference): string | null;
  targetOf(reference: TargetReference): KubernetesObject | null;
  mayWrite(): boolean;
  /** What its condition says may be another thing by now. */
  changed(workload: ObjectKey): void;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

const prefix = 'kubernetes/sizing/';
const saveEveryMs = 300_000;
const planEveryMs = 60_000;
const lookAgainMs = 600_000;
/** Part of a workload's pods that may be changed at once. */
const share = 0.25;

/**
 * Carries out `sizing` of Workloads on their pods: learns what containers use from the samples that the resource metrics API gives, says
 * what they should ask for, and changes pods in place or the template while there are no replicas. Writes to a target only in control.
 */
export class PodSizing {
  readonly #options: PodSizingOptions;
  readonly #sized = new Map<string, Sized>();
  readonly #unsaved = new Set<string>();
  /** Whether pods can be resized, and when that was asked. */
  #inPlace: { isServed: boolean; atMs: number } | null = null;
  #cancelSave: (() => void) | null = null;
  #closed = false;

  constructor(options: PodSizingOptions) {
    this.#options = options;
  }

  manage(reference: TargetReference, _state: TargetState, mode: Mode): void {
    const key = keyText(reference.workload);
    const known = this.#sized.get(key);
    if (!this.#options.sizingOf(reference.workload)) {
      if (known) this.#drop(known);
      return;
    }
    if (known && known.reference.resource.kind === reference.resource.kind && known.reference.name === reference.name) {
      known.mode = mode;
      // It may have come to zero, where its template can be changed, or its document may ask for something else.
      void this.#work(known);
      return;
    }
    const sized = newSized(reference, mode);
    this.#sized.set(key, sized);
    void this.#load(key, sized);
  }

  /** Its target is followed no more; what was learnt of it stays. */
  release(workload: ObjectKey): void {
    this.#sized.delete(keyText(workload));
  }

  /** What the resource metrics API says of a workload's pods. */
  take(usage: PodUsage): void {
    const sized = this.#sized.get(keyText(usage.workload));
    if (!sized || sized.memory === undefined || this.#closed) return;
    if ('error' in usage.samples) {
      sized.error = usage.samples.error;
      this.#tell(sized);
      return;
    }
    sized.error = null;
    const pods = this.#podsOf(sized, usage);
    const names = new Set(this.#containersOf(sized, pods));
    sized.minutes.keep(new Set(pods.map(({ name }) => name)));
    const uids = new Set(pods.map(({ uid }) => uid));
    for (const uid of sized.pods.keys()) if (!uids.has(uid)) sized.pods.delete(uid);
    sized.pending.push(...sized.minutes.take(usage.samples, names));
    for (const pod of pods) {
      const about = aboutPod(sized, pod.uid);
      const { samples, latestMs } = oomSamples(pod, names, about.oomAtMs);
      about.oomAtMs = latestMs;
      // Its node may have more room now, or was asked for less.
      if (about.refused?.by === 'node' && pod.resize?.status !== 'infeasible') about.refused = null;
      sized.pending.push(...samples);
    }
    void this.#work(sized, pods);
  }

  /** What is to be said of it in its Workload's status; null: nothing, it is not sized. */
  conditionOf(workload: ObjectKey): Condition | null {
    return this.#sized.get(keyText(workload))?.condition ?? null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelSave?.();
    await this.#save();
  }

  async #load(key: string, sized: Sized): Promise<void> {
    const saved = asSaved(await this.#options.state.load(prefix + key).catch(() => null));
    sized.savedAtMs = saved?.atMs ?? 0;
    sized.memory = saved?.memory ?? null;
    await this.#work(sized);
  }

  #drop(sized: Sized): void {
    const key = keyText(sized.reference.workload);
    this.#sized.delete(key);
    this.#unsaved.delete(key);
    this.#options.state.drop(prefix + key).catch(() => {});
  }

  #podsOf({ reference: { namespace } }: Sized, { pods }: PodUsage): SizablePod[] {
    return pods.flatMap(({ name }) => {
      const object = this.#options.pods.get({ namespace, name });
      return object ? [sizablePod(object)] : [];
    });
  }

  /** Those of the target's template, where it has one: what is injected into pods is sized by whoever injects it. */
  #containersOf({ reference }: Sized, pods: readonly SizablePod[]): string[] {
    const target = this.#options.targetOf(reference);
    const template = target && targetTemplate(target).containers;
    const containers = template ?? pods.flatMap((pod) => pod.containers);
    return [...new Set(containers.map(({ name }) => name))].sort();
  }

  /** Learns, decides and writes, one after another for each workload. */
  async #work(sized: Sized, pods: readonly SizablePod[] | null = null): Promise<void> {
    if (sized.isWorking || sized.memory === undefined || this.#closed) return;
    sized.isWorking = true;
    try {
      await this.#round(sized, pods);
      sized.trouble = null;
    } catch (error) {
      sized.trouble = error instanceof Error ? error.message : String(error);
      const { namespace, name } = sized.reference;
      this.#options.log('warn', 'pods were not sized', { target: `${namespace}/${name}`, error: sized.trouble });
    } finally {
      sized.isWorking = false;
      if (this.#sized.get(keyText(sized.reference.workload)) === sized) this.#tell(sized);
    }
  }

  async #round(sized: Sized, pods: readonly SizablePod[] | null): Promise<void> {
    const { reference } = sized;
    const { sizingOf, scaledShares, rivalOf, client, mayWrite } = this.#options;
    const sizing = sizingOf(reference.workload);
    if (!sizing) return;
    const nowMs = client.clock.nowMs();
    const shares = scaledShares(reference.workload);
    const resources = (['cpu', 'memory'] as const).filter((one) => !shares.includes(one));
    const containers = this.#containersOf(sized, pods ?? []);
    if (sized.pending.length > 0 || sized.told === null) this.#learn(sized, sizing, resources, containers, nowMs);
    const { recommendation } = sized;
    const rules: SizingRules = {
      ...{ share, resources, maxAllowed: sizing.maxAllowed },
      controlledValues: sizing.controlledValues,
    };
    const target = this.#options.targetOf(reference);
    sized.template = target && planTemplate(rules, recommendation, targetTemplate(target));
    const isActing = sizing.apply !== 'never' && sized.mode === 'control' && mayWrite() && rivalOf(reference) === null;
    if (sized.template && 'changes' in sized.template && target && isActing) {
      await this.#patchTemplate(sized, target, sized.template.changes);
    }
    if (!pods || sizing.apply !== 'inPlace' || nowMs < sized.nextPlanMs) return;
    sized.nextPlanMs = nowMs + planEveryMs;
    const planned = pods.map((pod) => {
      const { refused, asked } = aboutPod(sized, pod.uid);
      const used = (container: string) => sized.minutes.latest(pod.name, container);
      return { pod, used, refused: refused?.what ?? null, patchedAtMs: asked?.atMs ?? null };
    });
    sized.plan = planResizes(rules, recommendation, planned, nowMs);
    for (const { pod, code } of sized.plan.held) {
      const about = aboutPod(sized, pod.uid);
      if (code === 'infeasible')
        about.refused ??= { what: about.asked?.what ?? recommendation, by: 'node', message: pod.resize?.message ?? '' };
    }
    if (!isActing || sized.plan.patches.length === 0 || !(await this.#isInPlaceServed(nowMs))) return;
    for (const patch of sized.plan.patches) {
      if (!mayWrite() || this.#closed) return;
      await this.#resize(sized, patch, recommendation);
    }
  }

  #learn(
    sized: Sized,
    sizing: SizingApplySpec,
    resources: readonly SizedResource[],
    containers: readonly string[],
    nowMs: number,
  ): void {
    const samples = sized.pending.splice(0);
    const workload = keyText(sized.reference.workload);
    const found = recommendPods({
      ...{ workload, containers, sizing, resources, samples, nowMs },
      memory: sized.memory ?? null,
    });
    sized.memory = found.memory;
    sized.recommendation = found.recommendation;
    sized.early = found.early;
    if (!isAsTold(found.recommendation, sized.told)) sized.told = found.recommendation;
    if (samples.length === 0) return;
    this.#unsaved.add(workload);
    const { clock } = this.#options.client;
    this.#cancelSave ??= clock.at(clock.nowMs() + saveEveryMs, () => {
      this.#cancelSave = null;
      void this.#save();
    });
  }

  async #resize(sized: Sized, { pod, changes }: PodPatch, recommendation: SizingRecommendation): Promise<void> {
    const { client, log } = this.#options;
    const about = aboutPod(sized, pod.uid);
    try {
      await client.resizePod(pod, pod.uid, changes.map(writtenChange));
      about.asked = { what: recommendation, atMs: client.clock.nowMs() };
      about.refused = null;
      const data = { pod: `${pod.namespace}/${pod.name}`, containers: changes.map(writtenChange) };
      log('info', 'a pod was resized in place', data);
    } catch (error) {
      if (isStatus(error, 409)) return;
      if (isStatus(error, 404)) {
        // The pod has gone, or the server cannot do it any more: that is asked before the next one.
        this.#inPlace = null;
        return;
      }
      if (isPassing(error)) throw error;
      // Not asked again until less is recommended.
      const message = error instanceof Error ? error.message : String(error);
      about.refused = { what: recommendation, by: 'server', message };
      const { patches = [], held = [] } = sized.plan ?? {};
      sized.plan = { patches: patches.filter((one) => one.pod !== pod), held: [...held, { pod, code: 'refused' }] };
      log('warn', 'a pod may not be resized', { pod: `${pod.namespace}/${pod.name}`, error: message });
    }
  }

  async #patchTemplate(sized: Sized, target: KubernetesObject, changes: readonly ContainerChange[]): Promise<void> {
    const { client, log } = this.#options;
    const { resource, namespace, name } = sized.reference;
    const { resourceVersion } = target;
    try {
      await client.apply(
        resource,
        { namespace, name },
        {
          // Refused where a replica has been asked for since.
          metadata: { name, namespace, resourceVersion },
          spec: { template: { spec: { containers: changes.map(writtenChange) } } },
        },
      );
      const containers = changes.map(writtenChange);
      log('info', 'a template was sized', { target: `${namespace}/${name}`, kind: apiVersionOf(resource), containers });
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
    }
  }

  async #isInPlaceServed(nowMs: number): Promise<boolean> {
    if (!this.#inPlace || (!this.#inPlace.isServed && nowMs > this.#inPlace.atMs + lookAgainMs)) {
      this.#inPlace = { isServed: await this.#options.client.hasSubresource('v1', 'pods/resize'), atMs: nowMs };
    }
    return this.#inPlace.isServed;
  }

  #tell(sized: Sized): void {
    const { sizingOf, rivalOf, scaledShares, client, changed } = this.#options;
    const { reference, told, early, plan, template, error, trouble, mode } = sized;
    const sizing = sizingOf(reference.workload);
    if (!sizing) return;
    const refusal = [...sized.pods.values()].find((about) => about.refused)?.refused?.message ?? null;
    const found = sizingCondition({
      ...{ sizing, mode, told, early, plan, template, error, trouble },
      ...{ refusal, rival: rivalOf(reference) },
      shares: scaledShares(reference.workload),
      isInPlaceServed: this.#inPlace?.isServed ?? true,
    });
    const { condition: before } = sized;
    if (before && before.reason === found.reason && before.message === found.message) return;
    sized.condition = withTransition(before, found, client.clock.nowMs());
    changed(reference.workload);
  }

  async #save(): Promise<void> {
    const { state, epoch, log } = this.#options;
    const keys = [...this.#unsaved];
    this.#unsaved.clear();
    for (const key of keys) {
      const sized = this.#sized.get(key);
      if (!sized?.memory) continue;
      try {
        const saved: Saved = { version: 1, atMs: this.#options.client.clock.nowMs(), memory: sized.memory };
        await state.save(prefix + key, saved, epoch);
      } catch (error) {
        if (error instanceof StoreError && error.code === 'stale-epoch') return;
        log('warn', 'measured use was not saved', { workload: key, error: String(error) });
        this.#unsaved.add(key);
      }
    }
  }
}
