import type { Clock } from '@ebb/core';
import { objectAt, textAt } from '../cloud/json.ts';
import type { ApiObject, NodeClaimEvent, NodeClaims } from './nodeClaims.ts';

const stages = [
  { type: 'Launched', afterMs: 2000 },
  { type: 'Registered', afterMs: 30_000 },
  { type: 'Initialized', afterMs: 40_000 },
] as const;
const endMs = 5000;

/** What an API server refuses; `status` null: it was not reached. */
export class Refusal extends Error {
  readonly status: number | null;
  readonly retryAfterMs: number | null;

  constructor(status: number | null, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** NodeClaims of an API server with Karpenter's controller beside it, in this process. */
export class FakeKarpenter implements NodeClaims {
  readonly #clock: Clock;
  readonly claims = new Map<string, Record<string, unknown>>();
  readonly #listeners = new Set<(event: NodeClaimEvent) => void>();
  /** What calls are refused with; null: they are answered. */
  refusal: Refusal | null = null;
  isAnswerLost = false;
  /** Ids whose node never registers. */
  readonly never = new Set<string>();
  /** Machines of this kind cannot be had: their claims are deleted, as Karpenter does it. */
  soldOut: string | null = null;
  /** Every write, in order. */
  readonly applied: { name: string; body: ApiObject }[] = [];
  skewMs = 0;
  #serial = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async apply(name: string, body: ApiObject): Promise<void> {
    this.#check();
    this.applied.push({ name, body });
    if (!this.claims.has(name)) this.#create(name, body);
    if (!this.isAnswerLost) return;
    this.isAnswerLost = false;
    throw new Refusal(null, 'the connection was cut');
  }

  async delete(name: string): Promise<void> {
    this.#check();
    this.end(name);
  }

  async list(): Promise<readonly ApiObject[]> {
    this.#check();
    return structuredClone([...this.claims.values()]);
  }

  follow(listener: (event: NodeClaimEvent) => void): () => void {
    this.#listeners.add(listener);
    queueMicrotask(() => listener(this.#snapshot()));
    return () => this.#listeners.delete(listener);
  }

  /** The API server is away. */
  cut(): void {
    this.refusal = new Refusal(null, 'connect ECONNREFUSED');
    this.#tell({ type: 'disconnected', message: 'connect ECONNREFUSED' });
  }

  mend(): void {
    this.refusal = null;
    this.#tell(this.#snapshot());
  }

  /** Begins to end a claim, whoever asks for it. */
  end(name: string): void {
    const claim = this.claims.get(name);
    if (!claim || textAt(claim, 'metadata', 'deletionTimestamp') !== null) return;
    this.#change(name, (old) => ({
      ...old,
      metadata: { ...objectAt(old, 'metadata'), deletionTimestamp: this.#now() },
    }));
    this.#after(endMs, () => this.vanish(name));
  }

  vanish(name: string): void {
    const claim = this.claims.get(name);
    if (claim && this.claims.delete(name)) this.#tell({ type: 'delete', claim });
  }

  /** A claim that somebody else wrote, with these labels. */
  addForeign(labels: Record<string, string>): string {
    const name = `by-hand-${++this.#serial}`;
    this.#create(name, { metadata: { name, labels } });
    return `fake:///${name}`;
  }

  #create(name: string, body: ApiObject): void {
    const metadata = { ...objectAt(body, 'metadata'), uid: `uid-${++this.#serial}`, creationTimestamp: this.#now() };
    this.claims.set(name, { ...body, metadata, status: { conditions: [] } });
    this.#change(name, (old) => old);
    const type = JSON.stringify(objectAt(body, 'spec').requirements ?? []);
    if (this.soldOut !== null && type.includes(`"${this.soldOut}"`)) {
      this.#after(1000, () => this.end(name));
      return;
    }
    for (const stage of stages) {
      if (this.never.has(name) && stage.type !== 'Launched') continue;
      this.#after(stage.afterMs, () => this.#reach(name, stage.type));
    }
  }

  #reach(name: string, type: string): void {
    if (textAt(this.claims.get(name), 'metadata', 'deletionTimestamp') !== null) return;
    this.#change(name, (old) => {
      const { conditions } = objectAt(old, 'status') as { conditions?: unknown[] };
      return {
        ...old,
        status: {
          providerID: `fake:///${name}`,
          conditions: [...(conditions ?? []), { type, status: 'True', reason: type }],
        },
      };
    });
  }

  #change(name: string, step: (old: Record<string, unknown>) => Record<string, unknown>): void {
    const claim = this.claims.get(name);
    if (!claim) return;
    const changed = step(claim);
    this.claims.set(name, changed);
    this.#tell({ type: 'put', claim: structuredClone(changed) });
  }

  #snapshot(): NodeClaimEvent {
    return { type: 'snapshot', claims: structuredClone([...this.claims.values()]) };
  }

  #tell(event: NodeClaimEvent): void {
    if (this.refusal?.status === null && event.type !== 'disconnected') return;
    for (const listener of this.#listeners) listener(event);
  }

  #check(): void {
    if (this.refusal) throw this.refusal;
  }

  #now(): string {
    return new Date(this.#clock.nowMs() + this.skewMs).toISOString();
  }

  #after(delayMs: number, action: () => void): void {
    this.#clock.at(this.#clock.nowMs() + delayMs, action);
  }
}
