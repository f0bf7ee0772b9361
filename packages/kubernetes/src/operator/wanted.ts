import { revisionOf, resolveScaledObject, resolveWorkload, type ScaledObjectSpec } from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';
import { hpaAsScaledObject, hpaOfClaim } from '../advice/hpaDocument.ts';
import { isKedaOwned, isTakenOver, type Mode, modeAnnotation, modeOf, withoutKedaPause } from '../advice/mode.ts';
import type { KubernetesClient } from '../client/client.ts';
import { type KubernetesObject, objectName } from '../client/objects.ts';
import { httpClaimOf, isRouted } from '../gateways/httpDocuments.ts';
import type { ClusterView } from './cluster.ts';
import { isScaledBy, liveAutoscaler, type Ownership, ownershipOf, type ReadScaledObject } from './conflicts.ts';
import { derivedWorkload, scaledObjectInput, targetAnnotation, workloadInput } from './documents.ts';
import { podEnvironment, readsEnvironment } from './podEnvironment.ts';
import { numberAt } from '../client/values.ts';
import type { FoundTarget, TargetName } from './targets.ts';

export interface Problem {
  readonly reason: string;
  readonly message: string;
}

/** Nothing is wrong: it is left alone because its user asks for that. */
export const pausedReason = 'Paused';

/** What the cluster says about one workload: all objects of one namespace that speak of one name. */
export interface Wanted {
  /** Whether what is decided is done, or only told. */
  readonly mode: Mode;
  /** The ScaledObject that has it, or an HPA as one; null: none, or all are refused. */
  readonly scaledObject: ReadScaledObject | null;
  readonly workload: KubernetesObject | null;
  /** An HTTPScaledObject scales it, where no ScaledObject does. */
  readonly isHttpScaled: boolean;
  readonly target: FoundTarget | null;
  readonly targetName: TargetName | null;
  /** Its documents, as the engine is to have them. */
  readonly inputs: readonly ApplyInput[];
  /** Variables of the target's container; null: no trigger names one. */
  readonly env: Record<string, string> | null;
}

/** Reads ScaledObjects, and remembers what is wrong with those that cannot be followed. */
export class WantedReader {
  readonly #client: KubernetesClient;
  readonly #view: ClusterView;
  readonly #mode: Mode;
  readonly #read = new Map<string, { version: string; spec: ScaledObjectSpec | null; problem: Problem | null }>();
  readonly #problems = new Map<string, Problem>();
  /** Names of the ScaledObjects that speak of a workload, by its `namespace/name`. */
  readonly #claims = new Map<string, Set<string>>();
  readonly #claimed = new Map<string, string>();

  /** `mode` is that of objects that do not say one. */
  constructor(client: KubernetesClient, view: ClusterView, mode: Mode = 'control') {
    this.#client = client;
    this.#view = view;
    this.#mode = mode;
  }

  modeOf(object: KubernetesObject): Mode {
    return modeOf(object, this.#mode);
  }

  /** Whether an HPA is followed, and not only known as somebody who scales. */
  isFollowed(hpa: KubernetesObject): boolean {
    return (this.#mode === 'advice' || hpa.annotations[modeAnnotation] !== undefined) && !isKedaOwned(hpa);
  }

  /**
   * Whether requests for a workload come through gateways: its own document says how it is served, or requests are what it is
   * scaled by. Not where it is only advised on: nothing would come of a request that waits.
   */
  isServed(at: { namespace: string; name: string }): boolean {
    const workload = this.#view.workloads.get(at);
    const claims = this.claimsOf(at);
    if (this.isAdvised(at)) return false;
    if (workload !== null || isRouted(this.#view, at)) return true;
    return claims.some((object) => this.specOf(object)?.triggers.some(isByRequests) ?? false);
  }

  /** Whether something that speaks of a workload is only advised on. */
  isAdvised(at: { namespace: string; name: string }): boolean {
    const workload = this.#view.workloads.get(at);
    return [workload, ...this.claimsOf(at)].some((object) => object && this.modeOf(object) === 'advice');
  }

  /** Whether a workload is scaled by what its pods use. */
  isMeasured(at: { namespace: string; name: string }): boolean {
    return this.claimsOf(at).some((object) => this.specOf(object)?.triggers.some(isMeasuredBy) ?? false);
  }

  /** Why nothing is done for a ScaledObject or Workload; null: it is followed. */
  problemOf(object: { kind: string; namespace: string; name: string }): Problem | null {
    const invalid = object.kind === 'ScaledObject' ? this.#read.get(objectName(object))?.problem : null;
    return invalid ?? this.#problems.get(problemId(object)) ?? null;
  }

  /** What a ScaledObject says; null where it is not valid. */
  specOf(object: KubernetesObject): ScaledObjectSpec | null {
    const id = objectName(object);
    const known = this.#read.get(id);
    if (known?.version === object.resourceVersion) return known.spec;
    let spec: ScaledObjectSpec | null = null;
    let problem: Problem | null = null;
    try {
      spec = resolveScaledObject(scaledObjectInput(withoutKedaPause(object)).document);
    } catch (error) {
      problem = { reason: 'InvalidDocument', message: messageOf(error) };
    }
    this.#read.set(id, { version: object.resourceVersion, spec, problem });
    return spec;
  }

  /** Takes a ScaledObject in, or that it has gone. Returns the workloads that it spoke of and speaks of now. */
  note(object: KubernetesObject, isGone: boolean): string[] {
    const id = objectName(object);
    const before = this.#claimed.get(id);
    const spec = isGone ? null : this.specOf(object);
    const now = spec ? objectName({ namespace: object.namespace, name: spec.target.name }) : undefined;
    if (before !== undefined) this.#claims.get(before)?.delete(object.name);
    this.#claimed.delete(id);
    if (now !== undefined) {
      this.#claimed.set(id, now);
      this.#claims.set(now, (this.#claims.get(now) ?? new Set()).add(object.name));
    }
    if (isGone) this.forget(object);
    return [before, now].filter((key) => key !== undefined);
  }

  /** ScaledObjects that speak of a workload, refused ones too. */
  claimsOf(at: { namespace: string; name: string }): KubernetesObject[] {
    const names = [...(this.#claims.get(objectName(at)) ?? [])];
    return names.flatMap((name) => this.#view.scaledObjects.get({ namespace: at.namespace, name }) ?? []);
  }

  forget(object: { kind: string; namespace: string; name: string }): void {
    if (object.kind === 'ScaledObject') this.#read.delete(objectName(object));
    this.#problems.delete(problemId(object));
  }

  /** Everything that speaks of a workload, by its namespace and name. */
  async wanted({ namespace, name }: { namespace: string; name: string }): Promise<Wanted> {
    const workload = this.#workloadOf({ namespace, name });
    const { owner, refused } = this.#ownership({ namespace, name });
    for (const [claim, message] of refused) {
      this.#problems.set(problemId(claim.object), { reason: 'ScaleConflict', message });
    }
    if (owner) this.#problems.delete(problemId(owner.object));
    const mode = owner?.mode ?? (workload ? this.modeOf(workload) : 'control');
    if (owner && isPaused(owner.spec)) {
      this.#problems.set(problemId(owner.object), { reason: pausedReason, message: 'paused by its annotation' });
      const targetName = { ...owner.spec.target, namespace };
      return { ...nothing, mode, targetName };
    }
    // The scale of a Workload is its own minimum: whoever scales one means what that one scales.
    const isOwn = owner?.spec.target.kind === 'Workload' && owner.spec.target.apiVersion.startsWith('ebb.dev/');
    const http = owner || this.#mode === 'advice' ? null : httpClaimOf(this.#view, { namespace, name });
    const named =
      owner && !(isOwn && workload) ? { ...owner.spec.target, namespace } : workload && namedTarget(workload);
    const targetName = named ?? (http && { ...http.target, namespace, name });
    const target = targetName && (await this.#view.targets.find(targetName));
    if (owner && targetName && !target) {
      const message = `there is no ${targetName.kind} ${name} in namespace ${namespace}`;
      this.#problems.set(problemId(owner.object), { reason: 'NoTarget', message });
    }
    if (owner && target && isSwitchedOff(owner, target.object)) return { ...nothing, mode, targetName };
    if (!owner && (workload || http) && targetName && mode === 'control') {
      const hpa = liveAutoscaler(this.#view.autoscalersOf.of(targetName), targetName);
      if (hpa) {
        const message = `${targetName.kind} ${targetName.name} is scaled by the HorizontalPodAutoscaler ${hpa.name} already`;
        if (workload) this.#problems.set(problemId(workload), { reason: 'ScaleConflict', message });
        return { ...nothing, mode, targetName };
      }
    }
    const env =
      owner && target && readsEnvironment(owner.spec.triggers) ? await this.#environment(target, owner.spec) : null;
    const inputs: ApplyInput[] = [];
    if (workload) inputs.push(workloadInput(workload));
    else if ((owner || http) && target) inputs.push(derivedWorkload(target.object, env ? revisionOf(env) : ''));
    if (owner && target) inputs.push(scaledObjectInput(withoutKedaPause(owner.object)));
    const isHttpScaled = http !== null;
    return {
      mode,
      scaledObject: owner && target ? owner : null,
      workload,
      isHttpScaled,
      target,
      targetName,
      inputs,
      env,
    };
  }

  /** What a workload is followed by asks for something that cannot be had now. */
  unmet(at: { namespace: string; name: string }, problem: Problem): void {
    const followed = this.#ownership(at).owner?.object ?? this.#view.workloads.get(at);
    if (followed) this.#problems.set(problemId(followed), problem);
  }

  #workloadOf(at: { namespace: string; name: string }): KubernetesObject | null {
    const object = this.#view.workloads.get(at);
    if (!object) return null;
    try {
      resolveWorkload(workloadInput(object).document, { baseDirectory: '/' });
      this.#problems.delete(problemId(object));
      return object;
    } catch (error) {
      this.#problems.set(problemId(object), { reason: 'InvalidDocument', message: messageOf(error) });
      return null;
    }
  }

  #ownership({ namespace, name }: { namespace: string; name: string }): Ownership {
    const claims = this.claimsOf({ namespace, name }).flatMap((object): ReadScaledObject[] => {
      const spec = object.deletedAtMs === null ? this.specOf(object) : null;
      return spec ? [{ object, spec, mode: this.modeOf(object) }] : [];
    });
    const near = this.#view.autoscalersOf.of({ namespace, name });
    const kind = claims[0]?.spec.target.kind;
    // A Workload of its own says more than an HPA does.
    const hpas = this.#view.workloads.get({ namespace, name }) ? [] : this.#hpaClaims(near, name, kind);
    const all = [...claims, ...hpas];
    const target = { kind: all[0]?.spec.target.kind ?? 'Deployment', name };
    return ownershipOf(all, near, target);
  }

  /** HPAs that are followed for a target, of one kind where that is known. */
  #hpaClaims(near: readonly KubernetesObject[], name: string, kind: string | undefined): ReadScaledObject[] {
    return near.flatMap((hpa): ReadScaledObject[] => {
      if (!this.isFollowed(hpa) || hpa.deletedAtMs !== null) return [];
      if (kind !== undefined && !isScaledBy({ kind, name }, hpa)) return [];
      const mode = this.modeOf(hpa);
      // In charge without having been taken over: the HPA still scales, and there is nothing to be refused.
      if (mode === 'control' && !isTakenOver(hpa)) return [];
      try {
        const object = hpaAsScaledObject(hpa);
        return [{ object, spec: resolveScaledObject(scaledObjectInput(object).document), mode }];
      } catch (error) {
        this.#problems.set(problemId(hpa), { reason: 'InvalidDocument', message: messageOf(error) });
        return [];
      }
    });
  }

  #environment({ object }: FoundTarget, spec: ScaledObjectSpec): Promise<Record<string, string>> {
    return podEnvironment(this.#client, object, spec.target.envSourceContainerName);
  }
}

function isMeasuredBy({ type }: ScaledObjectSpec['triggers'][number]): boolean {
  return type === 'cpu' || type === 'memory';
}

/** KEDA's http-add-on names its own route in a trigger of another type. */
function isByRequests({ type, metadata }: ScaledObjectSpec['triggers'][number]): boolean {
  if (type === 'http') return true;
  return type.startsWith('external') && (metadata.interceptorRoute ?? metadata.httpScaledObject) !== undefined;
}

const nothing = {
  scaledObject: null,
  workload: null,
  isHttpScaled: false,
  target: null,
  inputs: [],
  env: null,
} as const;

/** An HPA whose target somebody has set to zero is switched off until somebody sets it higher. */
function isSwitchedOff({ object, spec }: ReadScaledObject, target: KubernetesObject): boolean {
  return hpaOfClaim(object.name) !== null && spec.minReplicas > 0 && numberAt(target.body, 'spec', 'replicas') === 0;
}

/** Then the count is people's: whatever they set is left alone, and nothing is decided. */
function isPaused({ pause }: ScaledObjectSpec): boolean {
  return pause.paused && pause.replicas === null;
}

/** The Deployment of its own name, or what its annotation names. */
function namedTarget({ namespace, name, annotations }: KubernetesObject): TargetName {
  const [kind = 'Deployment', other = name] = (annotations[targetAnnotation] ?? '')
    .split('/')
    .filter((part) => part !== '');
  return { apiVersion: 'apps/v1', kind, namespace, name: other };
}

function problemId({ kind, namespace, name }: { kind: string; namespace: string; name: string }): string {
  return `${kind} ${namespace}/${name}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
