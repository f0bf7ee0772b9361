import type { Clock, GatewayEndpoint, GatewayEvent, GatewayPort, GatewayWorkload } from '@ebb/core';
import type { FoundGateway, GatewayConnection, GatewayPlace } from './connection.ts';
import { FleetDrains } from './fleetDrains.ts';
import { type ServiceName, withClusterHosts } from './hosts.ts';
import { Member, type MemberEvent } from './member.ts';
import { WorkloadSlots } from './workloadSlots.ts';

export interface GatewayFleetOptions {
  readonly clock: Clock;
  connect(place: GatewayPlace): Promise<GatewayConnection>;
  /** Whether requests for a workload come through gateways; the others' go through Services, and nobody counts them. */
  serves(workload: string): boolean;
  /** Names of Services that stand for a workload besides its own; left out: none. */
  servicesOf?(workload: string): readonly ServiceName[];
  /** Whether requests may go to a replica past the gateways; left out: none do. */
  isReached?(workload: string, endpoint: GatewayEndpoint): boolean;
  /** Whether this process leads: nothing is said to a gateway otherwise. */
  mayWrite(): boolean;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

interface Served {
  spec: GatewayWorkload;
  /** What each gateway was sent last, as text. */
  readonly sent: Map<string, string>;
  readonly slots: WorkloadSlots;
}

const quietTroubles = 8;

/**
 * All gateways of a cluster as one gateway port. Each gets the routes of every workload and its part of each replica's slots;
 * its counts go to the engine under its own name, which sums them and calls them missing while it is silent. A replica is
 * drained when every gateway says so. Where there is no gateway, a drain is over at once: requests come through Services, and
 * the time that a pod has for them is its termination grace.
 */
export class GatewayFleet implements GatewayPort {
  readonly #options: GatewayFleetOptions;
  readonly #members = new Map<string, Member>();
  /** Of every workload, whether gateways serve it or not. */
  readonly #specs = new Map<string, GatewayWorkload>();
  readonly #served = new Map<string, Served>();
  readonly #drains = new FleetDrains({
    isWaitedFor: (drain, said) => this.#isWaitedFor(drain, said),
    tell: (event) => this.#tell(event),
  });
  readonly #listeners = new Set<(event: GatewayEvent) => void>();
  /** Workload of a message that is not applied yet; null: all. */
  readonly #underWay = new Map<number, string | null>();
  /** Since when gateways are not heard of, by name; with no name: since when there is none. */
  readonly #missingSinceMs = new Map<string, number>();
  /** Gateways of which the engine was told. */
  readonly #told = new Set<string>();
  /** Ended while no other one was there: what is asked for is not known until another one is. */
  readonly #ended = new Set<string>();
  #revision = 0;
  #released = false;
  #closed = false;

  constructor(options: GatewayFleetOptions) {
    this.#options = options;
    this.#missingSinceMs.set('', options.clock.nowMs());
  }

  // ---- Which gateways there are

  /** A gateway runs, or is about to end. */
  found(gateway: FoundGateway): void {
    if (this.#closed) return;
    const known = this.#members.get(gateway.name);
    if (known) {
      if (known.isLeaving === gateway.isLeaving) return;
      known.isLeaving = gateway.isLeaving;
      this.#bringAll();
      return;
    }
    const { clock } = this.#options;
    let troubles = 0;
    const member: Member = new Member({
      found: gateway,
      wasBefore: !this.#released,
      clock,
      connect: (place) => this.#options.connect(place),
      onHello: () => {
        troubles = 0;
        this.#hello(member);
      },
      onEvent: (event) => this.#take(member, event),
      onApplied: (revision) => this.#applied(member, revision),
      onResend: () => this.#sync(member),
      onAway: (reason) => this.#away(member, reason),
      onTrouble: (error) => {
        troubles++;
        // Its process may be on its way: not worth a word until it takes long.
        if (troubles === quietTroubles) this.#unreachable(member, error);
      },
    });
    this.#members.set(gateway.name, member);
    this.#missingSinceMs.delete('');
    this.#missingSinceMs.set(gateway.name, clock.nowMs());
    member.start();
  }

  /** A gateway's processes have ended, and no other one will come under this name. */
  lost(name: string): void {
    const member = this.#members.get(name);
    if (!member) return;
    member.close();
    this.#members.delete(name);
    this.#missingSinceMs.delete(name);
    if (this.#members.size === 0) this.#missingSinceMs.set('', this.#options.clock.nowMs());
    for (const { slots, sent } of this.#served.values()) {
      slots.gone(name);
      sent.delete(name);
    }
    this.#options.log('info', 'a gateway has ended', { gateway: name });
    if (this.#told.has(name)) {
      this.#tell({ type: 'disconnected', gateway: name, message: 'it has ended' });
      this.#ended.add(name);
      if (this.#here().length > 0) this.#forgetEnded();
    }
    this.#bringAll();
    this.#drains.look();
  }

  /** Gateways hear what is configured from now on: an unfinished picture must not take routes away from them. */
  release(): void {
    this.#released = true;
    // What each has is known before anything is given to another one.
    for (const member of this.#here()) this.#noteSlots(member);
    for (const member of [...this.#members.values()]) {
      if (member.isHere) this.#welcome(member);
      // Its counts are unknown, which is not zero.
      else this.#tell({ type: 'disconnected', gateway: member.name, message: 'not heard of yet' });
      this.#told.add(member.name);
    }
  }

  /** Whether a workload is served by gateways may be another matter by now. */
  reconsider(workload: string): void {
    const spec = this.#specs.get(workload);
    if (spec && this.#options.serves(workload) !== this.#served.has(workload)) this.configure(spec);
  }

  /** A workload may have other names by now, and be served for that reason alone. */
  renamed(workload: string): void {
    const spec = this.#specs.get(workload);
    if (spec) this.configure(spec);
  }

  /** How long the counts of some gateway have been missing; 0: all are there. */
  countsMissingMs(): number {
    const nowMs = this.#options.clock.nowMs();
    return Math.max(0, ...[...this.#missingSinceMs.values()].map((sinceMs) => nowMs - sinceMs));
  }

  /** A drain may be over by now. */
  lookAtDrains(): void {
    this.#drains.look();
  }

  // ---- What the engine says

  configure(workload: GatewayWorkload): void {
    const { key, endpoints } = workload;
    this.#specs.set(key, workload);
    const isServed = this.#options.serves(key);
    this.#drains.configure(key, endpoints);
    if (isServed) {
      const spec = {
        ...workload,
        serving: {
          ...workload.serving,
          routes: withClusterHosts(workload.serving.routes, key, this.#options.servicesOf?.(key)),
        },
      };
      const served = this.#served.get(key) ?? { spec, sent: new Map<string, string>(), slots: new WorkloadSlots() };
      served.spec = spec;
      this.#served.set(key, served);
      served.slots.setEndpoints(endpoints, !this.#released);
      this.#bring(served, true);
    } else if (this.#served.has(key)) this.#forget(key);
    // After the turn in which it was asked for.
    queueMicrotask(() => this.#drains.look());
  }

  remove(workload: string): void {
    this.#specs.delete(workload);
    this.#drains.configure(workload, []);
    if (this.#served.has(workload)) this.#forget(workload);
  }

  watch(listener: (event: GatewayEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Gateways go on with what they know. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    for (const member of this.#members.values()) member.close();
    this.#members.clear();
  }

  // ---- What gateways say

  #hello(member: Member): void {
    const { name, url } = member;
    this.#options.log('info', 'a gateway is connected', { gateway: name, url });
    this.#drains.unsay(name);
    this.#missingSinceMs.delete(name);
    if (!this.#released) return;
    this.#noteSlots(member);
    this.#welcome(member);
  }

  #noteSlots({ name, slots, isOtherProcess }: Member): void {
    for (const served of this.#served.values()) {
      served.slots.hello(name, slots, isOtherProcess);
      served.sent.delete(name);
    }
  }

  #welcome(member: Member): void {
    // Every container has the same process ids: its start tells one from another.
    const { name, url, process } = member;
    this.#told.add(name);
    this.#tell({ type: 'connected', gateway: name, url, pid: process ?? 0 });
    const changes = [...this.#served.values()].map((served) => ({ served, changed: this.#plan(served) }));
    this.#sync(member);
    for (const { served, changed } of changes) this.#deliver(served, changed);
    this.#forgetEnded();
  }

  #away(member: Member, reason: string): void {
    member.isSynced = false;
    this.#missingSinceMs.set(member.name, this.#options.clock.nowMs());
    this.#unreachable(member, reason);
    if (this.#released) this.#tell({ type: 'disconnected', gateway: member.name, message: reason });
    this.#bringAll();
  }

  #unreachable({ name }: Member, why: unknown): void {
    const reason = why instanceof Error ? why.message : String(why);
    this.#options.log('warn', 'a gateway cannot be reached', { gateway: name, reason });
  }

  #take(member: Member, event: MemberEvent): void {
    if (!this.#released) return;
    if (event.type === 'drained') {
      this.#drains.said(member.name, event.replica, event.drain);
      return;
    }
    this.#tell(event);
    if (event.type === 'counts') {
      for (const counts of event.counts) {
        const served = this.#served.get(counts.workload);
        if (served && (served.slots.counted(member.name, counts) || member.isLeaving)) this.#bring(served);
      }
    } else if (event.type === 'wake') {
      const served = this.#served.get(event.workload);
      served?.slots.woken(member.name, event.class, event.held, event.heldAtUs);
      if (served) this.#bring(served);
    }
  }

  #applied({ name }: Member, revision: number): void {
    const key = this.#underWay.get(revision);
    this.#underWay.delete(revision);
    if (key === undefined) return;
    const one = key === null ? undefined : this.#served.get(key);
    for (const served of key === null ? this.#served.values() : one ? [one] : []) {
      if (served.slots.applied(name, revision)) this.#bring(served);
    }
  }

  // ---- Slots and messages

  #mayTell(): boolean {
    return this.#released && !this.#closed && this.#options.mayWrite();
  }

  /** Gives each gateway what it is to have by now. */
  #bring(served: Served, isNew = false): void {
    if (!this.#mayTell()) return;
    const changed = this.#plan(served);
    this.#deliver(served, isNew ? null : changed);
  }

  #bringAll(): void {
    for (const served of this.#served.values()) this.#bring(served);
  }

  #plan({ slots }: Served): Set<string> {
    return this.#mayTell() ? slots.plan([...this.#members.values()]) : new Set();
  }

  /** To the gateways that are named, or to all, where it is news to them. */
  #deliver(served: Served, names: ReadonlySet<string> | null): void {
    for (const member of this.#here()) {
      if (!member.isSynced || (names !== null && !names.has(member.name))) continue;
      const workload = workloadFor(member, served);
      const text = JSON.stringify(workload);
      if (served.sent.get(member.name) === text) continue;
      const revision = this.#nextRevision(workload.key);
      if (!member.send({ type: 'workload', workload, revision })) continue;
      served.sent.set(member.name, text);
      served.slots.sent(member.name, revision);
    }
  }

  /** Everything at once; what is not in it is removed there. */
  #sync(member: Member): void {
    if (!this.#mayTell()) return;
    const revision = this.#nextRevision(null);
    const workloads: GatewayWorkload[] = [];
    for (const served of this.#served.values()) {
      const workload = workloadFor(member, served);
      workloads.push(workload);
      served.sent.set(member.name, JSON.stringify(workload));
      served.slots.sent(member.name, revision);
    }
    member.isSynced = member.send({ type: 'sync', workloads, revision });
  }

  #nextRevision(workload: string | null): number {
    this.#revision++;
    this.#underWay.set(this.#revision, workload);
    // What a connection that broke did not answer is never asked for again.
    this.#underWay.delete(this.#revision - mostUnderWay);
    return this.#revision;
  }

  #forget(workload: string): void {
    this.#served.delete(workload);
    if (!this.#mayTell()) return;
    for (const member of this.#here()) if (member.isSynced) member.send({ type: 'remove', workload });
  }

  /** Whether a drain is not over yet: a gateway is there that has not said so, or one that is away may have requests there. */
  #isWaitedFor({ workload, replica }: { workload: string; replica: string }, said: ReadonlySet<string>): boolean {
    const served = this.#served.get(workload);
    const endpoint = served?.spec.endpoints.find((one) => one.replica === replica);
    if (!served || !endpoint) return false;
    if (this.#options.isReached?.(workload, endpoint)) return true;
    return [...this.#members.values()].some(
      (member) => !said.has(member.name) && (member.isHere || served.slots.claimOf(member, endpoint) > 0),
    );
  }

  // ---- All of them

  /** Another one is there to say what is asked for: of those that have ended nothing more will come. */
  #forgetEnded(): void {
    for (const gateway of this.#ended) {
      this.#told.delete(gateway);
      this.#tell({ type: 'gone', gateway });
    }
    this.#ended.clear();
  }

  #here(): Member[] {
    return [...this.#members.values()].filter(({ isHere }) => isHere);
  }

  #tell(event: GatewayEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

/** Answers are due for fewer messages than this at any moment. */
const mostUnderWay = 100_000;

function workloadFor({ name }: Member, { spec, slots }: Served): GatewayWorkload {
  return { ...spec, endpoints: slots.endpointsFor(name) };
}
