import {
  defaultStartStages,
  type FleetAction,
  type FleetDecision,
  type FleetMemory,
  type FleetNode,
  type FleetOutcome,
  type FleetReason,
  type FleetSpec,
  type NodeEvent,
  type NodeLaunch,
  type NodeObservation,
  type Provider,
  ProviderError,
  unplaceableSentence,
} from '@ebb/core';
import { type ClusterSpec, type NodePoolSpec, revisionOf } from '@ebb/documents';
import { type EngineContext, isStaleEpoch, recordAction } from '../context.ts';
import type { SnapshotPart } from '../journal.ts';
import { messageOf, messageOfPlace, startHere, waitForNode } from '../replicaActions.ts';
import { exists, type Replica } from '../replicaSet.ts';
import type { WorkloadState } from '../workloadState.ts';
import type { FleetDocuments } from './fleetDocuments.ts';
import { fleetDecisionBody, type FleetInput, fleetJournalPrefix, type FleetSpecBody } from './fleetJournal.ts';
import { fleetPods } from './fleetPods.ts';
import { LeastCost } from './leastCost.ts';
import { askPlaced, bindReplica, evictReplica, leaveNode, stayOnNode, unbindReplica } from './fleetReplicas.ts';
import type { NodeLedger } from './nodeLedger.ts';
import type { NodePorts, ProviderSurroundings } from './ports.ts';

/** What is kept of a fleet over restarts. */
interface SavedFleet {
  version: 1;
  memory: FleetMemory | null;
  /** As they were when its machines were bought: what is left of a deleted cluster is ended by them. */
  cluster: ClusterSpec | null;
  pools: readonly NodePoolSpec[];
  /** Of `LeastCost`. */
  least?: unknown;
  /** Replicas by id: where they are. */
  places: Record<string, NonNullable<NonNullable<Replica['place']>['bound']>>;
}

export const fleetPrefix = 'engine/fleet/';
const providerPrefix = 'engine/provider/';
const saveAgainMs = 1000;

/**
 * The machines of one cluster: shows `fleetStep` what there is and what is wanted, stores what it remembers, and only then
 * asks the provider. One step at a time; what happens meanwhile leads to another one.
 */
export class Fleet {
  readonly name: string;
  readonly #journalKey: string;
  /** What documents say; null: nothing was read yet. */
  documents: FleetDocuments | null = null;
  /** The cluster as its machines were bought for. */
  saved: Pick<SavedFleet, 'cluster' | 'pools'> | null = null;
  /** Why nothing can be rented there at all; null: it can. */
  problem: string | null = null;
  memory: FleetMemory | null = null;
  readonly least = new LeastCost();
  /** What was last decided about a machine, by its id; of this engine's time. */
  readonly why = new Map<string, FleetReason>();
  decision: FleetDecision | null = null;
  readonly #context: EngineContext;
  readonly #nodes: NodePorts;
  readonly #ledger: NodeLedger;
  readonly #elsewhere: (state: WorkloadState, replica: Replica) => string | null | undefined;
  #provider: Provider | null = null;
  #unwatch: (() => void) | null = null;
  /** Null: the provider has not said what there is, or is away. */
  #machines: Map<string, NodeObservation> | null = null;
  /** Where replicas were that an earlier engine had placed, until they are known to run or not. */
  #places = new Map<string, SavedFleet['places'][string]>();
  #outcomes: FleetOutcome[] = [];
  /** Machines that went since the last step: why they did is told once. */
  #gone: NodeObservation[] = [];
  #stepDue = false;
  #stepping: Promise<void> | null = null;
  #cancelAlarm: (() => void) | null = null;
  #reasonsTold = '';
  #specTold = '';
  #hashed: { spec: FleetSpec; hash: string } | null = null;
  #onEmpty: (() => void) | null = null;
  #endWait: (() => void) | null = null;

  constructor(
    context: EngineContext,
    nodes: NodePorts,
    name: string,
    ledger: NodeLedger,
    elsewhere: (state: WorkloadState, replica: Replica) => string | null | undefined,
  ) {
    this.#context = context;
    this.#elsewhere = elsewhere;
    this.#nodes = nodes;
    this.name = name;
    this.#journalKey = fleetJournalPrefix + name;
    this.#ledger = ledger;
  }

  async load(): Promise<void> {
    const saved = asSaved(await this.#context.ports.store.state.load(fleetPrefix + this.name));
    this.memory = saved?.memory ?? null;
    this.saved = saved;
    this.least.load(saved?.least);
    for (const { id, phase } of this.memory?.nodes ?? []) {
      if (phase !== 'asked') continue;
      // Whether the engine that asked for it came to do so is not known: the id makes asking again harmless.
      const message = 'the control plane has been started anew';
      this.#outcomes.push({ type: 'refused', id, code: 'unavailable', message, retryAfterMs: 0 });
    }
    this.#places = new Map(Object.entries(saved?.places ?? {}));
  }

  get providerName(): string | null {
    return this.#provider?.name ?? null;
  }

  /** Of its prices. */
  get currency(): string {
    return this.#nodes.currency;
  }

  /** Machines by the provider's word; null: it has not said. */
  get machines(): readonly NodeObservation[] | null {
    return this.#machines === null ? null : [...this.#machines.values()];
  }

  /** Where an earlier engine had placed a replica that runs still. */
  placeOf(replica: string): SavedFleet['places'][string] | null {
    return this.#places.get(replica) ?? null;
  }

  node(id: string): FleetNode | null {
    return this.memory?.nodes.find((node) => node.id === id) ?? null;
  }

  /** Takes what the documents say now, and the provider that they name. */
  async configure(documents: FleetDocuments): Promise<void> {
    const before = this.documents;
    const isOther = JSON.stringify(before?.cluster) !== JSON.stringify(documents.cluster);
    this.documents = documents;
    this.problem = documents.parts.problems.join('; ') || null;
    if (isOther || !this.#provider) await this.#open(documents);
    this.touch();
  }

  touch(): void {
    if (this.#stepDue || this.#context.stopped) return;
    this.#stepDue = true;
    void Promise.resolve().then(() => this.#run());
  }

  /** Stops deciding; machines stay as they are. */
  halt(): void {
    this.#cancelAlarm?.();
    this.#unwatch?.();
    this.#unwatch = null;
    this.#endWait?.();
  }

  /** Ends all machines; resolves when they are gone. */
  quiesce(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!this.documents || !this.memory || this.memory.nodes.length === 0) return Promise.resolve();
    this.documents = { ...this.documents, spec: { ...this.documents.spec, isRemoved: true } };
    this.#onEmpty = resolve;
    this.touch();
    return promise;
  }

  async close(): Promise<void> {
    this.halt();
    await this.#stepping;
    if (this.memory) {
      await this.#save().catch((error: unknown) => {
        this.#context.ports.log('warn', 'what is known of machines was not saved', { error: messageOf(error) });
      });
    }
    await this.#provider?.close();
  }

  async #open(documents: FleetDocuments): Promise<void> {
    this.#unwatch?.();
    const before = this.#provider;
    this.#provider = null;
    this.#machines = null;
    try {
      await before?.close();
      const provider = await this.#nodes.open(documents.cluster, this.#surroundings());
      if (this.#context.stopped) return await provider.close();
      this.#provider = provider;
      this.#unwatch = provider.watch((event) => this.#heard(event));
    } catch (error) {
      this.problem = messageOf(error);
      this.#context.ports.log('error', 'machines of a cluster cannot be rented', {
        cluster: this.name,
        error: this.problem,
      });
    }
  }

  #surroundings(): ProviderSurroundings {
    const { store } = this.#context.ports;
    const name = providerPrefix + this.name;
    return {
      pools: () => this.documents?.pools ?? [],
      book: {
        load: () => store.state.load(name),
        save: (value) => store.state.save(name, value, this.#context.options.epoch),
      },
    };
  }

  #heard(event: NodeEvent): void {
    if (this.#context.stopped) return;
    const idOf = (node: NodeObservation) => node.id ?? `provider:${node.providerId ?? ''}`;
    if (event.type === 'disconnected') {
      this.#machines = null;
      this.#context.ports.log('warn', 'provider is away: machines stay as they are', {
        cluster: this.name,
        message: event.message,
      });
    } else if (event.type === 'snapshot') {
      this.#machines = new Map(event.nodes.filter(({ phase }) => phase !== 'gone').map((node) => [idOf(node), node]));
    } else if (this.#machines) {
      if (event.node.phase === 'gone') {
        this.#machines.delete(idOf(event.node));
        this.#gone.push(event.node);
      } else this.#machines.set(idOf(event.node), event.node);
    }
    this.touch();
  }

  #run(): void {
    if (this.#stepping || this.#context.stopped || !this.#context.adopted) return;
    this.#stepDue = false;
    this.#stepping = this.#step()
      .catch((error: unknown) => {
        if (isStaleEpoch(error)) return this.#context.deposed();
        this.#context.ports.log('error', 'machines of a cluster could not be decided on', {
          cluster: this.name,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
        this.#wakeAt(this.#context.ports.clock.nowMs() + saveAgainMs);
      })
      .finally(() => {
        this.#stepping = null;
        if (this.#stepDue) this.#run();
      });
  }

  async #step(): Promise<void> {
    const { clock } = this.#context.ports;
    const nowMs = clock.nowMs();
    const { documents } = this;
    if (!documents) return;
    const { spec } = documents;
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    const pods = fleetPods(this.#context.workloads.values(), this.name, documents.parts.templates);
    const gone = this.#gone;
    this.#gone = [];
    const machines = this.machines === null ? null : [...this.machines, ...gone];
    const observation = { nowMs, machines, outcomes, pods };
    const memoryBefore = this.memory;
    const { decision, memory } = await this.#nodes.step(spec, memoryBefore, observation);
    if (this.#context.stopped) return;
    this.memory = memory;
    this.decision = decision;
    this.#noteWhy(decision);
    this.least.note(nowMs, decision.pricePerHourMicro, decision.lowerBoundMicro);
    this.#places.clear();
    for (const action of decision.actions) this.#place(action);
    this.#journal(spec, decision, decision.actions.length > 0 ? { memory: memoryBefore, observation } : null);
    this.#ledger.follow(this, memory.nodes, documents, nowMs);
    if (decision.actions.length > 0 || JSON.stringify(memory) !== JSON.stringify(memoryBefore)) {
      await this.#saveUntilDone();
    }
    if (this.#context.stopped) return;
    for (const action of decision.actions) this.#act(action);
    for (const reason of decision.reasons) {
      if (reason.code === 'unplaceable') this.#noPlace(reason.pods, unplaceableSentence(reason.reason));
    }
    askPlaced(this.#context, this);
    if (memory.nodes.length === 0) this.#onEmpty?.();
    this.#wakeAt(this.#nextMs(decision, nowMs));
  }

  /** Remembers why each machine is there: the decision that bought it is soon not the last one. */
  #noteWhy({ reasons }: FleetDecision): void {
    for (const reason of reasons) if ('node' in reason && reason.code !== 'kept') this.why.set(reason.node, reason);
    const known = new Set(this.memory?.nodes.map(({ id }) => id));
    for (const id of this.why.keys()) if (!known.has(id)) this.why.delete(id);
  }

  #nextMs({ revisitAtMs }: FleetDecision, nowMs: number): number | null {
    const times = [revisitAtMs, this.documents?.changesAtMs ?? null].filter((time) => time !== null);
    return times.length === 0 ? null : Math.max(nowMs + 1, Math.min(...times));
  }

  #wakeAt(atMs: number | null): void {
    this.#cancelAlarm?.();
    this.#cancelAlarm = atMs === null ? null : this.#context.ports.clock.at(atMs, () => this.touch());
  }

  /** What the decision says of replicas, before anything is asked of anyone. */
  #place(action: FleetAction): void {
    const context = this.#context;
    switch (action.type) {
      case 'bind':
        bindReplica(context, this, action.pod, { node: action.node, place: action.place });
        break;
      case 'unbind':
        unbindReplica(context, action.pod, action.node);
        break;
      case 'drain':
        leaveNode(context, action.node, action.order);
        break;
      case 'keep':
        stayOnNode(context, action.node);
        break;
      default:
        break;
    }
  }

  #act(action: FleetAction): void {
    if (action.type === 'launch') this.#launch(action.node);
    else if (action.type === 'terminate') this.#terminate({ id: action.node });
    else if (action.type === 'terminate-orphan') {
      const { id, providerId } = action;
      this.#terminate(id === null ? { providerId } : { id });
    } else if (action.type === 'evict') for (const pod of action.pods) evictReplica(this.#context, pod, action.node);
  }

  /** Replicas that have no place here go where else their workload may run. */
  #noPlace(ids: readonly string[], why: string): void {
    for (const id of ids) {
      const state = this.#context.owners.get(id);
      const replica = state?.replicas.get(id);
      const next = state && replica ? this.#elsewhere(state, replica) : undefined;
      if (!state || !replica) continue;
      if (next === undefined) {
        replica.message = `${messageOfPlace(replica)}: ${why}`;
        this.#context.feed.changed(state.key, true);
        continue;
      }
      recordAction(this.#context, state, 'elsewhere', { replica: id, from: this.name, to: next });
      if (next === null) startHere(this.#context, state, replica);
      else waitForNode(this.#context, replica, next);
    }
  }

  #launch(node: FleetNode): void {
    const launch = this.documents && launchOf(node, this.name, this.documents);
    if (!launch) {
      const message = `there is no pool ${node.pool} any more`;
      this.#answered({ type: 'refused', id: node.id, code: 'refused', message, retryAfterMs: null });
      return;
    }
    if (!this.#provider) {
      const message = this.problem ?? 'the provider is not there';
      this.#answered({ type: 'refused', id: node.id, code: 'unavailable', message, retryAfterMs: null });
      return;
    }
    this.#provider.launch(launch).then(
      () => this.#answered({ type: 'accepted', id: node.id }),
      (error: unknown) => {
        if (isStaleEpoch(error)) return this.#context.deposed();
        const known = error instanceof ProviderError ? error : null;
        const { code = 'unavailable', retryAfterMs = null } = known ?? {};
        this.#context.ports.log('warn', 'a machine was not to be had', {
          ...{ cluster: this.name, node: node.id, offering: node.offering.id, code, error: messageOf(error) },
        });
        this.#answered({ type: 'refused', id: node.id, code, message: messageOf(error), retryAfterMs });
      },
    );
  }

  #answered(outcome: FleetOutcome): void {
    if (this.#context.stopped) return;
    this.#context.journal.record('outcome', this.#journalKey, outcome);
    this.#outcomes.push(outcome);
    this.touch();
  }

  #terminate(node: { id: string } | { providerId: string }): void {
    this.#provider?.terminate(node).catch((error: unknown) => {
      if (isStaleEpoch(error)) return this.#context.deposed();
      // It is in the book as ending until it is gone, and is asked for again.
      this.#context.ports.log('warn', 'a machine was not ended', {
        cluster: this.name,
        ...node,
        error: messageOf(error),
      });
      if (!this.#context.stopped) this.touch();
    });
  }

  #journal(spec: FleetSpec, decision: FleetDecision, made: FleetInput | null): void {
    const reasons = JSON.stringify(decision.reasons);
    if (made === null && reasons === this.#reasonsTold) return;
    this.#reasonsTold = reasons;
    const { journal } = this.#context;
    const specHash = this.#specHash(spec);
    if (specHash !== this.#specTold) {
      this.#specTold = specHash;
      journal.record('event', this.#journalKey, { type: 'fleet-spec', specHash, spec } satisfies FleetSpecBody);
    }
    journal.record('decision', this.#journalKey, fleetDecisionBody(specHash, decision, made));
  }

  /** For the begin of a segment of the journal. */
  snapshot(): SnapshotPart | null {
    if (!this.documents) return null;
    const { spec } = this.documents;
    const specHash = this.#specHash(spec);
    this.#specTold = specHash;
    return { workload: this.#journalKey, body: { type: 'fleet-spec', specHash, spec } satisfies FleetSpecBody };
  }

  #specHash(spec: FleetSpec): string {
    if (this.#hashed?.spec !== spec) this.#hashed = { spec, hash: revisionOf(spec) };
    return this.#hashed.hash;
  }

  /** What is not stored is not asked for: the step ends with a store that has it. */
  async #saveUntilDone(): Promise<void> {
    const { clock, log } = this.#context.ports;
    while (!this.#context.stopped) {
      try {
        await this.#save();
        return;
      } catch (error) {
        if (isStaleEpoch(error)) throw error;
        log('warn', 'what was decided about machines is not saved yet', {
          cluster: this.name,
          error: messageOf(error),
        });
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#endWait = resolve;
        const cancel = clock.at(clock.nowMs() + saveAgainMs, resolve);
        await promise;
        cancel();
      }
    }
  }

  async #save(): Promise<void> {
    const places: SavedFleet['places'] = {};
    for (const replica of this.replicas()) if (replica.place?.bound) places[replica.id] = replica.place.bound;
    const { cluster = null, pools = [] } = this.documents ?? {};
    const saved: SavedFleet = { version: 1, cluster, pools, memory: this.memory, least: this.least.toSaved(), places };
    const { store } = this.#context.ports;
    await store.state.save(fleetPrefix + this.name, saved, this.#context.options.epoch);
  }

  /** Replicas that have or want a place here. */
  *replicas(): IterableIterator<Replica> {
    for (const state of this.#context.workloads.values()) {
      for (const replica of state.replicas.values()) {
        if (replica.place?.cluster === this.name && exists(replica)) yield replica;
      }
    }
  }
}

function launchOf(node: FleetNode, cluster: string, { parts }: FleetDocuments): NodeLaunch | null {
  const pool = parts.pools.find(({ consolidation }) => consolidation.pool.name === node.pool);
  if (!pool) return null;
  const spec = parts.documents.get(node.pool);
  const { instanceType, region, zone, capacityType } = node.offering;
  const offering = { cloud: instanceType.cloud, region, zone, instanceType: instanceType.name, capacityType };
  const { labels, taints } = pool.consolidation.pool;
  return {
    ...{ id: node.id, cluster, pool: node.pool, offering, labels, taints },
    pricePerHourMicro: node.offering.pricePerHourMicro,
    startupTaints: spec?.startupTaints ?? [],
    startStages: spec?.startStages ?? defaultStartStages,
    askedAtMs: node.askedAtMs,
  };
}

function asSaved(value: unknown): SavedFleet | null {
  if (typeof value !== 'object' || value === null || !('version' in value) || value.version !== 1) return null;
  // Written by this very module; the version says so.
  return value as SavedFleet;
}
