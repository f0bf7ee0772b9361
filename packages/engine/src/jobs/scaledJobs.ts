import { type RunObservation, RunRefused, type StoredDocument } from '@ebb/core';
import { keyText } from '@ebb/documents';
import { Alarms } from '../alarms.ts';
import { type EngineContext, isStaleEpoch } from '../context.ts';
import { messageOf } from '../replicaActions.ts';
import { TriggerReadings } from '../triggerReadings.ts';
import { decideJobs, endOf, longestTakeOf } from './decideJobs.ts';
import { isFinished, type Job, newJob, outOfHistory, runId } from './job.ts';
import { JobRecords } from './jobRecords.ts';
import type { JobRunner } from './jobRunner.ts';
import { environmentOf, JobStartError } from './jobStart.ts';
import { ProcessRuns } from './processRuns.ts';
import { recordDecision } from './recordDecision.ts';
import { derivedFrom, newScaledJobState, readAgain, type ScaledJobState, unfinished } from './scaledJobState.ts';
import { TemplateRuns } from './templateRuns.ts';

/** A driver that did not take a run is asked again after this. */
const askAgainMs = 1000;

/** ScaledJobs: as many Jobs as KEDA's arithmetic says. How those run is their runner's affair. */
export class ScaledJobs {
  readonly #context: EngineContext;
  readonly #jobs: JobRecords;
  readonly #runner: JobRunner;
  readonly #alarms: Alarms<ScaledJobState>;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#alarms = new Alarms(context.ports.clock, (state) => this.#look(state));
    this.#jobs = new JobRecords(context);
    this.#runner = context.ports.driver.runTemplate ? new TemplateRuns(this.#jobs) : new ProcessRuns(this.#jobs);
  }

  async load(): Promise<void> {
    const { store, log } = this.#context.ports;
    for (const stored of await store.documents.list('ScaledJob')) {
      try {
        this.#jobs.states.set(keyText(stored.key), newScaledJobState(stored, this.#runner));
      } catch (error) {
        const key = keyText(stored.key);
        log('error', 'a stored ScaledJob cannot be read and is left alone', { key, error: messageOf(error) });
      }
    }
    for (const job of await this.#jobs.book.load()) await this.#runner.stored(job);
    for (const state of this.#jobs.states.values()) this.#open(state);
  }

  /** By its object key. A deleted one is not here any more. */
  find(key: string): ScaledJobState | undefined {
    return this.#jobs.states.get(key);
  }

  states(): ScaledJobState[] {
    return [...this.#jobs.states.values()];
  }

  /** A ScaledJob was created or changed. */
  put(stored: StoredDocument): void {
    const key = keyText(stored.key);
    const known = this.#jobs.states.get(key);
    if (!known) {
      const state = newScaledJobState(stored, this.#runner);
      this.#jobs.states.set(key, state);
      if (this.#jobs.isListed) this.#recall(state);
      this.#open(state);
      return;
    }
    const isNew = known.stored.generation !== stored.generation;
    known.stored = stored;
    Object.assign(known, derivedFrom(stored, this.#runner), { removed: false, recorded: '', problem: '' });
    if (isNew && known.spec.rollout.strategy === 'immediate') {
      for (const job of unfinished(known)) this.#runner.end(known, job, 'replaced: the document was changed');
    }
    this.#open(known);
  }

  /** A ScaledJob was deleted. */
  remove(key: string): void {
    const state = this.#jobs.states.get(key);
    if (!state) return;
    state.removed = true;
    state.triggers?.close();
    state.triggers = null;
    this.#alarms.set(state, null);
    this.#jobs.states.delete(key);
    for (const job of [...state.jobs.values()]) {
      this.#runner.orphaned(job);
      this.#jobs.forget(state, job);
    }
  }

  /** Sign-ins have changed: what uses them is opened anew. */
  reopen(namespace: string | null): void {
    for (const state of this.#jobs.states.values()) {
      const isNear = namespace === null || state.spec.key.namespace === namespace;
      if (isNear && state.spec.triggers.some(({ authentication }) => authentication !== null)) this.#open(state);
    }
  }

  /** The driver's full list: what is not in it does not run. */
  listed(runs: readonly RunObservation[]): void {
    this.#jobs.isListed = true;
    for (const run of runs) this.observed(run);
    for (const state of this.#jobs.states.values()) this.#recall(state);
    this.#runner.listed(new Set(runs.map(({ id }) => id)));
    for (const state of this.#jobs.states.values()) this.#look(state);
  }

  /** News of one run. */
  observed(run: RunObservation): void {
    const owner = this.#runner.ownerOf(run);
    if (!owner) return;
    const { state, job } = owner;
    if (run.phase === 'running') {
      job.startedAtMs ??= run.startedAtMs;
      if (job.phase !== 'running') {
        job.phase = 'running';
        state.taken.began(run.id, this.#runner.beganAtMs(run));
        this.#context.feed.changed(state.journalKey, true);
      }
    }
    if (run.phase === 'succeeded' || run.phase === 'failed') void this.#ended(state, job, run);
    else if (run.phase === 'gone') this.#runner.lost(state, job);
    this.#plan(state);
  }

  /** Takes in what the driver has said of a ScaledJob. */
  #recall(state: ScaledJobState): void {
    for (const run of this.#runner.recall(state)) this.observed(run);
  }

  close(): void {
    for (const state of this.#jobs.states.values()) state.triggers?.close();
    this.#alarms.clear();
  }

  #open(state: ScaledJobState): void {
    const { ports } = this.#context;
    state.triggers?.close();
    state.triggers = null;
    state.nextPollMs = ports.clock.nowMs();
    const { spec, template } = state;
    const env =
      'problem' in template ? Promise.resolve({}) : environmentOf(ports.store.documents, { template, owner: spec.key });
    env.then(
      (found) => this.#openTriggers(state, spec, found),
      (error: unknown) => {
        // What triggers need of the environment may be another part of it.
        state.problem = messageOf(error);
        this.#openTriggers(state, spec, {});
      },
    );
  }

  #openTriggers(state: ScaledJobState, spec: ScaledJobState['spec'], env: Record<string, string>): void {
    if (state.spec !== spec || state.removed || this.#context.stopped) return;
    state.triggers?.close();
    state.endedUnread.clear();
    const readings = new TriggerReadings({
      ports: this.#context.ports,
      request: { kind: 'ScaledJob', key: spec.key, triggers: spec.triggers, env, envFromHost: [] },
      watched: spec.improvements,
      onNews: () => {
        if (state.triggers !== readings) return;
        if (state.readAgain && !readings.isReading) readAgain(state);
        this.#decide(state);
      },
    });
    state.triggers = readings;
    this.#look(state);
  }

  /** Asks the sources where that is due, ends what is over its time, starts what waits. */
  #look(state: ScaledJobState): void {
    const { clock } = this.#context.ports;
    if (this.#context.stopped || state.removed) return;
    const nowMs = clock.nowMs();
    if (state.triggers && nowMs >= state.nextPollMs) {
      state.nextPollMs = nowMs + state.spec.pollingIntervalMs;
      this.#trimHistory(state, nowMs);
      if (state.spec.improvements) this.#decide(state);
      else state.triggers.ask();
      if (state.triggers.readAtMs !== null && hasNoSource(state)) this.#decide(state);
    }
    if (state.brake.release(nowMs) && state.spec.improvements) this.#decide(state);
    const { spec, taken, triggers } = state;
    // What the last reading said may be older than what the run has taken since.
    if (triggers && spec.improvements && taken.isToLook(nowMs, longestTakeOf(state))) readAgain(state);
    for (const job of unfinished(state)) this.#tend(state, job, nowMs);
    this.#plan(state);
  }

  #tend(state: ScaledJobState, job: Job, nowMs: number): void {
    const { template } = state;
    const deadlineMs = 'problem' in template ? null : template.activeDeadlineMs;
    if (deadlineMs !== null && job.startedAtMs !== null && nowMs >= job.startedAtMs + deadlineMs) {
      return this.#runner.end(state, job, `ran longer than activeDeadlineSeconds (${deadlineMs / 1000} s)`);
    }
    const isDue = job.phase === 'waiting' && job.retryAtMs !== null && nowMs >= job.retryAtMs;
    if (isDue && this.#canStart) void this.#start(state, job);
  }

  /** Where this is not so, the next list of the driver is waited for. */
  get #canStart(): boolean {
    return this.#jobs.isListed && this.#context.driverConnected;
  }

  #decide(state: ScaledJobState): void {
    const { ports, journal, quiescing, stopped } = this.#context;
    if (stopped || quiescing || state.removed || !this.#jobs.isListed) return;
    const nowMs = ports.clock.nowMs();
    const decision = decideJobs(state, nowMs);
    if (!decision) return;
    state.last = { result: decision.result, readings: decision.readings, atMs: nowMs };
    this.#context.feed.changed(state.journalKey, false);
    const heldBackUntilMs = state.spec.improvements ? state.brake.untilMs : null;
    const mayCreate = !state.spec.paused && !('problem' in state.template) && heldBackUntilMs === null;
    const create = mayCreate ? decision.result.create : 0;
    recordDecision(journal, state, decision, create, heldBackUntilMs);
    for (let made = 0; made < create; made++) {
      const job = newJob(this.#newId(state), state.spec.key, state.stored.generation, nowMs);
      state.jobs.set(job.id, job);
      journal.record('action', state.journalKey, { type: 'create-job', job: job.id });
      void this.#start(state, job);
    }
    this.#plan(state);
  }

  /** Unlike that of any Job that is here. */
  #newId({ spec, jobs }: ScaledJobState): string {
    for (;;) {
      const id = `${spec.key.name}-${this.#context.ports.newSuffix()}`;
      if (!jobs.has(id) && !this.#jobs.runs.has(id)) return id;
    }
  }

  async #start(state: ScaledJobState, job: Job): Promise<void> {
    const { clock } = this.#context.ports;
    if ('problem' in state.template) return;
    // A run that the driver may have been asked for keeps its id: asking twice starts one process.
    if (job.attempts === 0 || job.failures >= job.attempts) job.attempts++;
    job.retryAtMs = clock.nowMs() + askAgainMs;
    const run = runId(job);
    this.#jobs.runs.set(run, { state, job });
    try {
      await this.#jobs.book.save(job);
      const ask = await this.#runner.prepare(state, job, run);
      if (!ask || state.removed || isFinished(job) || this.#context.stopped) return;
      await ask();
      state.problem = '';
      if (job.phase === 'waiting') job.retryAtMs = null;
      const { id, attempts: attempt } = job;
      this.#context.journal.record('action', state.journalKey, { type: 'run', job: id, run, attempt });
    } catch (error) {
      this.#notStarted(state, job, error);
    }
    this.#plan(state);
  }

  #notStarted(state: ScaledJobState, job: Job, error: unknown): void {
    if (isStaleEpoch(error)) return this.#context.deposed();
    state.problem = messageOf(error);
    job.message = state.problem;
    if (error instanceof JobStartError || error instanceof RunRefused) {
      state.brake.failed(job.createdAtMs, this.#context.ports.clock.nowMs(), state.spec.pollingIntervalMs);
      this.#context.feed.changed(state.journalKey, true);
      this.#runner.refused(state, job);
    } else
      this.#context.ports.log('warn', 'a Job could not be started and is tried again', {
        job: job.id,
        error: state.problem,
      });
  }

  async #ended(state: ScaledJobState, job: Job, run: RunObservation): Promise<void> {
    if (isFinished(job) || !this.#jobs.runs.delete(run.id)) return;
    const { ports, journal, feed } = this.#context;
    const nowMs = ports.clock.nowMs();
    const noteEnd = endOf(state, job, nowMs);
    state.taken.ended(run.id, nowMs);
    this.#runner.ended(state, job, run);
    if (isFinished(job)) noteEnd();
    if (job.phase === 'succeeded') state.brake.succeeded();
    else if (isFinished(job)) state.brake.failed(job.createdAtMs, nowMs, state.spec.pollingIntervalMs);
    const { phase, exitCode, message } = job;
    journal.record('outcome', state.journalKey, {
      type: `run-${run.phase}`,
      job: job.id,
      run: run.id,
      phase,
      exitCode,
      message,
    });
    if (!isFinished(job)) this.#jobs.runs.set(runId({ ...job, attempts: job.attempts + 1 }), { state, job });
    feed.changed(state.journalKey, true);
    await this.#runner.settle(job, run);
    if (state.spec.improvements && isFinished(job)) {
      readAgain(state);
      if (hasNoSource(state)) this.#decide(state);
    }
    this.#plan(state);
  }

  #trimHistory(state: ScaledJobState, nowMs: number): void {
    const { spec, template } = state;
    const limits = {
      succeeded: spec.successfulJobsHistoryLimit,
      failed: spec.failedJobsHistoryLimit,
      keepFinishedMs: 'problem' in template ? null : template.keepFinishedMs,
    };
    for (const job of outOfHistory([...state.jobs.values()], limits, nowMs)) {
      this.#runner.outlived(job);
      this.#jobs.forget(state, job);
    }
  }

  /** Has the ScaledJob looked at when time alone changes something. */
  #plan(state: ScaledJobState): void {
    if (this.#context.stopped || state.removed) return this.#alarms.set(state, null);
    const { clock } = this.#context.ports;
    const { template } = state;
    const deadlineMs = 'problem' in template ? null : template.activeDeadlineMs;
    const times = [state.nextPollMs, state.brake.untilMs ?? state.nextPollMs];
    const lookMs = state.spec.improvements ? state.taken.nextLookMs(longestTakeOf(state)) : null;
    if (lookMs !== null) times.push(lookMs);
    for (const job of unfinished(state)) {
      if (job.phase === 'waiting' && job.retryAtMs !== null && this.#canStart) times.push(job.retryAtMs);
      if (deadlineMs !== null && job.startedAtMs !== null) times.push(job.startedAtMs + deadlineMs);
    }
    const atMs = Math.max(clock.nowMs() + 1, Math.min(...times));
    this.#alarms.set(state, atMs);
  }
}

/** Whether none of its triggers is read from anywhere. */
function hasNoSource({ spec }: ScaledJobState): boolean {
  return spec.triggers.every(({ type }) => type === 'cpu' || type === 'memory');
}
