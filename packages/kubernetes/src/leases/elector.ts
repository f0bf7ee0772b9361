import { ApiServerError, isStatus, type KubernetesClient } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { numberAt, textAt } from '../client/values.ts';

export interface ElectorOptions {
  readonly client: KubernetesClient;
  readonly namespace: string;
  readonly name: string;
  /** Unlike that of any other process, also of an earlier one of the same pod. */
  readonly identity: string;
  /** Another one may take over when the lease was not renewed for this long. */
  readonly leaseMs?: number;
  readonly renewEveryMs?: number;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

/** The time in which this process leads. */
export interface Leadership {
  /** Rises with each holder: larger than that of everybody who led before. */
  readonly epoch: number;
  /** Whether the lease is surely still held; false as soon as its last renewal is too old, whatever the server says. */
  isHeld(): boolean;
  /** Resolves when it is lost or given back. */
  readonly ended: Promise<void>;
}

interface Observed {
  readonly resourceVersion: string;
  readonly holder: string;
  readonly leaseMs: number;
  readonly transitions: number;
  readonly object: KubernetesObject;
}

/**
 * Leader election on one Lease object. Clocks of others are never compared with ours: a lease counts as left when we
 * ourselves have seen no change of it for its duration. A leader stops trusting its own lease well before others may
 * take it: after two thirds of that time without a renewal.
 */
export class Elector {
  readonly #options: Required<ElectorOptions>;
  #observed: Observed | null = null;
  /** When the present version was first seen, microseconds of our own monotonic clock. */
  #observedAtUs = 0;
  #holds: { epoch: number; renewedAtUs: number; ended: () => void } | null = null;
  #cancel: (() => void) | null = null;
  #waiting: ((leadership: Leadership) => void) | null = null;
  #stopped = false;
  #round: Promise<void> = Promise.resolve();

  constructor(options: ElectorOptions) {
    const { leaseMs = 15_000 } = options;
    this.#options = { leaseMs, renewEveryMs: leaseMs / 7, ...options };
  }

  /** Who holds the lease as far as is known; empty: nobody. */
  get holder(): string {
    return this.#observed?.holder ?? '';
  }

  /** Resolves once this process leads; never after `close`. */
  lead(): Promise<Leadership> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#next(0);
    });
  }

  /** Gives the lease back, so that another one can take it at once. */
  async close(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#round;
    const holds = this.#holds;
    if (!holds) return;
    const observed = this.#observed;
    this.#lost();
    if (!observed) return;
    try {
      await this.#write({ ...observed, holder: '', leaseMs: 1000 });
    } catch {
      // It runs out by itself.
    }
  }

  #next(delayMs: number): void {
    if (this.#stopped) return;
    const { clock } = this.#options.client;
    this.#cancel?.();
    this.#cancel = clock.at(clock.nowMs() + delayMs, () => {
      this.#round = this.#turn();
    });
  }

  async #turn(): Promise<void> {
    const { renewEveryMs, client } = this.#options;
    this.#giveUpWhenStale();
    try {
      await (this.#holds ? this.#renew() : this.#tryToAcquire());
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#options.log('warn', 'the lease could not be read or written', { error: message });
    }
    this.#giveUpWhenStale();
    // Spread, so that those who wait do not all ask at once.
    this.#next(renewEveryMs * (0.9 + client.random.next() * 0.2));
  }

  async #tryToAcquire(): Promise<void> {
    const { client, leaseMs, identity } = this.#options;
    const found = await client.get(resources.leases, this.#options);
    if (this.#stopped || !this.#waiting) return;
    if (!found) {
      await this.#take(() => this.#create(), 0);
      return;
    }
    this.#observe(found);
    const observed = this.#observed;
    if (!observed) return;
    const unseenMs = (client.clock.nowUs() - this.#observedAtUs) / 1000;
    if (observed.holder !== '' && observed.holder !== identity && unseenMs < observed.leaseMs) return;
    const transitions = observed.transitions + 1;
    await this.#take(() => this.#write({ ...observed, holder: identity, leaseMs, transitions }), transitions);
  }

  async #take(write: () => Promise<KubernetesObject>, transitions: number): Promise<void> {
    const { client, identity, log } = this.#options;
    const askedAtUs = client.clock.nowUs();
    try {
      this.#observe(await write());
    } catch (error) {
      // Somebody was quicker.
      if (error instanceof ApiServerError && error.status === 409) return;
      throw error;
    }
    const waiting = this.#waiting;
    if (!waiting) return;
    this.#waiting = null;
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    // From when it was asked for: the server may have written it at any moment since.
    const holds = { epoch: transitions + 1, renewedAtUs: askedAtUs, ended: resolve };
    this.#holds = holds;
    log('info', 'this operator leads', { identity, epoch: holds.epoch });
    const isHeld = () => {
      this.#giveUpWhenStale();
      return this.#holds === holds;
    };
    waiting({ epoch: holds.epoch, ended, isHeld });
  }

  async #renew(): Promise<void> {
    const { client } = this.#options;
    const holds = this.#holds;
    const observed = this.#observed;
    if (!holds || !observed) return;
    const askedAtUs = client.clock.nowUs();
    try {
      this.#observe(await this.#write(observed));
      holds.renewedAtUs = askedAtUs;
    } catch (error) {
      if (!isStatus(error, 409) && !isStatus(error, 404)) throw error;
      // A 409 may answer a repetition of a write that had been taken: what is there decides.
      const found = await client.get(resources.leases, this.#options);
      if (found) this.#observe(found);
      if (!found || this.#observed?.holder !== this.#options.identity) this.#lost();
      else holds.renewedAtUs = askedAtUs;
    }
  }

  /** What was called lost once stays lost, even where a renewal comes through after all: it is led anew then. */
  #giveUpWhenStale(): void {
    const { client, leaseMs } = this.#options;
    const holds = this.#holds;
    if (holds && (client.clock.nowUs() - holds.renewedAtUs) / 1000 >= (leaseMs * 2) / 3) this.#lost();
  }

  #lost(): void {
    const holds = this.#holds;
    if (!holds) return;
    this.#holds = null;
    this.#options.log('warn', 'this operator no longer leads', { epoch: holds.epoch });
    holds.ended();
  }

  #observe(object: KubernetesObject): void {
    if (this.#observed?.resourceVersion === object.resourceVersion) return;
    this.#observedAtUs = this.#options.client.clock.nowUs();
    this.#observed = {
      resourceVersion: object.resourceVersion,
      holder: textAt(object.body, 'spec', 'holderIdentity') ?? '',
      leaseMs: (numberAt(object.body, 'spec', 'leaseDurationSeconds') ?? 15) * 1000,
      transitions: numberAt(object.body, 'spec', 'leaseTransitions') ?? 0,
      object,
    };
  }

  #create(): Promise<KubernetesObject> {
    const { client, namespace, name, identity, leaseMs } = this.#options;
    const now = microTime();
    return client.create(
      resources.leases,
      { namespace },
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace },
        spec: {
          holderIdentity: identity,
          leaseDurationSeconds: Math.ceil(leaseMs / 1000),
          acquireTime: now,
          renewTime: now,
          leaseTransitions: 0,
        },
      },
    );
  }

  #write({ object, resourceVersion, holder, leaseMs, transitions }: Observed): Promise<KubernetesObject> {
    const { client, name, namespace } = this.#options;
    const { body } = object;
    const before = typeof body.spec === 'object' && body.spec !== null ? body.spec : {};
    const now = microTime();
    const isTaken = textAt(body, 'spec', 'holderIdentity') !== holder;
    return client.replace(
      resources.leases,
      { name, namespace },
      {
        ...body,
        metadata: { ...(typeof body.metadata === 'object' ? body.metadata : {}), resourceVersion },
        spec: {
          ...before,
          holderIdentity: holder,
          leaseDurationSeconds: Math.ceil(leaseMs / 1000),
          renewTime: now,
          leaseTransitions: transitions,
          ...(isTaken ? { acquireTime: now } : {}),
        },
      },
    );
  }
}

/** Only for people: nobody compares it with a clock. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
