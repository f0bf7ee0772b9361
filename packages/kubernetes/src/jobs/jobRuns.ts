import { type Clock, type DriverEvent, type RunObservation, RunRefused, type TemplateStart } from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';
import { Backoff } from '../client/backoff.ts';
import { ApiServerError, isStatus, type KubernetesClient, notLeading } from '../client/client.ts';
import { isOlderVersion, type KubernetesObject } from '../client/objects.ts';
import { type Namespaces, resources } from '../client/resources.ts';
import type { Informer, InformerEvent } from '../informer/informer.ts';
import { jobName, jobObject, runAnnotation, runIdOf, scaledJobLabel, scaledJobOf } from './jobObject.ts';
import { jobUidOf, runOf } from './jobView.ts';

export interface JobRunsOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  /** Jobs with KEDA's label. Started here, when the first ScaledJob is there. */
  readonly jobs: Informer;
  readonly pods: Informer;
  readonly namespace: Namespaces;
  /** Whether this process leads: nothing is written otherwise. */
  mayWrite(): boolean;
  /** A Job of a ScaledJob was made. */
  made(owner: ObjectKey): void;
  /** How Jobs of a ScaledJob are deleted that are replaced. */
  policyOf(owner: ObjectKey): 'Background' | 'Foreground';
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

interface Entry {
  job: KubernetesObject;
  readonly owner: ObjectKey;
  /** What was told of it last. */
  told: string;
}

/** Requests at once: each needs a connection of its own. */
const createsAtOnce = 16;
/** A right that is missing is not given within the second. */
const refusedWaitMs = 30_000;

/**
 * Jobs of ScaledJobs as the runs of the engine. Each is created once: its name is made of the run's id, and one that is there
 * already is that run. What KEDA or an earlier leader has made has the same label, and is listed too.
 */
export class JobRuns {
  readonly #options: JobRunsOptions;
  /** By UID. */
  readonly #entries = new Map<string, Entry>();
  readonly #byRun = new Map<string, string>();
  /** By UID of the Job, pods by their UID. */
  readonly #pods = new Map<string, Map<string, KubernetesObject>>();
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  readonly #ends: (() => void)[] = [];
  /** Asked to end, and not deleted yet. */
  readonly #ending = new Set<string>();
  readonly #timers = new Set<() => void>();
  readonly #queue: (() => void)[] = [];
  readonly #asked = new Map<string, Promise<void>>();
  /** By the key of a ScaledJob, the latest Job that others have made since all were known. */
  readonly #others = new Map<string, KubernetesObject>();
  #creating = 0;
  #ready: Promise<void> | null = null;
  #isReady = false;
  #problem: string | null = null;
  #closed = false;

  constructor(options: JobRunsOptions) {
    this.#options = options;
  }

  /** All Jobs are known: only then may it be decided how many are missing. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Why they are not known yet; null: nothing has gone wrong. */
  get problem(): string | null {
    return this.#problem;
  }

  /**
   * Resolves once every Job is known that was made before now. A watch may be behind what an earlier leader has written, so
   * they are listed once more. Goes on trying until it is closed.
   */
  ready(): Promise<void> {
    this.#ready ??= this.#begin();
    return this.#ready;
  }

  /** Asked again while it is asked for, it is one request. */
  runTemplate(start: TemplateStart): Promise<void> {
    const known = this.#asked.get(start.id);
    if (known) return known;
    const asked = this.#create(start).finally(() => this.#asked.delete(start.id));
    this.#asked.set(start.id, asked);
    return asked;
  }

  async #create(start: TemplateStart): Promise<void> {
    const { client } = this.#options;
    const body = jobObject(start);
    const { namespace } = start.document.key;
    await this.#slot();
    try {
      if (!this.#options.mayWrite()) throw notLeading();
      this.#jobSeen(await client.create(resources.jobs, { namespace }, body));
      this.#options.made(start.document.key);
    } catch (error) {
      if (error instanceof ApiServerError && error.reason === 'AlreadyExists') return await this.#isThere(start);
      // Another try may go well: of what a quota has in the making at the moment, or of a server that is away.
      if (error instanceof ApiServerError && error.status < 500 && ![408, 409, 429].includes(error.status)) {
        throw new RunRefused(error.message);
      }
      throw error;
    } finally {
      this.#creating--;
      this.#queue.shift()?.();
    }
  }

  list(): RunObservation[] {
    return [...this.#entries.values()].map((entry) => this.#observation(entry));
  }

  /** The latest Job of a ScaledJob that another one has made beside Ebb; null: there was none. */
  madeByOthers(owner: ObjectKey): KubernetesObject | null {
    return this.#others.get(keyText(owner)) ?? null;
  }

  /** Deletes a Job, with its pods; tries until it is gone. Unknown ids are fine. */
  async stop(id: string): Promise<void> {
    const uid = this.#byRun.get(id);
    const entry = uid === undefined ? undefined : this.#entries.get(uid);
    if (!entry || this.#ending.has(entry.job.uid)) return;
    this.#ending.add(entry.job.uid);
    try {
      await this.#delete(entry, new Backoff(this.#options.client.random));
    } catch (error) {
      this.#ending.delete(entry.job.uid);
      throw error;
    }
  }

  watch(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#closed = true;
    for (const end of this.#ends) end();
    for (const cancel of this.#timers) cancel();
    this.#listeners.clear();
  }

  async #begin(): Promise<void> {
    const { client, jobs, pods, namespace, log } = this.#options;
    for (const pod of pods.list()) this.#podSeen(pod);
    this.#ends.push(
      pods.watch((event) => (event.type === 'put' ? this.#podSeen(event.object) : this.#podGone(event.object))),
      jobs.watch((event) => this.#jobEvent(event)),
    );
    jobs.start();
    const backoff = new Backoff(client.random);
    for (;;) {
      try {
        const { objects } = await client.list(resources.jobs, { namespace, labelSelector: scaledJobLabel });
        await jobs.synced;
        const listed = new Set(objects.map(({ uid }) => uid));
        for (const job of [...jobs.list(), ...objects]) this.#jobSeen(job);
        for (const { job } of [...this.#entries.values()]) {
          // Deleted before the list, and not heard of yet.
          if (!listed.has(job.uid) && !jobs.get(job)) this.#jobGone(job);
        }
        this.#isReady = true;
        this.#problem = null;
        return;
      } catch (error) {
        this.#problem = isStatus(error, 403)
          ? `${error.message}: give the operator its rights on Jobs by applying the manifests of this version`
          : error instanceof Error
            ? error.message
            : String(error);
        log('warn', 'Jobs of ScaledJobs are not known yet: none is made', { error: this.#problem });
        await this.#pause(backoff.nextMs(isStatus(error, 403) ? refusedWaitMs : null));
        if (this.#closed) return await new Promise(() => {});
      }
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#later(delayMs, resolve));
  }

  #later(delayMs: number, action: () => void): void {
    const { clock } = this.#options;
    const cancel = clock.at(clock.nowMs() + delayMs, () => {
      this.#timers.delete(cancel);
      action();
    });
    this.#timers.add(cancel);
  }

  async #slot(): Promise<void> {
    if (this.#creating >= createsAtOnce) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#creating++;
  }

  /** A Job of that name is there: the one that was asked for, or somebody else's. */
  async #isThere({ id, document }: TemplateStart): Promise<void> {
    const at = { namespace: document.key.namespace, name: jobName(id) };
    const found = await this.#options.client.get(resources.jobs, at);
    if (found && runIdOf(found) === id && scaledJobOf(found)?.name === document.key.name) return this.#jobSeen(found);
    throw new RunRefused(
      found ? `the Job ${at.name} is another one's` : `the Job ${at.name} was deleted while it was made`,
    );
  }

  async #delete(entry: Entry, backoff: Backoff): Promise<void> {
    const { client, mayWrite, policyOf, log } = this.#options;
    const { job, owner } = entry;
    if (this.#closed || !this.#entries.has(job.uid)) return;
    if (!mayWrite()) throw notLeading();
    const { phase } = this.#observation(entry);
    const isOver = phase === 'succeeded' || phase === 'failed';
    try {
      const propagation = isOver ? 'Background' : policyOf(owner);
      await client.delete(resources.jobs, job, { uid: job.uid, propagation });
    } catch (error) {
      log('warn', 'a Job could not be deleted and is tried again', { job: job.name, error: String(error) });
      const waitMs = backoff.nextMs(isStatus(error, 403) ? refusedWaitMs : null);
      this.#later(waitMs, () => {
        this.#delete(entry, backoff).catch(() => this.#ending.delete(job.uid));
      });
    }
  }

  #jobEvent(event: InformerEvent): void {
    if (event.type === 'put') this.#jobSeen(event.object);
    else this.#jobGone(event.object);
  }

  #jobSeen(job: KubernetesObject): void {
    const owner = scaledJobOf(job);
    const known = this.#entries.get(job.uid);
    if (!owner) {
      if (known) this.#jobGone(job);
      return;
    }
    if (known && isOlderVersion(job.resourceVersion, known.job.resourceVersion)) return;
    const entry = known && keyText(known.owner) === keyText(owner) ? known : { job, owner, told: '' };
    if (!known && this.#isReady && job.annotations[runAnnotation] === undefined) {
      this.#others.set(keyText(owner), job);
    }
    entry.job = job;
    this.#entries.set(job.uid, entry);
    this.#byRun.set(runIdOf(job), job.uid);
    this.#tell(entry);
  }

  #jobGone({ uid }: KubernetesObject): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    this.#entries.delete(uid);
    this.#ending.delete(uid);
    const id = runIdOf(entry.job);
    // By now another one of that name may be there.
    if (this.#byRun.get(id) !== uid) return;
    this.#byRun.delete(id);
    this.#send({ ...this.#observation(entry), phase: 'gone', pods: [] });
  }

  #podSeen(pod: KubernetesObject): void {
    const uid = jobUidOf(pod);
    if (uid === null) return;
    this.#pods.set(uid, (this.#pods.get(uid) ?? new Map<string, KubernetesObject>()).set(pod.uid, pod));
    const entry = this.#entries.get(uid);
    if (entry) this.#tell(entry);
  }

  #podGone(pod: KubernetesObject): void {
    const uid = jobUidOf(pod);
    const pods = uid === null ? undefined : this.#pods.get(uid);
    if (uid === null || !pods) return;
    pods.delete(pod.uid);
    if (pods.size === 0) this.#pods.delete(uid);
    const entry = this.#entries.get(uid);
    if (entry) this.#tell(entry);
  }

  #observation({ job, owner }: Entry): RunObservation {
    return runOf(job, owner, [...(this.#pods.get(job.uid)?.values() ?? [])]);
  }

  #tell(entry: Entry): void {
    const run = this.#observation(entry);
    const text = JSON.stringify(run);
    if (text === entry.told) return;
    entry.told = text;
    this.#send(run);
  }

  #send(run: RunObservation): void {
    for (const listener of [...this.#listeners]) listener({ type: 'run', run });
  }
}
