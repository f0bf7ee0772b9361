import { type NodeEvent, type NodeLaunch, type NodeObservation, type Provider, ProviderError } from '@ebb/core';
import { listAt } from '../cloud/json.ts';
import { Gate } from '../cloud/gate.ts';
import { Watching } from '../cloud/watching.ts';
import type { ProviderPorts, ProviderSettings } from '../contract.ts';
import { claimOf } from './claim.ts';
import type { ApiObject, NodeClaimEvent, NodeClaims } from './nodeClaims.ts';
import { isInitialized, nameOf, observedClaim } from './observedClaim.ts';

/** Ids whose machine has ended, so that a launch that comes late makes no other one; the newest of them. */
const endedKept = 1000;
/** Nothing is asked by the clock: claims are followed. Only what follows them says that there is something new. */
const everyMs = 24 * 3_600_000;

/** Opens Karpenter in the cluster where this program runs. Throws an Error where there is none. */
export async function openKarpenter(settings: ProviderSettings, ports: ProviderPorts): Promise<Provider> {
  const { nodeClaims, book } = ports;
  if (!nodeClaims) {
    throw new Error('Karpenter makes machines of the cluster it runs in: this needs `ebb operator` in that cluster');
  }
  return new Karpenter(settings, ports, nodeClaims, readEnded(await book.load()));
}

/** Machines as NodeClaims: written by server-side apply under the engine's id, followed, and deleted. */
class Karpenter implements Provider {
  readonly name = 'karpenter';
  readonly #settings: ProviderSettings;
  readonly #ports: ProviderPorts;
  readonly #claims: NodeClaims;
  readonly #gate: Gate;
  readonly #watching: Watching;
  readonly #unfollow: () => void;
  /** Null: they were not listed yet, or the API server is away. */
  #known: Map<string, ApiObject> | null = null;
  #away = 'the NodeClaims are not listed yet';
  /** Claims that went, until everybody was told why. */
  #gone: NodeObservation[] = [];
  readonly #ready = new Map<string, number>();
  readonly #asked = new Map<string, number>();
  #ended: readonly string[];
  #saving: Promise<void> = Promise.resolve();
  #first = Promise.withResolvers<void>();
  #closed = false;

  constructor(settings: ProviderSettings, ports: ProviderPorts, claims: NodeClaims, ended: readonly string[]) {
    this.#settings = settings;
    this.#ports = ports;
    this.#claims = claims;
    this.#ended = ended;
    this.#gate = new Gate(settings);
    const { clock } = ports;
    this.#watching = new Watching({ clock, everyMs, list: async () => this.#told() });
    this.#unfollow = claims.follow((event) => this.#heard(event));
  }

  async launch(launch: NodeLaunch): Promise<void> {
    const { pool, settings } = this.#gate.poolOf(launch, {
      cloud: 'Karpenter',
      field: 'spec.karpenter',
      of: ({ karpenter }) => karpenter,
    });
    if (this.#ended.includes(launch.id)) {
      throw new ProviderError('refused', `the machine ${launch.id} has ended`);
    }
    // What is there already is as it was asked for first: a claim cannot be changed.
    if (this.#known?.has(launch.id)) return;
    this.#asked.set(launch.id, this.#ports.clock.nowMs());
    await this.#ask(() => this.#claims.apply(launch.id, claimOf(launch, settings, pool)), launch.offering.instanceType);
  }

  async terminate(node: { id: string } | { providerId: string }): Promise<void> {
    this.#gate.checkOpen();
    const claims = await this.#ask(() => this.#claims.list());
    const claim = claims.find((one) => {
      const seen = this.#observe(one);
      return seen !== null && ('id' in node ? seen.id === node.id : seen.providerId === node.providerId);
    });
    const id = claim ? (this.#observe(claim)?.id ?? null) : 'id' in node ? node.id : null;
    // Before anything is deleted: a launch on its way makes no second machine.
    if (id !== null && (claim || this.#asked.has(id))) await this.#end(id);
    if (!claim) return;
    if (id === null) this.#gate.ended(nameOf(claim));
    await this.#ask(() => this.#claims.delete(nameOf(claim)));
  }

  async list(): Promise<NodeObservation[]> {
    this.#gate.checkOpen();
    const claims = await this.#ask(() => this.#claims.list());
    return claims.flatMap((claim) => this.#observe(claim) ?? []);
  }

  watch(listener: (event: NodeEvent) => void): () => void {
    let unwatch: (() => void) | null = null;
    let isStopped = false;
    // The first word is a snapshot of what there is, not of a list that has not come.
    void this.#first.promise.then(() => {
      if (!isStopped && !this.#closed) unwatch = this.#watching.watch(listener);
    });
    return () => {
      isStopped = true;
      unwatch?.();
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#gate.close();
    this.#unfollow();
    this.#watching.close();
    await this.#saving;
  }

  #heard(event: NodeClaimEvent): void {
    if (this.#closed) return;
    const { clock } = this.#ports;
    if (event.type === 'disconnected') {
      this.#known = null;
      this.#away = event.message;
    } else if (event.type === 'snapshot') {
      this.#known = new Map(event.claims.map((claim) => [nameOf(claim), claim]));
      this.#first.resolve();
    } else if (this.#known) {
      const name = nameOf(event.claim);
      if (event.type === 'put') this.#known.set(name, event.claim);
      else {
        this.#known.delete(name);
        const seen = this.#observe(event.claim, true);
        if (seen) this.#gone.push(seen);
        if (seen?.id) {
          this.#asked.delete(seen.id);
          this.#ready.delete(name);
          void this.#end(seen.id).catch((error: Error) => this.#ports.log(error.message));
        }
      }
    }
    for (const [name, claim] of this.#known ?? []) {
      if (!this.#ready.has(name) && isInitialized(claim)) this.#ready.set(name, clock.nowMs());
    }
    this.#watching.ask();
  }

  /** What listeners are told. A machine that has gone is told as gone once. */
  #told(): NodeObservation[] {
    if (this.#known === null) throw new ProviderError('unavailable', this.#away);
    const gone = this.#gone.filter(({ id }) => id === null || !this.#known?.has(id));
    this.#gone = [];
    return [...[...this.#known.values()].flatMap((claim) => this.#observe(claim) ?? []), ...gone];
  }

  #observe(claim: ApiObject, isGone = false): NodeObservation | null {
    const { cluster, region } = this.#settings;
    const name = nameOf(claim);
    return observedClaim(claim, {
      cluster,
      region,
      isGone,
      isEnded: this.#ended.includes(name),
      readyAtMs: this.#ready.get(name) ?? null,
      askedAtMs: this.#asked.get(name) ?? null,
    });
  }

  /** Notes that the id is over, in the book first. */
  async #end(id: string): Promise<void> {
    if (this.#ended.includes(id)) return this.#saving;
    const before = this.#ended;
    this.#ended = [...before, id].slice(-endedKept);
    const saving = this.#saving.then(() => this.#ports.book.save({ version: 1, ended: this.#ended }));
    this.#saving = saving.catch(() => {});
    try {
      await saving;
    } catch (error) {
      this.#ended = this.#ended.filter((one) => one !== id);
      const { code, message } = error as { code?: unknown; message?: unknown };
      const why = `the book cannot be written: ${String(message)}`;
      throw new ProviderError(code === 'stale-epoch' ? 'stale-epoch' : 'unavailable', why, { cause: error });
    }
  }

  async #ask<Answer>(question: () => Promise<Answer>, what?: string): Promise<Answer> {
    this.#gate.checkOpen();
    try {
      return await question();
    } catch (error) {
      throw providerError(error, what);
    }
  }
}

function providerError(error: unknown, what = 'it'): ProviderError {
  if (error instanceof ProviderError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const { code, status, retryAfterMs } = error as { code?: unknown; status?: unknown; retryAfterMs?: unknown };
  const options = { cause: error, ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}) };
  if (code === 'stale-epoch') return new ProviderError('stale-epoch', message, options);
  if (status === 429) return new ProviderError('throttled', message, options);
  if (status === 404) {
    return new ProviderError('refused', 'the cluster has no NodeClaims: Karpenter is not installed', options);
  }
  if (typeof status === 'number' && status >= 400 && status < 500 && status !== 409) {
    return new ProviderError('refused', `the API server refuses a NodeClaim for ${what}: ${message}`, options);
  }
  return new ProviderError('unavailable', message, options);
}

function readEnded(book: unknown): readonly string[] {
  return listAt(book, 'ended').filter((id): id is string => typeof id === 'string');
}
