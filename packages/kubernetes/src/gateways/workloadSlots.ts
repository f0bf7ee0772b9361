import type { DispatchCounts, GatewayEndpoint } from '@ebb/core';
import { isFair, type ReplicaSlots, splitSlots } from './splitSlots.ts';

/** What is known of one gateway and one workload. Numbers by replica; what is left out is 0. */
interface Share {
  /** Slots as it was told last. */
  readonly told: Map<string, number>;
  /** Requests that it may have there at most: what it was told and has not confirmed to have given up counts. */
  readonly claims: Map<string, number>;
  readonly inFlight: Map<string, number>;
  /** By class. */
  readonly waiting: Map<string, { held: number; oldestHeldUs: number | null }>;
  /** Revision of the last message that it was sent about this, and of the last that it has applied. */
  sent: number;
  applied: number;
}

export interface KnownGateway {
  readonly name: string;
  /** Connected, and heard of. */
  readonly isHere: boolean;
  /** It ran before this operator decided, and has not said yet which slots it has. */
  readonly isUnheard: boolean;
  /** It ends what it has, and gets no new requests. */
  readonly isLeaving: boolean;
}

/**
 * The slots of one workload's replicas, split over the gateways. What a gateway has is an upper bound until it has said that it
 * has less: a slot is given to another one only then, so that all together never exceed the concurrency of a replica.
 */
export class WorkloadSlots {
  readonly #shares = new Map<string, Share>();
  /** Replicas that were there before this operator decided: gateways may have slots of them that it does not know of. */
  readonly #inherited = new Set<string>();
  #endpoints: readonly GatewayEndpoint[] = [];
  /** Gateways that slots were shared among last. */
  #sharers = '';

  /** The replicas from now on. */
  setEndpoints(endpoints: readonly GatewayEndpoint[], areInherited: boolean): void {
    this.#endpoints = endpoints;
    const present = new Set(endpoints.map(({ replica }) => replica));
    for (const replica of [...this.#inherited]) if (!present.has(replica)) this.#inherited.delete(replica);
    if (areInherited) for (const replica of present) this.#inherited.add(replica);
    for (const { told, claims, inFlight } of this.#shares.values()) {
      for (const map of [told, claims, inFlight]) {
        for (const replica of [...map.keys()]) if (!present.has(replica)) map.delete(replica);
      }
    }
  }

  /** A gateway is connected and says which slots it has; of another process than before nothing is left. */
  hello(gateway: string, slots: Readonly<Record<string, number>>, isOtherProcess: boolean): void {
    if (isOtherProcess) this.#shares.delete(gateway);
    const { told, claims } = this.#of(gateway);
    told.clear();
    for (const { replica } of this.#endpoints) {
      const has = slots[replica] ?? 0;
      told.set(replica, has);
      // What an earlier connection told it last may still be on its way.
      claims.set(replica, Math.max(claims.get(replica) ?? 0, has));
    }
  }

  /** It was sent what `slotsOf` says. */
  sent(gateway: string, revision: number): void {
    this.#of(gateway).sent = revision;
  }

  /** It has applied a message and all before, and has counted since; true when slots may have become free. */
  applied(gateway: string, revision: number): boolean {
    const share = this.#of(gateway);
    if (revision > share.applied) share.applied = revision;
    return share.applied >= share.sent && this.#settle(share);
  }

  /** What it counts now, on this machine's clock; true when slots should perhaps move. */
  counted(gateway: string, { replicas, classes }: DispatchCounts): boolean {
    const share = this.#of(gateway);
    this.#setInFlight(share, replicas);
    let isWaiting = false;
    for (const [name, { held, oldestHeldUs }] of Object.entries(classes)) {
      share.waiting.set(name, { held, oldestHeldUs: oldestHeldUs ?? null });
      if (held > 0) isWaiting = true;
    }
    return (share.applied >= share.sent && this.#settle(share)) || isWaiting;
  }

  /** A request waits where nothing can take it: known before the next counts. */
  woken(gateway: string, className: string, held: number, heldAtUs: number): void {
    const { waiting } = this.#of(gateway);
    const before = waiting.get(className);
    waiting.set(className, {
      held: Math.max(held, before?.held ?? 0),
      oldestHeldUs: Math.min(heldAtUs, before?.oldestHeldUs ?? heldAtUs),
    });
  }

  /** It has ended: what it had is free. */
  gone(gateway: string): void {
    this.#shares.delete(gateway);
  }

  /** Requests that a gateway may have on a replica, or may begin there. */
  claimOf({ name, isUnheard }: KnownGateway, { replica, slots }: Pick<GatewayEndpoint, 'replica' | 'slots'>): number {
    const claim = this.#shares.get(name)?.claims.get(replica);
    if (slots === 0) return isUnheard || this.#shares.has(name) ? 1 : 0;
    if (isUnheard && this.#inherited.has(replica)) return Math.max(claim ?? 0, slots);
    return claim ?? 0;
  }

  /** Moves slots to where they are needed, as far as that is safe now. Returns the gateways that are to hear of it. */
  plan(gateways: readonly KnownGateway[]): Set<string> {
    const changed = new Set<string>();
    const limited = this.#endpoints.filter(({ slots, draining }) => slots > 0 && !draining);
    const here = gateways.filter(({ isHere }) => isHere);
    // One that has just come is to have something before it needs it.
    const sharers = here.flatMap(({ name, isLeaving }) => (isLeaving ? [] : [name])).join(' ');
    const isOtherSet = sharers !== this.#sharers;
    this.#sharers = sharers;
    for (const className of new Set(limited.map((endpoint) => endpoint.class))) {
      const endpoints = limited.filter((endpoint) => endpoint.class === className);
      const rows = endpoints.map((endpoint) => this.#row(endpoint, here, gateways));
      const demands = here.map(({ name, isLeaving }) => ({ name, isLeaving, ...this.#waiting(name, className) }));
      const wanted =
        !isOtherSet && isFair(rows, demands) ? rows.map(({ current }) => current) : splitSlots(rows, demands);
      for (const [index, endpoint] of endpoints.entries()) {
        this.#lower(endpoint, here, wanted[index] ?? [], changed);
        this.#raise(endpoint, here, gateways, wanted[index] ?? [], changed);
      }
    }
    return changed;
  }

  /** What one gateway is to know of the replicas: those of which it has no slot are left out. */
  endpointsFor(gateway: string): GatewayEndpoint[] {
    const { told } = this.#of(gateway);
    return this.#endpoints.flatMap((endpoint) => {
      if (endpoint.slots === 0) return [endpoint];
      // What drains gets nothing new; every gateway says of it when it has nothing left there.
      if (endpoint.draining) return [{ ...endpoint, slots: 1 }];
      const slots = told.get(endpoint.replica) ?? 0;
      return slots > 0 ? [{ ...endpoint, slots }] : [];
    });
  }

  #row(endpoint: GatewayEndpoint, here: readonly KnownGateway[], all: readonly KnownGateway[]): ReplicaSlots {
    const { replica: id, slots } = endpoint;
    const away = all.filter((gateway) => !gateway.isHere);
    const kept = away.reduce((sum, gateway) => sum + this.claimOf(gateway, endpoint), 0);
    const current = here.map(({ name }) => this.#shares.get(name)?.told.get(id) ?? 0);
    // What gateways that are here have already is theirs by right, whatever is not known of the others.
    const theirs = current.reduce((sum, one) => sum + one, 0);
    return {
      id,
      capacity: Math.min(slots, Math.max(theirs, slots - kept)),
      inFlight: here.map(({ name }) => this.#shares.get(name)?.inFlight.get(id) ?? 0),
      current,
    };
  }

  #lower(
    { replica }: GatewayEndpoint,
    here: readonly KnownGateway[],
    wanted: readonly number[],
    changed: Set<string>,
  ): void {
    for (const [index, { name }] of here.entries()) {
      const { told } = this.#of(name);
      const to = wanted[index] ?? 0;
      if (to >= (told.get(replica) ?? 0)) continue;
      told.set(replica, to);
      changed.add(name);
    }
  }

  #raise(
    endpoint: GatewayEndpoint,
    here: readonly KnownGateway[],
    all: readonly KnownGateway[],
    wanted: readonly number[],
    changed: Set<string>,
  ): void {
    const { replica, slots } = endpoint;
    for (const [index, gateway] of here.entries()) {
      const { told, claims } = this.#of(gateway.name);
      const has = told.get(replica) ?? 0;
      const others = all.reduce((sum, other) => (other === gateway ? sum : sum + this.claimOf(other, endpoint)), 0);
      const to = Math.min(wanted[index] ?? 0, slots - others);
      if (to <= has) continue;
      told.set(replica, to);
      claims.set(replica, Math.max(claims.get(replica) ?? 0, to));
      changed.add(gateway.name);
    }
  }

  #waiting(gateway: string, className: string): { held: number; oldestHeldUs: number | null } {
    return this.#shares.get(gateway)?.waiting.get(className) ?? { held: 0, oldestHeldUs: null };
  }

  #setInFlight({ inFlight }: Share, replicas: Readonly<Record<string, number>>): void {
    inFlight.clear();
    for (const [replica, load] of Object.entries(replicas)) if (load > 0) inFlight.set(replica, load);
  }

  /** What it has confirmed is all that it can have; true when that is less than was known. */
  #settle({ told, claims, inFlight }: Share): boolean {
    let isLess = false;
    for (const { replica } of this.#endpoints) {
      const claim = Math.max(told.get(replica) ?? 0, inFlight.get(replica) ?? 0);
      if (claim < (claims.get(replica) ?? 0)) isLess = true;
      claims.set(replica, claim);
    }
    return isLess;
  }

  #of(gateway: string): Share {
    let share = this.#shares.get(gateway);
    if (!share) {
      share = {
        told: new Map(),
        claims: new Map(),
        inFlight: new Map(),
        waiting: new Map(),
        sent: 0,
        applied: 0,
      };
      this.#shares.set(gateway, share);
    }
    return share;
  }
}
