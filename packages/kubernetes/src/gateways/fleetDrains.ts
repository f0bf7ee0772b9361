import type { GatewayEndpoint, GatewayEvent } from '@ebb/core';

/** A replica that drains. */
interface Drain {
  readonly workload: string;
  readonly replica: string;
  /** Its number; undefined where the engine gives none. */
  readonly drain: number | undefined;
  /** Gateways that have nothing left there. */
  readonly said: Set<string>;
  isTold: boolean;
}

export interface FleetDrainsOptions {
  /** Whether some gateway may still have requests on the replica. */
  isWaitedFor(drain: { workload: string; replica: string }, said: ReadonlySet<string>): boolean;
  tell(event: GatewayEvent): void;
}

/** Who says that a drain is over: all of them. */
const everyGateway = 'all';

/** Drains of replicas over several gateways: one is over when no gateway is left that may have requests there. Told once. */
export class FleetDrains {
  readonly #options: FleetDrainsOptions;
  readonly #drains = new Map<string, Drain>();

  constructor(options: FleetDrainsOptions) {
    this.#options = options;
  }

  /** All replicas of a workload, as they are now. */
  configure(workload: string, endpoints: readonly GatewayEndpoint[]): void {
    const draining = new Set<string>();
    for (const { replica, draining: isDraining, drain } of endpoints) {
      if (!isDraining) continue;
      draining.add(replica);
      const known = this.#drains.get(replica);
      if (known && known.drain === drain) continue;
      this.#drains.set(replica, { workload, replica, drain, said: new Set(), isTold: false });
    }
    for (const [replica, drain] of this.#drains) {
      if (drain.workload === workload && !draining.has(replica)) this.#drains.delete(replica);
    }
  }

  /** A gateway has nothing left on the replica. */
  said(gateway: string, replica: string, drain: number | undefined): void {
    const known = this.#drains.get(replica);
    if (!known || known.drain !== drain) return;
    known.said.add(gateway);
    this.look();
  }

  /** What a gateway has said counts no more: it is to say it again. */
  unsay(gateway: string): void {
    for (const { said } of this.#drains.values()) said.delete(gateway);
  }

  /** Tells of those that are over by now. */
  look(): void {
    for (const one of this.#drains.values()) {
      if (one.isTold || this.#options.isWaitedFor(one, one.said)) continue;
      one.isTold = true;
      const { replica, drain } = one;
      this.#options.tell({
        type: 'drained',
        gateway: everyGateway,
        replica,
        ...(drain === undefined ? {} : { drain }),
      });
    }
  }
}
