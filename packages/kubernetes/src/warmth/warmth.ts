import { type Condition, keyText, type ObjectKey } from '@ebb/documents';
import type { Mode } from '../advice/mode.ts';
import { isStatus, type KubernetesClient } from '../client/client.ts';
import { permitted, unmetWaitMs } from '../client/missingPermission.ts';
import { isOlderVersion, type KubernetesObject, objectName } from '../client/objects.ts';
import { type Resource, resources } from '../client/resources.ts';
import { Retries } from '../client/retries.ts';
import { isObject, type JsonObject, numberAt, objectAt } from '../client/values.ts';
import type { TargetReference, TargetState } from '../driver/target.ts';
import type { InformerEvent } from '../informer/informer.ts';
import { type Said, withTransition } from '../operator/since.ts';
import { type WarmthWanted, warmthWanted } from './annotations.ts';
import {
  headroomDeployment,
  prepullDaemonSet,
  type WarmthImages,
  type WarmthKind,
  warmsLabel,
  warmthLabel,
  warmthName,
  warmthRevision,
} from './objects.ts';

/** A collection of what is made for warmth, as far as it is followed. */
interface Followed {
  get(at: { namespace: string; name: string }): KubernetesObject | null;
  list(): KubernetesObject[];
}

export interface WarmthOptions {
  readonly client: KubernetesClient;
  readonly images: WarmthImages;
  readonly daemonSets: Followed;
  readonly deployments: Followed;
  targetOf(reference: TargetReference): KubernetesObject | null;
  /** The Workload and the ScaledObjects that speak of it. */
  claimsOf(workload: ObjectKey): readonly KubernetesObject[];
  mayWrite(): boolean;
  changed(workload: ObjectKey): void;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

interface Warm {
  readonly reference: TargetReference;
  mode: Mode;
  problem: { reason: string; message: string } | null;
  isWorking: boolean;
  isDue: boolean;
  condition: Condition | null;
}

const kinds = ['prepull', 'headroom'] as const;
const resourceOf: Readonly<Record<WarmthKind, Resource>> = {
  prepull: resources.daemonSets,
  headroom: resources.deployments,
};
const remedy = 'to give it that right, install Ebb with --warmth (warmth.enabled of the chart)';

/**
 * Keeps for each target whose annotations ask for it a DaemonSet that pulls its images and a Deployment of pause pods that keep room.
 * What is made belongs to the target and goes with it. Writes nothing where Ebb only advises.
 */
export class Warmth {
  readonly #options: WarmthOptions;
  readonly #warm = new Map<string, Warm>();
  /** The same by what is made for them, `namespace/name`. */
  readonly #byMade = new Map<string, Set<Warm>>();
  readonly #retries: Retries;
  /** As the server answered, until the watch has it too. */
  readonly #written = new Map<string, KubernetesObject>();
  /** UIDs of what was deleted, until the watch has that too. */
  readonly #deleted = new Set<string>();
  /** Everything that was made is listed. */
  #hasBegun = false;
  #isSettled = false;
  #closed = false;

  constructor(options: WarmthOptions) {
    this.#options = options;
    this.#retries = new Retries(options.client);
  }

  manage(reference: TargetReference, _state: TargetState, mode: Mode): void {
    const key = keyText(reference.workload);
    const known = this.#warm.get(key);
    const isSame =
      known?.reference.name === reference.name && known.reference.resource.kind === reference.resource.kind;
    if (known && isSame) {
      known.mode = mode;
      void this.#work(known);
      return;
    }
    if (known) this.#drop(known);
    const warm = newWarm(reference, mode);
    this.#warm.set(key, warm);
    for (const made of madeNames(reference)) this.#byMade.set(made, (this.#byMade.get(made) ?? new Set()).add(warm));
    void this.#work(warm);
  }

  /** Its target is not followed any more: what was made for it goes. */
  release(workload: ObjectKey): void {
    const warm = this.#warm.get(keyText(workload));
    if (!warm) return;
    this.#drop(warm);
    if (warm.mode === 'control') void this.#remove(warm.reference, kinds);
  }

  /** Everything that was made before is listed: nothing is made or removed until then. */
  begin(): void {
    this.#hasBegun = true;
    for (const warm of this.#warm.values()) void this.#work(warm);
    if (this.#isSettled) void this.#sweep();
  }

  /** All targets that are followed are known: what was made for others, by an earlier leader, goes. */
  settled(): void {
    this.#isSettled = true;
    if (this.#hasBegun) void this.#sweep();
  }

  /** Something has become of an object that was made here, or somebody has changed it. */
  seen({ type, object }: InformerEvent): void {
    const { namespace, labels, name, resourceVersion } = object;
    const kind = kinds.find((one) => one === labels[warmthLabel]);
    if (!kind) return;
    const id = `${kind} ${namespace}/${name}`;
    if (type === 'delete') this.#deleted.delete(object.uid);
    const written = this.#written.get(id);
    if (written && (type === 'delete' || !isOlderVersion(resourceVersion, written.resourceVersion))) {
      this.#written.delete(id);
    }
    for (const warm of this.#byMade.get(objectName(object)) ?? []) void this.#work(warm);
  }

  conditionOf(workload: ObjectKey): Condition | null {
    return this.#warm.get(keyText(workload))?.condition ?? null;
  }

  close(): void {
    this.#closed = true;
    this.#retries.close();
  }

  #drop(warm: Warm): void {
    this.#warm.delete(keyText(warm.reference.workload));
    for (const made of madeNames(warm.reference)) {
      const others = this.#byMade.get(made);
      others?.delete(warm);
      if (others?.size === 0) this.#byMade.delete(made);
    }
  }

  async #work(warm: Warm): Promise<void> {
    warm.isDue = true;
    if (warm.isWorking) return;
    warm.isWorking = true;
    while (warm.isDue && !this.#closed) {
      warm.isDue = false;
      // After the turn: a burst of changes of one target is one.
      await Promise.resolve();
      await this.#round(warm);
    }
    warm.isWorking = false;
  }

  async #round(warm: Warm): Promise<void> {
    const { reference, mode } = warm;
    const key = keyText(reference.workload);
    if (!this.#hasBegun || this.#warm.get(key) !== warm || mode === 'advice' || !this.#options.mayWrite()) return;
    const target = this.#options.targetOf(reference);
    if (!target || target.deletedAtMs !== null) return;
    const wanted = warmthWanted([target, ...this.#options.claimsOf(reference.workload)]);
    try {
      warm.problem = wanted.problem === null ? null : { reason: 'InvalidAnnotation', message: wanted.problem };
      // A slip of the pen is no wish to have everything removed.
      if (!warm.problem) await this.#bring(warm, target, wanted);
      this.#retries.succeeded(key);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      warm.problem = { reason: 'NotWritten', message };
      this.#options.log('warn', 'what keeps a target warm was not written', { target: key, error: message });
      this.#retries.later(key, isMissingRight(warm) ? unmetWaitMs : null, () => {
        if (this.#warm.get(key) === warm) void this.#work(warm);
      });
    }
    this.#tell(warm, wanted);
  }

  async #bring(warm: Warm, target: KubernetesObject, { prepull, headroom }: WarmthWanted): Promise<void> {
    const { images } = this.#options;
    const made = headroom > 0 ? headroomDeployment(target, headroom, images) : null;
    if (headroom > 0 && !made) {
      const message = `pods of ${target.kind} ${target.name} request nothing, so there is no room to keep for them`;
      warm.problem = { reason: 'NoRequests', message };
    }
    await this.#ensure(warm.reference, 'prepull', prepull ? prepullDaemonSet(target, images) : null);
    await this.#ensure(warm.reference, 'headroom', made);
  }

  async #ensure(reference: TargetReference, kind: WarmthKind, wanted: JsonObject | null): Promise<void> {
    const { client, log } = this.#options;
    const { namespace } = reference;
    const at = { namespace, name: warmthName(kind, reference.name) };
    const found = this.#found(kind, at);
    if (!wanted) return this.#remove(reference, [kind]);
    if (found && isAsWanted(found, wanted)) return;
    const resource = resourceOf[kind];
    let written: KubernetesObject;
    if (!found) {
      try {
        written = await permitted(client.create(resource, at, wanted), remedy);
      } catch (error) {
        throw isStatus(error, 409) ? notOurs(resource, at) : error;
      }
    } else if (found.labels[warmthLabel] !== kind) {
      throw notOurs(resource, at);
    } else if (found.labels[warmsLabel] !== objectAt(wanted, 'metadata', 'labels')[warmsLabel]) {
      // Of an earlier target of that name. Which pods are its own cannot be changed: it goes, and comes again.
      await this.#delete(kind, found);
      throw new Error(`${resource.kind} ${at.name} is of an earlier ${reference.resource.kind} of that name`);
    } else written = await permitted(client.replace(resource, at, wanted), remedy);
    this.#written.set(`${kind} ${namespace}/${at.name}`, written);
    log('info', `${resource.kind} ${at.name} was ${found ? 'changed' : 'made'}`, { namespace });
  }

  async #remove({ namespace, name }: TargetReference, which: readonly WarmthKind[]): Promise<void> {
    for (const kind of which) {
      const found = this.#found(kind, { namespace, name: warmthName(kind, name) });
      if (found && found.labels[warmthLabel] === kind) await this.#delete(kind, found);
    }
  }

  async #delete(kind: WarmthKind, object: KubernetesObject): Promise<void> {
    const { client, log, mayWrite } = this.#options;
    const { namespace, name, uid } = object;
    if (!mayWrite() || object.deletedAtMs !== null || this.#deleted.has(uid)) return;
    this.#deleted.add(uid);
    this.#written.delete(`${kind} ${namespace}/${name}`);
    try {
      await client.delete(resourceOf[kind], { namespace, name }, { uid, propagation: 'Background' });
      log('info', `${resourceOf[kind].kind} ${name} was removed`, { namespace });
    } catch (error) {
      this.#deleted.delete(uid);
      log('warn', `${resourceOf[kind].kind} ${name} was not removed`, { namespace, error: String(error) });
    }
  }

  async #sweep(): Promise<void> {
    for (const kind of kinds) {
      for (const object of this.#madeOf(kind).list()) {
        if (object.labels[warmthLabel] !== kind || this.#byMade.has(objectName(object))) continue;
        await this.#delete(kind, object);
      }
    }
  }

  /** The newest that is known of it. */
  #found(kind: WarmthKind, at: { namespace: string; name: string }): KubernetesObject | null {
    const seen = this.#madeOf(kind).get(at);
    const written = this.#written.get(`${kind} ${objectName(at)}`) ?? null;
    const newest =
      seen && (!written || !isOlderVersion(seen.resourceVersion, written.resourceVersion)) ? seen : written;
    return newest && this.#deleted.has(newest.uid) ? null : newest;
  }

  #madeOf(kind: WarmthKind): Followed {
    return kind === 'prepull' ? this.#options.daemonSets : this.#options.deployments;
  }

  #tell(warm: Warm, wanted: WarmthWanted): void {
    const { client, changed } = this.#options;
    const found = this.#conditionNow(warm, wanted);
    const before = warm.condition;
    if (before?.reason === found?.reason && before?.message === found?.message) return;
    warm.condition = found && withTransition(before, found, client.clock.nowMs());
    changed(warm.reference.workload);
  }

  #conditionNow({ reference, problem }: Warm, wanted: WarmthWanted): Said | null {
    if (problem) return { type: 'Warmth', status: 'False', ...problem };
    const parts = kinds.flatMap((kind) => {
      const isWanted = kind === 'prepull' ? wanted.prepull : wanted.headroom > 0;
      if (!isWanted) return [];
      const object = this.#found(kind, { ...reference, name: warmthName(kind, reference.name) });
      return [kind === 'prepull' ? prepullText(object) : headroomText(object, wanted.headroom)];
    });
    if (parts.length === 0) return null;
    return { type: 'Warmth', status: 'True', reason: 'Kept', message: parts.join('; ') };
  }
}

function madeNames({ namespace, name }: TargetReference): string[] {
  return kinds.map((kind) => objectName({ namespace, name: warmthName(kind, name) }));
}

function newWarm(reference: TargetReference, mode: Mode): Warm {
  return { reference, mode, problem: null, isWorking: false, isDue: false, condition: null };
}

function notOurs({ kind }: Resource, { name }: { name: string }): Error {
  return new Error(`there is a ${kind} ${name} already that Ebb has not made`);
}

const isMissingRight = ({ problem }: Warm) => problem?.message.endsWith(remedy) === true;

/** Its count may have been changed by others; what else of it was changed shows in its revision alone. */
function isAsWanted(found: KubernetesObject, wanted: JsonObject): boolean {
  const metadata = objectAt(wanted, 'metadata');
  const annotations = isObject(metadata.annotations) ? metadata.annotations : {};
  const count = numberAt(wanted, 'spec', 'replicas');
  const isCount = count === null || (numberAt(found.body, 'spec', 'replicas') ?? 1) === count;
  return found.annotations[warmthRevision] === annotations[warmthRevision] && isCount;
}

function prepullText(object: KubernetesObject | null): string {
  const wanted = numberAt(object?.body, 'status', 'desiredNumberScheduled') ?? 0;
  const ready = numberAt(object?.body, 'status', 'numberReady') ?? 0;
  return `its images are on ${ready} of ${wanted} nodes`;
}

function headroomText(object: KubernetesObject | null, count: number): string {
  const ready = numberAt(object?.body, 'status', 'readyReplicas') ?? 0;
  return `${ready} of ${count} pause pods keep room`;
}
