import {
  type FleetAction,
  type FleetDecision,
  type FleetMemory,
  type FleetNode,
  type FleetOutcome,
  type FleetReason,
  type NodeObservation,
  unplaceableSentence,
} from '@ebb/core';
import { type EngineContext, isStaleEpoch } from '../context.ts';
import type { SnapshotPart } from '../journal.ts';
import { messageOf } from '../replicaActions.ts';
import { exists, type Replica } from '../replicaSet.ts';
import { type FleetDocuments, launchOf } from './fleetDocuments.ts';
import { fleetPods } from './fleetPods.ts';
import { FleetProvider } from './fleetProvider.ts';
import { FleetRecords } from './fleetRecords.ts';
import { askPlaced, type Elsewhere, evictReplica, placeReplica, sendElsewhere } from './fleetReplicas.ts';
import { FleetStore, type SavedFleet } from './fleetStore.ts';
import { LeastCost } from './leastCost.ts';
import type { NodeLedger } from './nodeLedger.ts';
import type { NodePorts } from './ports.ts';
import type { BoundPlace } from './replicaPlace.ts';

const stepAgainMs = 1000;

/**
 * The machines of one cluster: shows `fleetStep` what there is and what is wanted, stores what it remembers, and only then
 * asks the provider. One step at a time; what happens meanwhile leads to another one.
 */
export class Fleet {
  readonly name: string;
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
  readonly #elsewhere: Elsewhere;
  readonly #store: FleetStore;
  readonly #provider: FleetProvider;
  readonly #records: FleetRecords;
  /** Where replicas were that an earlier engine had placed, until they are known to run or not. */
  #places = new Map<string, BoundPlace>();
  #outcomes: FleetOutcome[] = [];
  #stepDue = false;
  #stepping: Promise<void> | null = null;
  #cancelAlarm: (() => void) | null = null;
  #onEmpty: (() => void) | null = null;
  /** Of the memory that the store has. */
  #savedText = '';

  constructor(context: EngineContext, nodes: NodePorts, name: string, ledger: NodeLedger, elsewhere: Elsewhere) {
    this.#context = context;
    this.#elsewhere = elsewhere;
    this.#nodes = nodes;
    this.name = name;
    this.#ledger = ledger;
    this.#store = new FleetStore(context, name);
    this.#records = new FleetRecords(context, name);
    this.#provider = new FleetProvider({
      ...{ context, nodes, cluster: name },
      pools: () => this.documents?.pools ?? [],
      changed: () => this.touch(),
      answered: (outcome) => this.#answered(outcome),
    });
  }

  async load(): Promise<void> {
    const saved = await this.#store.load();
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
    return this.#provider.name;
  }

  /** Of its prices. */
  get currency(): string {
    return this.#nodes.currency;
  }

  /** Machines by the provider's word; null: it has not said. */
  get machines(): readonly NodeObservation[] | null {
    return this.#provider.machines;
  }

  /** Where an earlier engine had placed a replica that runs still. */
  placeOf(replica: string): BoundPlace | null {
    return this.#places.get(replica) ?? null;
  }

  /** Takes what the documents say now, and the provider that they name. */
  async configure(documents: FleetDocuments): Promise<void> {
    const before = this.documents;
    const isOther = JSON.stringify(before?.cluster) !== JSON.stringify(documents.cluster);
    this.documents = documents;
    this.problem = documents.parts.problems.join('; ') || null;
    if (isOther || this.providerName === null) {
      const problem = await this.#provider.open(documents.cluster);
      if (problem !== null) this.problem = problem;
    }
    this.touch();
  }

  /** Decides nothing until it is configured again; machines stay as they are. */
  pause(): void {
    this.documents = null;
    this.#cancelAlarm?.();
  }

  touch(): void {
    // Until it is known what runs nothing is decided; `Fleets.adopted` comes back to it then.
    if (this.#stepDue || this.#context.stopped || !this.#context.adopted) return;
    this.#stepDue = true;
    void Promise.resolve().then(() => this.#run());
  }

  /** Stops deciding; machines stay as they are. */
  halt(): void {
    this.#cancelAlarm?.();
    this.#provider.unwatch();
    this.#store.stopWaiting();
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
      await this.#store.save(this.#toSave()).catch((error: unknown) => {
        this.#context.ports.log('warn', 'what is known of machines was not saved', { error: messageOf(error) });
      });
    }
    await this.#provider.close();
  }

  #run(): void {
    if (this.#stepping || this.#context.stopped) return;
    this.#stepDue = false;
    this.#stepping = this.#step()
      .catch((error: unknown) => {
        if (isStaleEpoch(error)) return this.#context.deposed();
        this.#context.ports.log('error', 'machines of a cluster could not be decided on', {
          cluster: this.name,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
        this.#wakeAt(this.#context.ports.clock.nowMs() + stepAgainMs);
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
    const memoryBefore = this.memory;
    const { guests } = this.#nodes;
    const present = guests?.observe(spec, memoryBefore) ?? {
      pods: fleetPods(this.#context.workloads.values(), this.name, documents.parts.templates),
    };
    const observation = { nowMs, machines: this.#provider.observe(), outcomes, ...present };
    const { decision, memory } = await this.#nodes.step(spec, memoryBefore, observation);
    if (this.#context.stopped) return;
    this.memory = memory;
    this.decision = decision;
    this.#noteWhy(decision);
    this.least.note(nowMs, decision.pricePerHourMicro, decision.lowerBoundMicro);
    this.#places.clear();
    for (const action of decision.actions) placeReplica(this.#context, this, action);
    this.#records.decision(spec, decision, decision.actions.length > 0 ? { memory: memoryBefore, observation } : null);
    this.#ledger.follow(this, memory.nodes, documents, nowMs);
    const text = JSON.stringify(memory);
    if (decision.actions.length > 0 || text !== this.#savedText) {
      await this.#store.saveUntilDone(() => this.#toSave());
      this.#savedText = text;
    }
    if (this.#context.stopped) return;
    guests?.decided(this.name, decision, memory);
    for (const action of decision.actions) this.#act(action);
    for (const reason of decision.reasons) {
      if (reason.code !== 'unplaceable') continue;
      sendElsewhere(this.#context, this, reason.pods, {
        why: unplaceableSentence(reason.reason),
        elsewhere: this.#elsewhere,
      });
    }
    askPlaced(this.#context, this);
    if (memory.nodes.length === 0) this.#onEmpty?.();
    this.#wakeAt(decision.revisitAtMs === null ? null : Math.max(nowMs + 1, decision.revisitAtMs));
  }

  /** Remembers why each machine is there: the decision that bought it is soon not the last one. */
  #noteWhy({ reasons }: FleetDecision): void {
    for (const reason of reasons) if ('node' in reason && reason.code !== 'kept') this.why.set(reason.node, reason);
    const known = new Set(this.memory?.nodes.map(({ id }) => id));
    for (const id of this.why.keys()) if (!known.has(id)) this.why.delete(id);
  }

  #wakeAt(atMs: number | null): void {
    this.#cancelAlarm?.();
    this.#cancelAlarm = atMs === null ? null : this.#context.ports.clock.at(atMs, () => this.touch());
  }

  /** What the decision says of machines, once it is stored. */
  #act(action: FleetAction): void {
    if (action.type === 'launch') this.#launch(action.node);
    else if (action.type === 'terminate') this.#provider.terminate({ id: action.node });
    else if (action.type === 'terminate-orphan') {
      const { id, providerId } = action;
      this.#provider.terminate(id === null ? { providerId } : { id });
    } else if (action.type === 'evict') for (const pod of action.pods) evictReplica(this.#context, pod, action.node);
  }

  #launch(node: FleetNode): void {
    const launch = this.documents && launchOf(node, this.name, this.documents);
    if (!launch) {
      const message = `there is no pool ${node.pool} any more`;
      this.#answered({ type: 'refused', id: node.id, code: 'refused', message, retryAfterMs: null });
      return;
    }
    if (this.#provider.launch(node, launch)) return;
    const message = this.problem ?? 'the provider is not there';
    this.#answered({ type: 'refused', id: node.id, code: 'unavailable', message, retryAfterMs: null });
  }

  #answered(outcome: FleetOutcome): void {
    if (this.#context.stopped) return;
    this.#records.outcome(outcome);
    this.#outcomes.push(outcome);
    this.touch();
  }

  /** For the begin of a segment of the journal. */
  snapshot(): SnapshotPart | null {
    return this.documents ? this.#records.snapshot(this.documents.spec) : null;
  }

  #toSave(): SavedFleet {
    const places: SavedFleet['places'] = {};
    for (const replica of this.replicas()) if (replica.place?.bound) places[replica.id] = replica.place.bound;
    const { cluster = null, pools = [] } = this.documents ?? {};
    return { version: 1, cluster, pools, memory: this.memory, least: this.least.toSaved(), places };
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
