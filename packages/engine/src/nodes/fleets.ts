import { type LedgerRow, shareOfNode } from '@ebb/core';
import {
  type ClusterSpec,
  clustersOfWorkload,
  defaultCluster,
  type NodePoolSpec,
  type Places,
  placesOf,
  type Resources,
  resolveCluster,
  resolveNodePool,
} from '@ebb/documents';
import type { EngineContext } from '../context.ts';
import { messageOf, startHere, waitForNode } from '../replicaActions.ts';
import { isHeldOnTo, type Replica } from '../replicaSet.ts';
import type { WorkloadState } from '../workloadState.ts';
import { Fleet } from './fleet.ts';
import { fleetDocuments } from './fleetDocuments.ts';
import { fleetPrefix } from './fleetStore.ts';
import { NodeLedger } from './nodeLedger.ts';
import { NodeMoney } from './nodeMoney.ts';
import type { NodePorts } from './ports.ts';
import { newPlace, nowhere } from './replicaPlace.ts';

/** Documents that say where machines come from. */
export const nodeKinds: readonly string[] = ['Cluster', 'NodePool'];
/** A cluster that had no room for a replica is not asked again for so long while there are others. */
const elsewhereMs = 60_000;
/** A provider that could not be opened, for a Secret that is not there say, is tried again. */
const openAgainMs = 30_000;
/** A cloud that has been told to end its machines does so without being watched. */
const quiesceMs = 20_000;

/** The fleets of all clusters whose machines are rented, and which workload's replicas go where. */
export class Fleets {
  readonly ledger: NodeLedger;
  readonly #money: NodeMoney;
  readonly #context: EngineContext;
  readonly #fleets = new Map<string, Fleet>();
  #places: Places = placesOf([], true);
  #clusters = new Map<string, ClusterSpec>();
  #pools: NodePoolSpec[] = [];
  /** When a cluster had no room, by replica and cluster. */
  readonly #refusals = new Map<string, number>();
  #configuring: Promise<void> = Promise.resolve();
  #isConfigureDue = false;
  #cancelAlarm: (() => void) | null = null;
  #unwatchGuests: (() => void) | null = null;

  constructor(context: EngineContext) {
    this.#context = context;
    const { store, clock, log } = context.ports;
    this.ledger = new NodeLedger({ store: store.ledger, clock, log: log.bind(context.ports) });
    this.#money = new NodeMoney(
      context,
      () => this.list(),
      () => this.documentsChanged(),
    );
  }

  /** Takes up where an earlier engine has ended. Before replicas are adopted. */
  async load(): Promise<void> {
    const { nodes } = this.#context.ports;
    if (!nodes) return;
    await this.ledger.load();
    await this.#readDocuments();
    const { state } = this.#context.ports.store;
    const names = new Set((await state.names(fleetPrefix)).map((name) => name.slice(fleetPrefix.length)));
    for (const { key } of this.#rented()) names.add(key.name);
    for (const name of names) await this.#fleet(name, nodes).load();
    this.#unwatchGuests = nodes.guests?.watch((what) => this.#guestsChanged(what)) ?? null;
  }

  #guestsChanged(what: 'pods' | 'overhead'): void {
    if (what === 'overhead') this.documentsChanged();
    else for (const fleet of this.#fleets.values()) fleet.touch();
  }

  /** Where a new replica of the workload goes first; null: it runs here. */
  firstFor(state: Pick<WorkloadState, 'spec'>): string | null {
    const { nodes } = this.#context.ports;
    if (!nodes || nodes.guests) return null;
    const [first = nowhere] = this.#clustersOf(state);
    return first;
  }

  /** Why a replica that is placed there has nobody to place it; null: there is a fleet. */
  problemOf(cluster: string): string | null {
    if (cluster === nowhere) return 'the pools and regions that it may run in are not there';
    const fleet = this.#fleets.get(cluster);
    return fleet ? fleet.problem : `there is no cluster "${cluster}" whose machines are rented`;
  }

  /** A replica's part of its node's price; nothing where it has no node of its own. */
  priceOf(
    { place }: Pick<Replica, 'place'>,
    requests: Resources | undefined,
  ): Partial<Pick<LedgerRow, 'pricePerHourMicro' | 'capacityType'>> {
    const row = place?.bound ? this.ledger.row(place.bound.node) : null;
    if (!row || !requests) return {};
    const share = shareOfNode(requests, row.allocatable);
    return { pricePerHourMicro: Math.round(row.pricePerHourMicro * share), capacityType: row.capacityType };
  }

  /** What documents of the kinds in `nodeKinds`, or workloads, say has changed. */
  documentsChanged(): void {
    if (!this.#context.ports.nodes || this.#isConfigureDue) return;
    this.#isConfigureDue = true;
    this.#configuring = this.#configuring
      .then(() => {
        this.#isConfigureDue = false;
        return this.#configure();
      })
      .catch((error: unknown) => {
        this.#context.ports.log('error', 'documents of machines were not taken up', { error: messageOf(error) });
      });
  }

  takenUp(): Promise<void> {
    return this.#configuring;
  }

  /** It is known what runs: until then nothing is decided about machines. */
  adopted(): void {
    for (const fleet of this.#fleets.values()) fleet.touch();
  }

  /** A replica came, went, or is another than before. */
  touched(replica: Pick<Replica, 'place'>): void {
    if (replica.place) this.#fleets.get(replica.place.cluster)?.touch();
  }

  /** What is to be said of a cluster's money. */
  moneySentences(cluster: string): string[] {
    return this.#money.sentences(cluster);
  }

  list(): Fleet[] {
    return [...this.#fleets.values()];
  }

  /** A replica that an earlier engine has started on a node gets its place back. */
  adopt(replica: Replica, nowUs: number): void {
    if (replica.node === this.#context.options.node || this.#context.ports.nodes?.guests) return;
    for (const fleet of this.#fleets.values()) {
      const bound = fleet.placeOf(replica.id);
      if (!bound) continue;
      replica.place = { ...newPlace(fleet.name, nowUs), bound, isNodeReady: true };
      fleet.touch();
      return;
    }
    // Its node is in nobody's book: it is replaced where there is one.
    const [fleet] = this.#fleets.values();
    if (fleet) replica.place = { ...newPlace(fleet.name, nowUs), isNodeReady: true, isNodeGoing: true };
  }

  /**
   * Where a replica for which its cluster has no room goes: the next one that its workload may run in and that has not
   * refused it lately. Null: here; undefined: there is none.
   */
  elsewhere(state: WorkloadState, replica: Replica): string | null | undefined {
    const { place } = replica;
    if (!place || place.bound) return undefined;
    const nowMs = this.#context.ports.clock.nowMs();
    this.#refusals.set(`${replica.id} ${place.cluster}`, nowMs);
    const order = this.#clustersOf(state);
    const at = order.indexOf(place.cluster);
    for (let step = 1; step < order.length; step++) {
      const next = order[(at + step) % order.length];
      if (next === undefined || next === place.cluster) continue;
      const refusedAtMs = this.#refusals.get(`${replica.id} ${next ?? ''}`);
      if (refusedAtMs === undefined || nowMs - refusedAtMs >= elsewhereMs) return next;
    }
    return undefined;
  }

  forget(replica: Replica): void {
    for (const cluster of this.#fleets.keys()) this.#refusals.delete(`${replica.id} ${cluster}`);
    this.touched(replica);
  }

  /** Ends every machine: nothing runs any more. Resolves when all are gone, or after a while. */
  async quiesce(): Promise<void> {
    const { clock } = this.#context.ports;
    await this.#configuring;
    const fleets = this.list();
    if (fleets.length === 0) return;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = clock.at(clock.nowMs() + quiesceMs, resolve);
    await Promise.race([late, Promise.all(fleets.map((fleet) => fleet.quiesce()))]);
    cancel();
  }

  async close(): Promise<void> {
    await this.#configuring;
    await Promise.all([...this.#fleets.values()].map((fleet) => fleet.close()));
    await this.ledger.flush();
  }

  /** Nothing is decided any more; machines stay as they are. */
  halt(): void {
    this.#money.stop();
    this.#cancelAlarm?.();
    this.#unwatchGuests?.();
    for (const fleet of this.#fleets.values()) fleet.halt();
  }

  abandon(): void {
    this.ledger.abandon();
  }

  /** In the order in which they are tried; null is this machine. */
  #clustersOf(state: Pick<WorkloadState, 'spec'>): (string | null)[] {
    const names = clustersOfWorkload(state.spec, this.#places);
    // What is not there is waited for: the replica runs where it was told to.
    return names.map((name) => (this.#isHere(name) ? null : name));
  }

  #isHere(name: string): boolean {
    const { nodes } = this.#context.ports;
    // Machines for guests have no replicas: whoever runs the guests runs those too.
    if (nodes === undefined || nodes.guests) return true;
    const cluster = this.#clusters.get(name);
    return name === defaultCluster || (cluster !== undefined && !this.#isRented(cluster));
  }

  /** When a disruption budget begins or ends to count, and soon where a provider could not be opened. */
  #configureAgain(): void {
    const { clock } = this.#context.ports;
    const soonMs = clock.nowMs() + openAgainMs;
    const times = this.list().flatMap(({ documents, providerName }) => [
      ...(documents?.changesAtMs == null ? [] : [documents.changesAtMs]),
      ...(documents && providerName === null ? [soonMs] : []),
    ]);
    this.#cancelAlarm?.();
    this.#cancelAlarm = times.length === 0 ? null : clock.at(Math.min(...times), () => this.documentsChanged());
  }

  #rented(): ClusterSpec[] {
    return [...this.#clusters.values()].filter((cluster) => this.#isRented(cluster));
  }

  #fleet(name: string, nodes: NodePorts): Fleet {
    const known = this.#fleets.get(name);
    if (known) return known;
    const fleet = new Fleet(this.#context, nodes, name, this.ledger, (state, replica) =>
      this.elsewhere(state, replica),
    );
    this.#fleets.set(name, fleet);
    return fleet;
  }

  /** Replicas that waited nowhere go where documents have a place for them now. */
  #placeWaiting(): void {
    for (const state of this.#context.workloads.values()) {
      for (const replica of state.replicas.values()) {
        if (replica.place?.cluster !== nowhere || !isHeldOnTo(replica)) continue;
        const cluster = this.firstFor(state);
        if (cluster === null) startHere(this.#context, state, replica);
        else if (cluster !== nowhere) waitForNode(this.#context, replica, cluster);
      }
    }
  }

  async #readDocuments(): Promise<void> {
    const { documents } = this.#context.ports.store;
    const stored = [...(await documents.list('Cluster')), ...(await documents.list('NodePool'))];
    this.#places = placesOf(stored, true);
    const clusters = stored.filter(({ kind }) => kind === 'Cluster').map(({ document }) => resolveCluster(document));
    this.#clusters = new Map(clusters.map((cluster) => [cluster.key.name, cluster]));
    this.#pools = stored.filter(({ kind }) => kind === 'NodePool').map(({ document }) => resolveNodePool(document));
  }

  async #configure(): Promise<void> {
    const { nodes, clock } = this.#context.ports;
    if (!nodes || this.#context.stopped) return;
    await this.#readDocuments();
    for (const { key } of this.#rented()) {
      if (this.#fleets.has(key.name)) continue;
      await this.#fleet(key.name, nodes).load();
    }
    this.#placeWaiting();
    if (this.#fleets.size === 0) return;
    this.#money.start();
    const offerings = await nodes.offerings();
    for (const fleet of this.#fleets.values()) {
      const cluster = this.#clusters.get(fleet.name);
      const isRemoved = !cluster || !this.#isRented(cluster);
      if (isRemoved && nodes.guests) {
        // Definitions may go with all that is of them: that is no wish to end what others run.
        fleet.pause();
        continue;
      }
      const known = isRemoved ? (fleet.documents?.cluster ?? fleet.saved?.cluster ?? null) : cluster;
      if (!known) continue;
      const pools = isRemoved
        ? (fleet.documents?.pools ?? fleet.saved?.pools ?? [])
        : this.#pools.filter((pool) => pool.key.cluster === fleet.name);
      const workloads = [...this.#context.workloads.values()]
        .filter((state) => !state.removed && this.#clustersOf(state).includes(fleet.name))
        .map(({ spec }) => spec);
      const { epoch } = this.#context.options;
      const isSpent = (pool: NodePoolSpec) => this.#money.isSpent(pool);
      const sources = { cluster: known, pools, workloads, offerings, isRemoved, isSpent, epoch, nowMs: clock.nowMs() };
      await fleet.configure(fleetDocuments(sources, nodes));
      if (this.#context.stopped) return;
    }
    this.#configureAgain();
  }

  /** Its machines are rented, if only in a rehearsal; for guests they are those of the cluster that the guests run in. */
  #isRented({ type, cloud, key }: ClusterSpec): boolean {
    if (this.#context.ports.nodes?.guests) return type === 'kubernetes' && cloud !== 'local';
    return type === 'rehearsal' && cloud !== 'local' && key.name !== defaultCluster;
  }
}
