import { type RunObservation, RunRefused, type StoredDocument } from '@ebb/core';
import { keyText } from '@ebb/documents';
import { Alarms } from '../alarms.ts';
import { type EngineContext, isStaleEpoch } from '../context.ts';
import { messageOf } from '../replicaActions.ts';
import { TriggerReadings } from '../triggerReadings.ts';
import { decideJobs, longestTakeOf } from './decideJobs.ts';
import { afterRun, isFinished, isRunOf, type Job, newJob, outOfHistory, runId } from './job.ts';
import { JobBook } from './jobBook.ts';
import { environmentOf, JobStartError, runStartOf } from './jobStart.ts';
import { recordDecision } from './recordDecision.ts';
import { derivedFrom, newScaledJobState, type ScaledJobState, unfinished } from './scaledJobState.ts';
import { adoptedJob, afterTemplate, TemplateRuns } from './templateRuns.ts';

/** A driver that did not take a run is asked again after this. */
const askAgainMs = 1000;

/**
 * ScaledJobs: as many Jobs as KEDA's arithmetic says. On one machine a Job is a process; it is stored before that is asked for
 * and forgotten by the driver only after its end is stored, so that a crash between any two steps loses none. A driver that
 * runs whole templates (`runTemplate`) is given each Job once: it retries, it keeps what has ended, and the engine's store
 * has a Job only until the driver shows it.
 */
export class ScaledJobs {
  readonly #context: EngineContext;
  readonly #book: JobBook;
  readonly #states = new Map<string, ScaledJobState>();
  /** By run id: whose it is. */
  readonly #runs = new Map<string, { state: ScaledJobState; job: Job }>();
  readonly #alarms: Alarms<ScaledJobState>;
  /** Null: runs are processes, one for each attempt. */
  readonly #templates: TemplateRuns | null;
  #listed = false;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#alarms = new Alarms(context.ports.clock, (state) => this.#look(state));
    this.#book = new JobBook(context.ports.store.state, context.options.epoch);
    this.#templates = context.ports.driver.runTemplate ? new TemplateRuns() : null;
  }

  async load(): Promise<void> {
    const { store, log } = this.#context.ports;
    for (const stored of await store.documents.list('ScaledJob')) {
      try {
        this.#states.set(keyText(stored.key), newScaledJobState(stored, this.#isWhole));
      } catch (error) {
        const key = keyText(stored.key);
        log('error', 'a stored ScaledJob cannot be read and is left alone', { key, error: messageOf(error) });
      }
    }
    for (const job of await this.#book.load()) {
      if (this.#templates) {
        this.#templates.stored(job);
        continue;
      }
      const state = this.#states.get(keyText(job.owner));
      if (!state) {
        await this.#book.drop(job);
        continue;
      }
      state.jobs.set(job.id, job);
      if (!isFinished(job)) this.#runs.set(runId(job), { state, job });
    }
    for (const state of this.#states.values()) this.#open(state);
  }

  /** By its object key. A deleted one is not here any more. */
  find(key: string): ScaledJobState | undefined {
    return this.#states.get(key);
  }

  states(): ScaledJobState[] {
    return [...this.#states.values()];
  }

  /** A ScaledJob was created or changed. */
  put(stored: StoredDocument): void {
    const key = keyText(stored.key);
    const known = this.#states.get(key);
    if (!known) {
      const state = newScaledJobState(stored, this.#isWhole);
      this.#states.set(key, state);
      if (this.#listed) this.#recall(state);
      this.#open(state);
      return;
    }
    const isNew = known.stored.generation !== stored.generation;
    known.stored = stored;
    Object.assign(known, derivedFrom(stored, this.#isWhole), { removed: false, recorded: '', problem: '' });
    if (isNew && known.spec.rollout.strategy === 'immediate') {
      for (const job of unfinished(known)) this.#end(known, job, 'replaced: the document was changed');
    }
    this.#open(known);
  }

  /** A ScaledJob was deleted: its Jobs go with it, as KEDA's do; where they are objects of their own, by whom they belong to. */
  remove(key: string): void {
    const state = this.#states.get(key);
    if (!state) return;
    state.removed = true;
    state.triggers?.close();
    state.triggers = null;
    this.#alarms.set(state, null);
    this.#states.delete(key);
    for (const job of [...state.jobs.values()]) {
      if (!isFinished(job) && !this.#isWhole) this.#stop(runId(job));
      this.#forget(state, job);
    }
  }

  /** Sign-ins have changed: what uses them is opened anew. */
  reopen(namespace: string | null): void {
    for (const state of this.#states.values()) {
      const isNear = namespace === null || state.spec.key.namespace === namespace;
      if (isNear && state.spec.triggers.some(({ authentication }) => authentication !== null)) this.#open(state);
    }
  }

  /** The driver's full list: what is not in it does not run. */
  listed(runs: readonly RunObservation[]): void {
    this.#listed = true;
    const ids = new Set(runs.map(({ id }) => id));
    for (const run of runs) this.observed(run);
    if (this.#isWhole) for (const state of this.#states.values()) this.#recall(state);
    for (const { state, job } of [...this.#runs.values()]) {
      if (this.#isWhole || ids.has(runId(job))) continue;
      if (job.phase === 'running') this.#lost(state, job);
      // It was asked for, but the agent ended before it had heard of it.
      else if (job.attempts > 0) job.retryAtMs ??= this.#context.ports.clock.nowMs();
    }
    for (const state of this.#states.values()) this.#look(state);
  }

  /** News of one run. */
  observed(run: RunObservation): void {
    this.#templates?.note(run);
    const owner = this.#runs.get(run.id) ?? this.#adopted(run);
    if (!owner) {
      if (this.#isWhole) return;
      const isOver = run.phase === 'gone' || run.phase === 'stopping';
      // Ended and stored before its driver forgot it, or of a document that is gone.
      if (this.#listed && !isOver && !this.#isStarting(run)) this.#stop(run.id);
      return;
    }
    const { state, job } = owner;
    if (this.#isWhole) this.#shown(state, job, run);
    if (run.phase === 'running') {
      job.startedAtMs ??= run.startedAtMs;
      // A pod may have waited for long before it began.
      const isNews = this.#isWhole && job.phase !== 'running';
      state.taken.began(run.id, isNews ? this.#context.ports.clock.nowMs() : run.startedAtMs);
      if (job.phase !== 'running') {
        job.phase = 'running';
        this.#context.feed.changed(state.journalKey, true);
      }
    }
    if (run.phase === 'succeeded' || run.phase === 'failed') void this.#ended(state, job, run);
    else if (run.phase === 'gone') this.#lost(state, job);
    this.#plan(state);
  }

  get #isWhole(): boolean {
    return this.#templates !== null;
  }

  /** Takes in what there is of a ScaledJob that is new here: its Jobs, and what was asked for and has not been shown. */
  #recall(state: ScaledJobState): void {
    if (!this.#templates) return;
    for (const run of this.#templates.of(state.key)) this.observed(run);
    const nowMs = this.#context.ports.clock.nowMs();
    const { again, over } = this.#templates.unseen(state.key, nowMs);
    for (const job of over) this.#drop(job);
    for (const job of again) {
      if (state.jobs.has(job.id)) continue;
      state.jobs.set(job.id, { ...job, phase: 'waiting', retryAtMs: nowMs });
    }
  }

  /** A Job of a template that this engine has not asked for, or one that has ended; what has gone is forgotten. */
  #adopted(run: RunObservation): { state: ScaledJobState; job: Job } | undefined {
    const state = this.#states.get(keyText(run.owner));
    if (!this.#templates || !state || state.removed) return undefined;
    const known = state.jobs.get(run.id);
    if (known) {
      if (run.phase === 'gone') this.#forget(state, known);
      if (run.phase === 'gone' || isFinished(known)) return undefined;
    }
    if (run.phase === 'gone') return undefined;
    const job = known ?? adoptedJob(run, state.stored.generation, this.#context.ports.clock.nowMs());
    state.jobs.set(job.id, job);
    if (isFinished(job)) return undefined;
    const found = { state, job };
    this.#runs.set(run.id, found);
    if (known) return found;
    if (job.phase === 'running') state.taken.began(job.id, run.startedAtMs);
    this.#context.journal.record('outcome', state.journalKey, { type: 'job-adopted', job: job.id, phase: run.phase });
    const isOld = run.generation !== undefined && run.generation !== state.stored.generation;
    if (isOld && run.phase !== 'stopping' && state.spec.rollout.strategy === 'immediate') {
      this.#end(state, job, 'replaced: the document was changed');
      return undefined;
    }
    return found;
  }

  /** The driver keeps it from now on. */
  #shown(state: ScaledJobState, job: Job, run: RunObservation): void {
    job.retryAtMs = null;
    state.pods.set(job.id, run.pods ?? []);
    this.#drop(job);
  }

  close(): void {
    for (const state of this.#states.values()) state.triggers?.close();
    this.#alarms.clear();
  }

  #isStarting(run: RunObservation): boolean {
    const state = this.#states.get(keyText(run.owner));
    return state !== undefined && [...state.jobs.values()].some((job) => !isFinished(job) && isRunOf(job, run.id));
  }

  #open(state: ScaledJobState): void {
    const { ports } = this.#context;
    state.triggers?.close();
    state.triggers = null;
    state.nextPollMs = ports.clock.nowMs();
    const { spec, template } = state;
    // Whoever runs templates also knows what their containers' variables are.
    const env =
      this.#isWhole || 'problem' in template
        ? Promise.resolve({})
        : environmentOf(ports.store.documents, { template, owner: spec.key });
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
    const readings = new TriggerReadings({
      ports: this.#context.ports,
      request: { kind: 'ScaledJob', key: spec.key, triggers: spec.triggers, env, envFromHost: [] },
      watched: spec.improvements,
      onNews: () => {
        if (state.triggers !== readings) return;
        if (state.readAgain && !readings.isReading) this.#readAgain(state, readings);
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
    if (triggers && spec.improvements && taken.isToLook(nowMs, longestTakeOf(state))) this.#readAgain(state, triggers);
    for (const job of unfinished(state)) this.#tend(state, job, nowMs);
    this.#plan(state);
  }

  #tend(state: ScaledJobState, job: Job, nowMs: number): void {
    const { template } = state;
    const deadlineMs = 'problem' in template ? null : template.activeDeadlineMs;
    if (deadlineMs !== null && job.startedAtMs !== null && nowMs >= job.startedAtMs + deadlineMs) {
      return this.#end(state, job, `ran longer than activeDeadlineSeconds (${deadlineMs / 1000} s)`);
    }
    const isDue = job.phase === 'waiting' && job.retryAtMs !== null && nowMs >= job.retryAtMs;
    if (isDue && this.#canStart) void this.#start(state, job);
  }

  /** Where this is not so, the next list of the driver is waited for. */
  get #canStart(): boolean {
    return this.#listed && this.#context.driverConnected;
  }

  #decide(state: ScaledJobState): void {
    const { ports, journal, quiescing, stopped } = this.#context;
    if (stopped || quiescing || state.removed || !this.#listed) return;
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
      if (!jobs.has(id) && !this.#runs.has(id)) return id;
    }
  }

  async #start(state: ScaledJobState, job: Job): Promise<void> {
    const { ports, options } = this.#context;
    const { template } = state;
    if ('problem' in template) return;
    // A run that the driver may have been asked for keeps its id: asking twice starts one process.
    if (job.attempts === 0 || job.failures >= job.attempts) job.attempts++;
    job.retryAtMs = ports.clock.nowMs() + askAgainMs;
    const id = runId(job);
    this.#runs.set(id, { state, job });
    try {
      await this.#book.save(job);
      const { stored } = state;
      if (ports.driver.runTemplate) {
        if (state.removed || isFinished(job) || this.#context.stopped) return;
        await ports.driver.runTemplate({ id, document: stored });
        this.#started(state, job, id);
        // It was shown while it was asked for.
        if (state.pods.has(job.id) || !state.jobs.has(job.id)) this.#drop(job);
        return;
      }
      const start = await runStartOf(ports.store.documents, id, {
        template,
        owner: state.spec.key,
        origin: stored.origin,
        node: options.node,
      });
      if (state.removed || isFinished(job) || this.#context.stopped) return;
      if (!ports.driver.run) return;
      await ports.driver.run(start);
      state.taken.began(id, ports.clock.nowMs());
      this.#started(state, job, id);
    } catch (error) {
      this.#notStarted(state, job, error);
    }
    this.#plan(state);
  }

  #started(state: ScaledJobState, job: Job, run: string): void {
    state.problem = '';
    if (job.phase === 'waiting') job.retryAtMs = null;
    this.#context.journal.record('action', state.journalKey, { type: 'run', job: job.id, run, attempt: job.attempts });
    this.#plan(state);
  }

  #notStarted(state: ScaledJobState, job: Job, error: unknown): void {
    if (isStaleEpoch(error)) return this.#context.deposed();
    state.problem = messageOf(error);
    job.message = state.problem;
    if (error instanceof JobStartError || error instanceof RunRefused) {
      state.brake.failed(job.createdAtMs, this.#context.ports.clock.nowMs(), state.spec.pollingIntervalMs);
      this.#context.feed.changed(state.journalKey, true);
      // There is no Job that could stay for people to look at.
      if (this.#isWhole) {
        this.#context.journal.record('outcome', state.journalKey, {
          type: 'job-refused',
          job: job.id,
          message: job.message,
        });
        this.#forget(state, job);
      } else this.#end(state, job, state.problem);
    } else
      this.#context.ports.log('warn', 'a Job could not be started and is tried again', {
        job: job.id,
        error: state.problem,
      });
  }

  async #ended(state: ScaledJobState, job: Job, run: RunObservation): Promise<void> {
    if (isFinished(job) || !this.#runs.delete(run.id)) return;
    state.taken.ended(run.id, this.#context.ports.clock.nowMs());
    const { ports, journal, feed } = this.#context;
    const { template } = state;
    const nowMs = ports.clock.nowMs();
    if (this.#isWhole) afterTemplate(job, run, nowMs);
    else afterRun(job, run, 'problem' in template ? 0 : template.backoffLimit, nowMs);
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
    if (!isFinished(job)) this.#runs.set(runId({ ...job, attempts: job.attempts + 1 }), { state, job });
    feed.changed(state.journalKey, true);
    if (!this.#isWhole) {
      await this.#keep(job);
      this.#stop(run.id);
    }
    if (state.spec.improvements && isFinished(job)) {
      if (state.triggers) this.#readAgain(state, state.triggers);
      if (hasNoSource(state)) this.#decide(state);
    }
    this.#plan(state);
  }

  /**
   * What the last reading said is as old as a second and may still count a message that a Job has done or taken since: the
   * source is asked again before another one is made, and once more where it is answering an earlier question.
   */
  #readAgain(state: ScaledJobState, triggers: TriggerReadings): void {
    state.readAgain = triggers.isReading;
    triggers.ask();
  }

  /**
   * The driver knows nothing of a run that it had: its work may not be done, so it is run again. A Job of its own that is gone was
   * deleted by people or by its time to live: the sources say whether its work is still to be done.
   */
  #lost(state: ScaledJobState, job: Job): void {
    if (isFinished(job)) return;
    if (this.#isWhole) {
      this.#context.journal.record('outcome', state.journalKey, { type: 'job-gone', job: job.id });
      this.#context.feed.changed(state.journalKey, true);
      state.taken.ended(job.id, this.#context.ports.clock.nowMs());
      this.#forget(state, job);
      if (state.spec.improvements && state.triggers) this.#readAgain(state, state.triggers);
      return;
    }
    const message = 'the run was lost and is made up for';
    this.#runs.delete(runId(job));
    state.taken.ended(runId(job), this.#context.ports.clock.nowMs());
    Object.assign(job, {
      phase: 'waiting',
      failures: Math.max(job.failures, job.attempts),
      retryAtMs: this.#context.ports.clock.nowMs(),
      message,
    });
    this.#context.journal.record('outcome', state.journalKey, { type: 'run-lost', job: job.id, message });
    void this.#keep(job);
  }

  /** Ends a Job as failed, whatever it does now. */
  #end(state: ScaledJobState, job: Job, message: string): void {
    const { ports, journal, feed } = this.#context;
    const id = runId(job);
    this.#runs.delete(id);
    state.taken.ended(id, ports.clock.nowMs());
    Object.assign(job, { phase: 'failed', endedAtMs: ports.clock.nowMs(), retryAtMs: null, message });
    journal.record('outcome', state.journalKey, { type: 'job-ended', job: job.id, message });
    feed.changed(state.journalKey, true);
    if (this.#isWhole) this.#drop(job);
    else void this.#keep(job);
    if (job.attempts > 0) this.#stop(id);
  }

  async #keep(job: Job): Promise<void> {
    try {
      await this.#book.save(job);
    } catch (error) {
      if (isStaleEpoch(error)) this.#context.deposed();
      else this.#context.ports.log('warn', 'a Job could not be stored', { job: job.id, error: messageOf(error) });
    }
  }

  #trimHistory(state: ScaledJobState, nowMs: number): void {
    const { spec, template } = state;
    const limits = {
      succeeded: spec.successfulJobsHistoryLimit,
      failed: spec.failedJobsHistoryLimit,
      keepFinishedMs: 'problem' in template ? null : template.keepFinishedMs,
    };
    for (const job of outOfHistory([...state.jobs.values()], limits, nowMs)) {
      if (this.#isWhole) this.#stop(runId(job));
      this.#forget(state, job);
    }
  }

  #forget(state: ScaledJobState, job: Job): void {
    state.jobs.delete(job.id);
    state.pods.delete(job.id);
    this.#runs.delete(runId(job));
    this.#drop(job);
  }

  #drop(job: Job): void {
    this.#book.drop(job).catch((error: unknown) => {
      this.#context.ports.log('warn', 'a finished Job is still stored', { job: job.id, error: messageOf(error) });
    });
  }

  #stop(run: string): void {
    const { ports } = this.#context;
    ports.driver.stop(run).catch((error: unknown) => {
      // It is in the next list again.
      ports.log('warn', 'a run could not be stopped', { run, error: messageOf(error) });
    });
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
