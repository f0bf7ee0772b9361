import { revisionOf, resolveScaledObject, resolveWorkload, type ScaledObjectSpec } from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';
import type { KubernetesClient } from '../client/client.ts';
import { type KubernetesObject, objectName } from '../client/objects.ts';
import type { ClusterView } from './cluster.ts';
import { type Ownership, ownershipOf, type ReadScaledObject } from './conflicts.ts';
import { derivedWorkload, scaledObjectInput, targetAnnotation, workloadInput } from './documents.ts';
import { podEnvironment } from './podEnvironment.ts';
import type { FoundTarget, TargetName } from './targets.ts';

export interface Problem {
  readonly reason: string;
  readonly message: string;
}

/** Nothing is wrong: it is left alone because its user asks for that. */
export const pausedReason = 'Paused';

/** What the cluster says about one workload: all objects of one namespace that speak of one name. */
export interface Wanted {
  /** The ScaledObject that has it; null: none, or all are refused. */
  readonly scaledObject: ReadScaledObject | null;
  readonly workload: KubernetesObject | null;
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
  readonly #read = new Map<string, { version: string; spec: ScaledObjectSpec | null; problem: Problem | null }>();
  readonly #problems = new Map<string, Problem>();
  /** Names of the ScaledObjects that speak of a workload, by its `namespace/name`. */
  readonly #claims = new Map<string, Set<string>>();
  readonly #claimed = new Map<string, string>();

  constructor(client: KubernetesClient, view: ClusterView) {
    this.#client = client;
    this.#view = view;
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
      spec = resolveScaledObject(scaledObjectInput(object).document);
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
    if (owner && isPaused(owner.spec)) {
      this.#problems.set(problemId(owner.object), { reason: pausedReason, message: 'paused by its annotation' });
      const targetName = { ...owner.spec.target, namespace };
      return { scaledObject: null, workload: null, target: null, targetName, inputs: [], env: null };
    }
    const targetName = owner ? { ...owner.spec.target, namespace } : workload && namedTarget(workload);
    const target = targetName && (await this.#view.targets.find(targetName));
    if (owner && targetName && !target) {
      const message = `there is no ${targetName.kind} ${name} in namespace ${namespace}`;
      this.#problems.set(problemId(owner.object), { reason: 'NoTarget', message });
    }
    const env = owner && target && needsEnvironment(owner.spec) ? await this.#environment(target, owner.spec) : null;
    const inputs: ApplyInput[] = [];
    if (workload) inputs.push(workloadInput(workload));
    else if (owner && target) inputs.push(derivedWorkload(target.object, env ? revisionOf(env) : ''));
    if (owner && target) inputs.push(scaledObjectInput(owner.object));
    return { scaledObject: owner && target ? owner : null, workload, target, targetName, inputs, env };
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
      return spec ? [{ object, spec }] : [];
    });
    const [first] = claims;
    const target = { kind: first?.spec.target.kind ?? 'Deployment', name };
    const near = this.#view.autoscalers.list().filter((hpa) => hpa.namespace === namespace);
    return ownershipOf(claims, near, target);
  }

  #environment({ object }: FoundTarget, spec: ScaledObjectSpec): Promise<Record<string, string>> {
    return podEnvironment(this.#client, object, spec.target.envSourceContainerName);
  }
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

function needsEnvironment({ triggers }: ScaledObjectSpec): boolean {
  return triggers.some(
    ({ metadata, authentication }) =>
      authentication !== null || Object.keys(metadata).some((name) => name.endsWith('FromEnv')),
  );
}

function problemId({ kind, namespace, name }: { kind: string; namespace: string; name: string }): string {
  return `${kind} ${namespace}/${name}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
