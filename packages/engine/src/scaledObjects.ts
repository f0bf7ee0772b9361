import { kedaDecisionSpec, type StoredDocument, type TriggerSet } from '@ebb/core';
import { keyText, resolveScaledObject, type ScaledObjectSpec, type WorkloadSpec } from '@ebb/documents';
import { ApplyError, type ApplyInput } from './types.ts';

/** A ScaledObject that is stored. */
export interface KnownScaledObject {
  stored: StoredDocument;
  spec: ScaledObjectSpec;
}

/** The ScaledObjects that are there, by their own key and by what they scale. */
export class ScaledObjects {
  readonly #known = new Map<string, KnownScaledObject>();
  /** By the workload that they scale: one each, but for what an older store may hold. */
  readonly #byTarget = new Map<string, Set<KnownScaledObject>>();

  /** Throws when the document is not valid. */
  put(stored: StoredDocument): KnownScaledObject {
    const known = { stored, spec: resolveScaledObject(stored.document) };
    const key = keyText(stored.key);
    this.remove(key);
    this.#known.set(key, known);
    const target = targetKey(known.spec);
    this.#byTarget.set(target, (this.#byTarget.get(target) ?? new Set()).add(known));
    return known;
  }

  get(key: string): KnownScaledObject | undefined {
    return this.#known.get(key);
  }

  remove(key: string): void {
    const known = this.#known.get(key);
    if (!known) return;
    this.#known.delete(key);
    const target = targetKey(known.spec);
    const left = this.#byTarget.get(target);
    left?.delete(known);
    if (left?.size === 0) this.#byTarget.delete(target);
  }

  list(): KnownScaledObject[] {
    return [...this.#known.values()];
  }

  /** The one that scales a workload; of several, which only an older store can hold, the first by name. */
  scaling(workload: string): KnownScaledObject | null {
    const found = [...(this.#byTarget.get(workload) ?? [])];
    return found.sort((left, right) => (left.spec.key.name < right.spec.key.name ? -1 : 1))[0] ?? null;
  }
}

/** Key of the workload that a ScaledObject scales: the one of the target's name in its own namespace. */
export function targetKey({ key, target }: ScaledObjectSpec): string {
  return keyText({ ...key, name: target.name });
}

/** Throws `ApplyError` where two ScaledObjects would scale one workload, as KEDA's admission does. */
export function checkScaledObjects(inputs: readonly ApplyInput[], present: readonly KnownScaledObject[]): void {
  const owners = new Map<string, string>();
  const inBatch = new Set(inputs.filter(isScaledObject).map(({ key }) => keyText(key)));
  for (const { spec } of present) if (!inBatch.has(keyText(spec.key))) owners.set(targetKey(spec), keyText(spec.key));
  for (const [index, input] of inputs.entries()) {
    if (!isScaledObject(input)) continue;
    let spec: ScaledObjectSpec;
    try {
      spec = resolveScaledObject(input.document);
    } catch (error) {
      throw new ApplyError('invalid', error instanceof Error ? error.message : String(error), index, '');
    }
    const owner = owners.get(targetKey(spec));
    if (owner !== undefined) {
      const message = `${targetKey(spec)} is scaled by the ScaledObject ${owner} already`;
      throw new ApplyError('invalid', message, index, 'spec.scaleTargetRef.name');
    }
    owners.set(targetKey(spec), keyText(spec.key));
  }
}

export function isScaledObject({ kind }: Pick<ApplyInput, 'kind'>): boolean {
  return kind === 'ScaledObject';
}

/** What a workload is under a ScaledObject: its bounds, and no triggers, schedules or policy of its own. */
export function scaledSpec(workload: WorkloadSpec, { pause, ...object }: ScaledObjectSpec): WorkloadSpec {
  const paused = pause.paused || pause.replicas !== null;
  return {
    ...workload,
    scaling: {
      ...workload.scaling,
      minReplicas: object.minReplicas,
      maxReplicas: object.maxReplicas,
      schedules: [],
      events: [],
      paused: paused ? { replicas: pause.replicas } : null,
    },
  };
}

const unknownTarget = { target: 1, activationTarget: 0 };

/** What such a workload is decided from; its replicas are of the cheapest class. */
export function scaledDecisionSpec(workload: WorkloadSpec, object: ScaledObjectSpec, known: TriggerSet['targets']) {
  const cheapest = cheapestClass(workload);
  // Where only the source knows the target, or the type is not available, a reading brings it or never comes.
  const targets = Object.fromEntries(object.triggers.map(({ name }) => [name, known[name] ?? unknownTarget]));
  const spec = kedaDecisionSpec(object, { targets, ...(cheapest ? { class: cheapest.name } : {}) });
  return { ...spec, workload: keyText(workload.key) };
}

/** The class that replicas of a ScaledObject are of. */
export function cheapestClass({ classes }: WorkloadSpec): WorkloadSpec['classes'][number] | undefined {
  return [...classes].sort((left, right) => left.pricePerHourMicro - right.pricePerHourMicro)[0];
}
