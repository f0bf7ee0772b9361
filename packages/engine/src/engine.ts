import type { AllocationLimits, Cause, StoredDocument } from '@ebb/core';
import {
  type CostReport,
  type FleetStatus,
  keyText,
  type ObjectKey,
  type ScaledJobStatus,
  type ScaledObjectStatus,
  type WatchEvent,
  type WorkloadSpec,
  type WorkloadStatus,
} from '@ebb/documents';
import { followDriver } from './adoption.ts';
import { Alarms } from './alarms.ts';
import type { EngineContext } from './context.ts';
import { checkApply, isWorkload, resolveStored, storeBatch } from './documents.ts';
import { explainFromJournal, hintLines, linesOf } from './explain.ts';
import { checkPlacement } from './placement.ts';
import { onGatewayEvent } from './gatewayEvents.ts';
import { HttpRoutes } from './httpRoutes.ts';
import { explainJobs } from './jobs/explainJobs.ts';
import { journalPrefix } from './jobs/scaledJobState.ts';
import { scaledJobStatus } from './jobs/scaledJobStatus.ts';
import { ScaledJobs } from './jobs/scaledJobs.ts';
import { Journal } from './journal.ts';
import { costOfSpan, type CostRequest } from './costOfSpan.ts';
import { Ledger } from './ledger.ts';
import { type MoneyRules, MoneyWatch, noMoneyRules } from './moneyWatch.ts';
import { fleetStatus } from './nodes/fleetStatus.ts';
import { Fleets, nodeKinds } from './nodes/fleets.ts';
import { UsageMeter } from './usageMeter.ts';
import { reconcile } from './reconcile.ts';
import { forgetFailed, messageOf } from './replicaActions.ts';
import { exists } from './replicaSet.ts';
import { SavedState } from './savedState.ts';
import { readSchedules } from './schedules.ts';
import { journalSnapshot } from './journalSnapshot.ts';
import { checkScaledObjects, ScaledObjects, targetKey } from './scaledObjects.ts';
import { scaledObjectStatus } from './scaledObjectStatus.ts';
import { sizingLines } from './appliedSizing.ts';
import { bindScaling } from './scaling.ts';
import { followSources, loadSources } from './sources.ts';
import { workloadStatus } from './status.ts';
import { Sizing } from './sizing.ts';
import { StatusFeed } from './statusFeed.ts';
import type {
  ApplyInput,
  ApplyOutcome,
  Engine,
  EngineOptions,
  Explanation,
  StatusChange,
  WorkloadRecommendation,
} from './types.ts';
import { withUsableClasses } from './usableClasses.ts';
import { wakeUp } from './wakeUp.ts';
import { derivedFrom, newWorkloadState, type WorkloadState } from './workloadState.ts';

/** The engine over its ports. Nothing happens before `start`. */
export function createEngine(options: EngineOptions): Engine {
  return new LiveEngine(options);
}

class LiveEngine implements Engine {
  readonly #context: EngineContext;
  readonly #saved: SavedState;
  readonly #sizing: Sizing;
  readonly #usage: UsageMeter;
  readonly #money: MoneyWatch;
  readonly #jobs: ScaledJobs;
  readonly #fleets: Fleets;
  readonly #touched = new Map<WorkloadState, Set<Cause>>();
  readonly #unwatch: (() => void)[] = [];
  #reconcileDue = false;
  #reconciling = false;
  #started = false;
  #isUp = false;
  #moneyRules: MoneyRules;
  readonly #up = Promise.withResolvers<void>();
  /** Applies and removals happen one after the other, once everything is loaded. */
  #documents: Promise<unknown> = this.#up.promise;
  #onChange: (() => void)[] = [];

  constructor(options: EngineOptions) {
    const { ports } = options;
    const { clock, store } = ports;
    const log = ports.log.bind(ports);
    const workloads = new Map<string, WorkloadState>();
    const fleets = () => this.#fleets;
    const journal = new Journal({ store: store.journal, clock, log, snapshot: () => journalSnapshot(this.#context) });
    const feed = new StatusFeed(clock, (key) => {
      const state = workloads.get(key);
      if (state) return state.removed ? null : { type: 'status', status: workloadStatus(this.#context, state) };
      const jobs = key.startsWith(journalPrefix) ? this.#jobs.find(key.slice(journalPrefix.length)) : undefined;
      return jobs ? { type: 'jobs', status: scaledJobStatus(this.#context, jobs) } : null;
    });
    this.#context = {
      options,
      ports,
      workloads,
      owners: new Map(),
      gateways: new Map(),
      journal,
      ledger: new Ledger({ store: store.ledger, clock, log }),
      money: { limits: () => this.#money.limits(), idleCost: (key) => this.#money.idleCost(key) },
      feed,
      // Made with the context, which it is part of.
      get fleets() {
        return fleets();
      },
      scaledObjects: new ScaledObjects(),
      httpRoutes: new HttpRoutes(),
      alarms: new Alarms(clock, (state) => wakeUp(this.#context, state)),
      adopted: false,
      driverConnected: false,
      quiescing: false,
      stopped: false,
      hasDependencies: false,
      limits: options.limits,
      allocationMemory: null,
      touch: (state, cause) => this.#touch(state, cause),
      reconcileNow: () => this.#reconcile(),
      deposed: () => this.#deposed(),
      hasLeft: (state) => this.#hasLeft(state),
      noteUse: (state) => this.#usage.note(state),
      measured: (samples) => this.#sizing.take(samples),
      unsaved: (state) => this.#saved.changed(state),
      recommendation: (state, spec) => this.#sizing.recommendation(state, spec),
      runs: { listed: (runs) => this.#jobs.listed(runs), observed: (run) => this.#jobs.observed(run) },
    };
    this.#fleets = new Fleets(this.#context);
    this.#moneyRules = options.money ?? noMoneyRules;
    this.#usage = new UsageMeter(this.#context);
    this.#money = new MoneyWatch(this.#context);
    this.#saved = new SavedState(this.#context);
    this.#sizing = new Sizing(this.#context);
    this.#jobs = new ScaledJobs(this.#context);
  }

  async start(): Promise<void> {
    if (this.#started) throw new Error('the engine is already started');
    this.#started = true;
    const { ports, workloads, journal, ledger } = this.#context;
    await journal.open();
    await ledger.load();
    const lastAliveMs = await this.#saved.lastAliveMs();
    this.#context.allocationMemory = await this.#saved.loadAllocation();
    await loadSources(this.#context);
    for (const stored of await ports.store.documents.list('Workload')) {
      const state = this.#loaded(stored);
      if (!state) continue;
      await this.#saved.loadInto(state);
      this.#usage.begin(state);
      await this.#sizing.load(state.key);
      workloads.set(state.key, state);
      bindScaling(this.#context, state, state.spec);
    }
    await this.#usage.dropOld();
    await this.#fleets.load();
    await this.#loadLeaving();
    await this.#jobs.load();
    this.#noteDependencies();
    journal.prepare();
    this.#unwatch.push(ports.gateway.watch((event) => this.#whileRunning(() => onGatewayEvent(this.#context, event))));
    this.#unwatch.push(await followDriver(this.#context));
    if (this.#context.adopted) this.#settleLedger(lastAliveMs);
    this.machineChanged();
    this.#saved.beat();
    this.#money.setRules(this.#moneyRules);
    this.#isUp = true;
    this.#fleets.documentsChanged();
    this.#reconcile();
    this.#up.resolve();
  }

  async stop(): Promise<void> {
    const { journal, ledger, feed } = this.#context;
    if (this.#started) await this.#documents.catch(() => {});
    this.#halt();
    feed.close();
    await this.#saved.flush();
    await this.#sizing.flush();
    await this.#usage.flush();
    await this.#fleets.close();
    await ledger.flush();
    await journal.close();
  }

  apply(inputs: ApplyInput[]): Promise<ApplyOutcome[]> {
    return this.#inTurn(async () => {
      const specs = checkApply(this.#context, inputs);
      await checkPlacement(this.#context.ports.store, inputs, specs);
      checkScaledObjects(inputs, this.#context.scaledObjects.list());
      const outcomes = await storeBatch(this.#context, inputs);
      for (const [index, outcome] of outcomes.entries()) {
        const spec = specs.get(index);
        if (spec) this.#applied(outcome, spec);
        if (outcome.action !== 'unchanged') this.#announce('applied', outcome.stored);
      }
      const changed = outcomes.filter(({ action }) => action !== 'unchanged').map(({ stored }) => stored);
      followSources(this.#context, this.#jobs, changed);
      if (changed.some(({ kind }) => nodeKinds.includes(kind) || isWorkload(kind))) this.#fleets.documentsChanged();
      this.#noteDependencies();
      return outcomes;
    });
  }

  remove(kind: string, key: ObjectKey, expectedVersion?: number): Promise<StoredDocument | null> {
    return this.#inTurn(async () => {
      const { ports, workloads, options } = this.#context;
      const present = isWorkload(kind) ? workloads.get(keyText(key)) : undefined;
      if (present && !present.removed && present.replicas.size > 0) await this.#saved.noteLeaving(present.stored);
      const stored = await ports.store.documents.delete(kind, key, {
        epoch: options.epoch,
        ...(expectedVersion === undefined ? {} : { expectedVersion }),
      });
      if (!stored) return null;
      const state = isWorkload(kind) ? workloads.get(keyText(key)) : undefined;
      if (state) this.#removed(state);
      followSources(this.#context, this.#jobs, [stored], true);
      if (nodeKinds.includes(kind)) this.#fleets.documentsChanged();
      this.#announce('deleted', stored);
      return stored;
    });
  }

  statuses(): WorkloadStatus[] {
    return [...this.#context.workloads.values()]
      .filter((state) => !state.removed)
      .map((state) => workloadStatus(this.#context, state))
      .sort((left, right) => (left.namespace + left.name < right.namespace + right.name ? -1 : 1));
  }

  status(key: ObjectKey): WorkloadStatus | null {
    const state = this.#context.workloads.get(keyText(key));
    return state && !state.removed ? workloadStatus(this.#context, state) : null;
  }

  busyUs(key: ObjectKey): number | null {
    const state = this.#context.workloads.get(keyText(key));
    return state && !state.removed ? state.demand.busyUs() : null;
  }

  labels(): ReturnType<Engine['labels']> {
    const present = [...this.#context.workloads.values()].filter(({ removed }) => !removed);
    return present.map(({ objectKey, spec }) => ({ key: objectKey, labels: spec.labels }));
  }

  nowMs(): number {
    return this.#context.ports.clock.nowMs();
  }

  scaledObject(key: ObjectKey): ScaledObjectStatus | null {
    const known = this.#context.scaledObjects.get(keyText(key));
    if (!known) return null;
    const state = this.#context.workloads.get(targetKey(known.spec));
    return scaledObjectStatus(this.#context, known, state && !state.removed ? state : null);
  }

  scaledJob(key: ObjectKey): ScaledJobStatus | null {
    const state = this.#jobs.find(keyText(key));
    return state ? scaledJobStatus(this.#context, state) : null;
  }

  scaledJobs(): ScaledJobStatus[] {
    return this.#jobs
      .states()
      .map((state) => scaledJobStatus(this.#context, state))
      .sort((left, right) => (left.namespace + left.name < right.namespace + right.name ? -1 : 1));
  }

  watch(listener: (event: WatchEvent) => void): () => void {
    return this.#context.feed.watch(listener);
  }

  watchStatuses(listener: (change: StatusChange) => void): () => void {
    return this.#context.feed.watchKeys((key) => {
      const state = this.#context.workloads.get(key);
      if (state && !state.removed) return listener({ type: 'status', key: state.objectKey });
      const jobs = key.startsWith(journalPrefix) ? this.#jobs.find(key.slice(journalPrefix.length)) : undefined;
      if (jobs) listener({ type: 'jobs', key: jobs.spec.key });
    });
  }

  async explain(key: ObjectKey, atMs?: number): Promise<Explanation | null> {
    const { journal, ports, workloads } = this.#context;
    await journal.flush();
    const workload = keyText(key);
    const jobs = workloads.has(workload) ? undefined : this.#jobs.find(workload);
    if (jobs) return explainJobs(ports.store.journal, jobs.journalKey, atMs ?? ports.clock.nowMs());
    const explanation = await explainFromJournal(ports.store.journal, workload, atMs ?? ports.clock.nowMs());
    const state = workloads.get(workload);
    if (!explanation?.decision || !state?.decision || atMs !== undefined) return explanation;
    // The decision in force, with the numbers of the last time it was made.
    const lines = linesOf(state.told?.decision ?? state.decision, state.grant);
    return { ...explanation, lines: [...lines, ...sizingLines(state), ...hintLines(state)] };
  }

  recommendation(key: ObjectKey): WorkloadRecommendation | null {
    const state = this.#context.workloads.get(keyText(key));
    return state && !state.removed ? this.#sizing.recommendation(state) : null;
  }

  setLimits(limits: AllocationLimits): void {
    this.#context.limits = limits;
    // Before the journal is open nothing can be decided by them yet.
    if (!this.#isUp) return;
    this.#context.journal.record('event', null, { type: 'limits', limits });
    for (const state of this.#context.workloads.values()) this.#touch(state, 'grant');
  }

  machineChanged(): void {
    for (const state of this.#context.workloads.values()) {
      if (state.removed) continue;
      const own = resolveStored(state.stored);
      const { leftOut } = withUsableClasses(this.#context, state, own);
      if (JSON.stringify(leftOut) === JSON.stringify(state.leftOut)) continue;
      // The document is the same and its classes are not: the gateway is to hear of it.
      state.configured = '';
      bindScaling(this.#context, state, own);
    }
  }

  setMoney(rules: MoneyRules): void {
    this.#moneyRules = rules;
    if (!this.#isUp) return;
    this.#money.setRules(rules);
    for (const state of this.#context.workloads.values()) this.#touch(state, 'grant');
  }

  fleets(): FleetStatus[] {
    return this.#fleets.list().map((fleet) => fleetStatus(this.#context, fleet));
  }

  machinesTakenUp(): Promise<void> {
    return this.#fleets.takenUp();
  }

  cost(request: CostRequest): Promise<CostReport> {
    return costOfSpan(this.#context, this.#usage, this.#money, request);
  }

  async quiesce(): Promise<void> {
    this.#context.quiescing = true;
    for (const state of this.#context.workloads.values()) this.#touch(state, 'document');
    await this.#until(
      () => ![...this.#context.workloads.values()].some((state) => [...state.replicas.values()].some(exists)),
    );
    await this.#fleets.quiesce();
  }

  #loaded(stored: StoredDocument): WorkloadState | null {
    try {
      return newWorkloadState(stored, resolveStored(stored));
    } catch (error) {
      const key = keyText(stored.key);
      this.#context.ports.log('error', 'a stored workload cannot be read and is left alone', {
        key,
        error: messageOf(error),
      });
      return null;
    }
  }

  async #loadLeaving(): Promise<void> {
    const { workloads } = this.#context;
    for (const stored of await this.#saved.leaving()) {
      const key = keyText(stored.key);
      const state = workloads.has(key) ? null : this.#loaded(stored);
      if (state) workloads.set(key, Object.assign(state, { removed: true }));
      else await this.#saved.hasLeft(key);
    }
  }

  #hasLeft(state: WorkloadState): void {
    this.#context.workloads.delete(state.key);
    this.#saved.hasLeft(state.key).catch((error: unknown) => {
      // Found again and dropped at the next start.
      this.#context.ports.log('warn', 'a deleted workload is still noted', { key: state.key, error: messageOf(error) });
    });
  }

  #settleLedger(lastAliveMs: number | null): void {
    const { ledger, owners, journal, ports } = this.#context;
    const ended = ledger.settle(new Set(owners.keys()), lastAliveMs ?? ports.clock.nowMs());
    for (const replica of ended) journal.record('event', null, { type: 'ended-while-away', replica });
  }

  #applied(outcome: ApplyOutcome, spec: WorkloadSpec): void {
    const { workloads, ports } = this.#context;
    const key = keyText(spec.key);
    let state = workloads.get(key);
    if (state && !state.removed && outcome.action === 'unchanged') return;
    if (state) {
      state.stored = outcome.stored;
      Object.assign(state, derivedFrom(spec));
      if (state.removed) {
        state.configured = '';
        this.#saved.hasLeft(key).catch(() => {});
      }
      state.removed = false;
      state.removedAtGateway = false;
      state.activation.clear();
      forgetFailed(this.#context, state, null);
    } else {
      state = newWorkloadState(outcome.stored, spec);
      workloads.set(key, state);
    }
    bindScaling(this.#context, state, spec);
    ports.log('info', `workload ${outcome.action}`, { key, generation: outcome.stored.generation });
  }

  #removed(state: WorkloadState): void {
    const { ports, journal, feed } = this.#context;
    state.removed = true;
    state.memory = null;
    state.decision = null;
    state.told = null;
    state.grant = null;
    state.triggers?.close();
    state.triggers = null;
    state.metrics?.close();
    state.metrics = null;
    readSchedules(this.#context, state);
    journal.forget(state.key);
    journal.record('event', state.key, { type: 'deleted' });
    this.#touch(state, 'document');
    this.#noteDependencies();
    Promise.all([this.#saved.forget(state.key), this.#sizing.forget(state.key)]).catch((error: unknown) => {
      ports.log('warn', 'memory of a deleted workload not dropped', { key: state.key, error: messageOf(error) });
    });
    feed.send({ type: 'deleted', at: ports.clock.nowMs(), workload: state.key });
    feed.forget(state.key);
  }

  #announce(action: 'applied' | 'deleted', stored: StoredDocument): void {
    const { feed, ports } = this.#context;
    const { kind, resourceVersion } = stored;
    feed.send({ type: 'document', at: ports.clock.nowMs(), action, kind, key: keyText(stored.key), resourceVersion });
  }

  #noteDependencies(): void {
    const states = [...this.#context.workloads.values()];
    const had = this.#context.hasDependencies;
    this.#context.hasDependencies = states.some((state) => !state.removed && state.spec.dependsOn.length > 0);
    if (!had && !this.#context.hasDependencies) return;
    for (const state of states) {
      if (!this.#context.hasDependencies) state.neededBy = null;
      if (state.spec.dependsOn.length > 0 || had) this.#touch(state, 'grant');
    }
  }

  #touch(state: WorkloadState, cause: Cause): void {
    let causes = this.#touched.get(state);
    if (!causes) {
      causes = new Set();
      this.#touched.set(state, causes);
    }
    causes.add(cause);
    if (this.#reconcileDue || this.#context.stopped) return;
    this.#reconcileDue = true;
    // After the turn: several events of one turn make one decision.
    void Promise.resolve().then(() => {
      this.#reconcileDue = false;
      this.#reconcile();
    });
  }

  #reconcile(): void {
    const { stopped, adopted, ports } = this.#context;
    // Before it is known what runs, every decision would rest on a wrong picture.
    if (this.#reconciling || stopped || !adopted || this.#touched.size === 0) return;
    this.#reconciling = true;
    const touched = new Map(this.#touched);
    this.#touched.clear();
    try {
      reconcile(this.#context, touched);
    } catch (error) {
      ports.log('error', 'reconcile failed', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    } finally {
      this.#reconciling = false;
    }
    for (const check of [...this.#onChange]) check();
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition() && !this.#context.stopped) return;
        this.#onChange = this.#onChange.filter((one) => one !== check);
        resolve();
      };
      this.#onChange.push(check);
      check();
    });
  }

  #whileRunning(action: () => void): void {
    if (!this.#context.stopped) action();
  }

  #inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
    const next = this.#documents
      .catch(() => {})
      .then(() => {
        if (this.#context.stopped) throw new Error('the engine is stopped');
        return action();
      });
    this.#documents = next;
    return next;
  }

  #halt(): void {
    this.#context.stopped = true;
    for (const unwatch of this.#unwatch.splice(0)) unwatch();
    this.#context.alarms.clear();
    this.#money.stop();
    this.#usage.abandon();
    this.#fleets.halt();
    for (const state of this.#context.workloads.values()) {
      state.schedules.cancel?.();
      state.triggers?.close();
      state.metrics?.close();
    }
    this.#jobs.close();
    for (const check of [...this.#onChange]) check();
  }

  /** Another control plane writes to the store: this one must not act any more. */
  #deposed(): void {
    if (this.#context.stopped) return;
    const { ports, journal, ledger, feed } = this.#context;
    ports.log('error', 'another control plane has taken over; this one stops deciding', {
      epoch: this.#context.options.epoch,
    });
    this.#halt();
    feed.close();
    this.#saved.abandon();
    this.#sizing.abandon();
    this.#usage.abandon();
    this.#fleets.abandon();
    ledger.abandon();
    journal.abandon();
  }
}
