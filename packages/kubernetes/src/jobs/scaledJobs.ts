import type { Clock, Driver } from '@ebb/core';
import {
  type Condition,
  InvalidDocumentError,
  keyText,
  type ObjectKey,
  resolveScaledJob,
  type ScaledJobSpec,
} from '@ebb/documents';
import { ApplyError, type ApplyInput, type Engine } from '@ebb/engine';
import type { AdvisedJobs, RunsPart } from '../advice/advisedJobs.ts';
import { type Mode, modeOf, withoutKedaPause } from '../advice/mode.ts';
import type { KubernetesClient } from '../client/client.ts';
import { UnmetError, unmetWaitMs } from '../client/missingPermission.ts';
import { type KubernetesObject, objectName, parseObjectName } from '../client/objects.ts';
import { Retries } from '../client/retries.ts';
import { resources } from '../client/resources.ts';
import { type JsonObject, objectAt } from '../client/values.ts';
import type { InformerEvent } from '../informer/informer.ts';
import type { ClusterView } from '../operator/cluster.ts';
import { keyOf, scaledObjectInput } from '../operator/documents.ts';
import { podEnvironment, readsEnvironment } from '../operator/podEnvironment.ts';
import type { StatusWriter } from '../store/statusWriter.ts';
import { JobRuns } from './jobRuns.ts';
import { withJobs } from './withJobs.ts';
import type { ObjectEvents } from '../operator/objectEvents.ts';

export interface ScaledJobsOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly view: ClusterView;
  /** Of ScaledJobs that do not say one. */
  readonly mode: Mode;
  readonly statuses: StatusWriter;
  /** Null: nothing is told. */
  readonly events: Pick<ObjectEvents, 'jobMade'> | null;
  /** Imagines the Jobs of those that are advised on, and leaves all others to what it is given. */
  advise(real: RunsPart): AdvisedJobs;
  mayWrite(): boolean;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

interface Problem {
  readonly reason: string;
  readonly message: string;
}

/** What the engine has been told of one. */
interface Told {
  readonly key: ObjectKey;
  spec: ScaledJobSpec | null;
  env: Record<string, string>;
  problem: Problem | null;
  /** The engine has it, and its Jobs are made or only imagined. */
  isFollowed: Mode | null;
}

/**
 * Brings ScaledJobs to the engine once all their Jobs are known, and their statuses to the cluster. Its driver makes their Jobs.
 * Whatever goes wrong with them touches nothing else.
 */
export class ScaledJobsOfCluster {
  readonly #options: ScaledJobsOptions;
  readonly #runs: JobRuns;
  readonly #advised: AdvisedJobs;
  readonly #told = new Map<string, Told>();
  readonly #due = new Set<string>();
  readonly #retries: Retries;
  #engine: Engine | null = null;
  #unwatch: (() => void) | null = null;
  #running: Promise<void> | null = null;
  /** The Jobs are being listed. */
  #isAwaited = false;
  #closed = false;

  constructor(options: ScaledJobsOptions) {
    this.#options = options;
    const { client, clock, view, mayWrite, log } = options;
    this.#retries = new Retries({ clock, random: client.random });
    const { jobs, pods, namespace } = view;
    const policyOf = (owner: ObjectKey) =>
      this.#told.get(keyText(owner))?.spec?.rollout.propagationPolicy === 'foreground' ? 'Foreground' : 'Background';
    const made = (owner: ObjectKey) => {
      const object = view.scaledJobs.get(owner);
      if (object) options.events?.jobMade(resources.scaledJobs, object);
    };
    this.#runs = new JobRuns({ client, clock, jobs, pods, namespace, made, mayWrite, policyOf, log });
    this.#advised = options.advise(this.#runs);
  }

  /** A driver that makes Jobs besides the replicas of another one. */
  driver(replicas: Driver): Driver {
    return withJobs(replicas, this.#advised);
  }

  /** Variables that triggers of a ScaledJob may name. */
  environmentOf(scaledJob: ObjectKey): Record<string, string> {
    return this.#told.get(keyText(scaledJob))?.env ?? {};
  }

  /** The engine has started: it is told of what is there, and of changes from now on. */
  follow(engine: Engine): void {
    this.#engine = engine;
    this.#unwatch = engine.watchStatuses(({ type, key: { namespace, name } }) => {
      if (type !== 'jobs') return;
      const object = this.#options.view.scaledJobs.get({ namespace, name });
      if (object) this.#statusChanged(object);
    });
    for (const object of this.#options.view.scaledJobs.list()) this.#touch(objectName(object));
  }

  /** Whether the change was of a ScaledJob. */
  onEvent(event: InformerEvent): boolean {
    const { object } = event;
    if (object.kind !== 'ScaledJob') return false;
    const isStatus = event.type === 'put' && event.before !== null && isSameDocument(event.before, object);
    if (!isStatus) this.#touch(objectName(object));
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch?.();
    this.#retries.close();
    this.#advised.close();
    await this.#running;
  }

  #touch(name: string): void {
    if (this.#closed || !this.#engine) return;
    this.#due.add(name);
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    if (this.#closed) return;
    if (!this.#runs.isReady) {
      for (const name of this.#due) this.#tellStatus(name);
      this.#due.clear();
      // In the background: what cannot be listed must not keep anybody from ending.
      if (!this.#isAwaited) void this.#runs.ready().then(() => this.#touchAll());
      this.#isAwaited = true;
      return;
    }
    for (let [name] = this.#due; name !== undefined && !this.#closed; [name] = this.#due) {
      this.#due.delete(name);
      await this.#sync(name);
    }
  }

  #touchAll(): void {
    const { view } = this.#options;
    for (const object of view.scaledJobs.list()) this.#touch(objectName(object));
    for (const { key } of this.#told.values()) this.#touch(objectName(key));
  }

  async #sync(name: string): Promise<void> {
    const { view, log } = this.#options;
    const at = parseObjectName(name);
    const key = keyOf(at);
    const object = view.scaledJobs.get(at);
    const told = this.#told.get(keyText(key)) ?? { key, spec: null, env: {}, problem: null, isFollowed: null };
    try {
      if (!object || object.deletedAtMs !== null) {
        await this.#letGo(told);
        this.#told.delete(keyText(key));
        this.#options.statuses.forget(resources.scaledJobs, at);
        return;
      }
      this.#told.set(keyText(key), told);
      told.problem = await this.#bring(told, object);
      this.#retries.succeeded(name);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log('warn', 'a ScaledJob could not be taken in', { key: name, error: message });
      const isUnmet = error instanceof UnmetError;
      if (isUnmet) told.problem = { reason: error.reason, message };
      this.#retries.later(name, isUnmet ? unmetWaitMs : null, () => this.#touch(name));
    }
    this.#tellStatus(name);
  }

  /** Resolves with why nothing is done for it; null: the engine has it. */
  async #bring(told: Told, object: KubernetesObject): Promise<Problem | null> {
    const { client, mode } = this.#options;
    const now = modeOf(object, mode);
    // It changes hands as a whole.
    if (told.isFollowed !== null && told.isFollowed !== now) await this.#letGo(told);
    if (now === 'advice') this.#advised.advise(told.key);
    const input = scaledJobInput(object);
    try {
      told.spec = resolveScaledJob(input.document);
      // Read before it is followed: triggers that miss their variables would say something else.
      told.env = readsEnvironment(told.spec.triggers)
        ? await podEnvironment(client, podOf(object), told.spec.envSourceContainerName)
        : {};
      await this.#engine?.apply([input]);
      told.isFollowed = now;
      this.#advised.decided(told.key);
      return null;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await this.#letGo(told);
      return { reason: 'InvalidDocument', message: error.message };
    }
  }

  /** Its Jobs stay as they are, and are another one's affair. */
  async #letGo(told: Told): Promise<void> {
    if (told.isFollowed) await this.#engine?.remove('ScaledJob', told.key);
    told.isFollowed = null;
    this.#advised.release(told.key);
  }

  #tellStatus(name: string): void {
    const object = this.#options.view.scaledJobs.get(parseObjectName(name));
    if (object) this.#statusChanged(object);
  }

  #statusChanged(object: KubernetesObject): void {
    const { statuses, mode } = this.#options;
    // Another one is in charge of it, and writes its status.
    if (modeOf(object, mode) === 'advice') return;
    statuses.changed(resources.scaledJobs, object, () => this.#status(keyOf(object)));
  }

  #status(key: ObjectKey): JsonObject | null {
    const unknown = this.#runs.isReady ? null : this.#runs.problem;
    const problem = unknown ? { reason: 'JobsUnknown', message: unknown } : this.#told.get(keyText(key))?.problem;
    if (problem) {
      return {
        conditions: [
          { type: 'Ready', status: 'False', ...problem },
          { type: 'Active', status: 'Unknown', reason: problem.reason, message: 'nothing is done for it' },
        ],
      };
    }
    const status = this.#engine?.scaledJob(key);
    return status ? { conditions: [...status.conditions.map(withoutTime), ...this.#contested(key)] } : null;
  }

  /** Two that make Jobs of one ScaledJob: each counts those of the other, and one of them should be switched off. */
  #contested(key: ObjectKey): Omit<Condition, 'lastTransitionTime'>[] {
    const job = this.#runs.madeByOthers(key);
    if (!job) return [];
    const who = job.labels['app.kubernetes.io/managed-by'] ?? 'another controller';
    const message = `${who} makes Jobs of it too, the latest ${job.name}: switch one of the two off`;
    return [{ type: 'Contested', status: 'True', reason: 'MadeByOthers', message }];
  }
}

/** A ScaledJob as its user wrote it, with what its Jobs name as their owner. */
export function scaledJobInput(object: KubernetesObject): ApplyInput {
  const input = scaledObjectInput(withoutKedaPause(object));
  const document = objectAt(input, 'document');
  const { uid, generation } = object;
  return {
    ...input,
    document: { ...document, metadata: { ...objectAt(document, 'metadata'), uid, generation } },
  };
}

/** The template in the shape of a scale target. */
function podOf(object: KubernetesObject): KubernetesObject {
  const template = objectAt(object.body, 'spec', 'jobTargetRef', 'template');
  return { ...object, body: { spec: { template } } };
}

/** A document that cannot be used is refused again until it changes. */
function isRefusal(error: unknown): error is Error {
  return error instanceof ApplyError || error instanceof InvalidDocumentError;
}

function isSameDocument(left: KubernetesObject, right: KubernetesObject): boolean {
  const of = ({ uid, generation, labels, annotations, deletedAtMs }: KubernetesObject) =>
    JSON.stringify([uid, generation, labels, annotations, deletedAtMs]);
  return of(left) === of(right);
}

function withoutTime({ lastTransitionTime: _time, ...condition }: Condition): Omit<Condition, 'lastTransitionTime'> {
  return condition;
}
