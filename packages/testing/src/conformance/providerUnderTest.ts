import type { NodeEvent, NodeLaunch, NodeObservation, NodePhase, Provider } from '@ebb/core';
import { expect } from 'vitest';

/** Ends a fault. */
export type Undo = () => Promise<void> | void;

/**
 * What a provider can be made to suffer. Each is left out where it cannot be: its tests are then skipped by name. What is done to
 * `id` is done to the machine that was launched under it.
 */
export interface ProviderFaults {
  /** Launches find no machine of the kind, or are more than the account may have. */
  stockOut?(): Promise<Undo> | Undo;
  quota?(): Promise<Undo> | Undo;
  /** Launches and lists are too many. */
  throttled?(): Promise<Undo> | Undo;
  /** Nothing answers. */
  down?(): Promise<Undo> | Undo;
  /** The next launch is accepted, and the answer does not arrive. */
  lostAnswer?(): Promise<void> | void;
  /** Of a launch: its machine never gets ready. */
  neverJoins?(launch: NodeLaunch): NodeLaunch;
  /** Ends outside of Ebb. */
  dies?(id: string): Promise<void> | void;
  /** Is there and does not answer any more. */
  hangs?(id: string): Promise<void> | void;
  /** The cloud says that it will be taken, then takes it. */
  interrupted?(id: string): Promise<void> | void;
  /** The cloud's clock is off by so much. */
  skewed?(skewMs: number): Promise<Undo> | Undo;
  /** A machine with the cluster's mark that nobody launched; resolves to its provider id. */
  foreign?(): Promise<string> | string;
  /** The cloud knows nothing of it any more. */
  vanishes?(id: string): Promise<void> | void;
}

export interface ProviderUnderTest {
  provider: Provider;
  /** Another cluster's provider in the same place. */
  other: Provider;
  /** A launch that succeeds. Each call with an id of its own. */
  launch(id: string, cluster?: string): NodeLaunch;
  /** A launch of a kind of machine that does not exist; null where every name is taken for one. */
  impossible(id: string): NodeLaunch | null;
  /** What somebody sees of labels and marks who looks at the machine without Ebb; null where there is nothing to look at. */
  marksOf(id: string): Promise<Readonly<Record<string, string>> | null>;
  faults: ProviderFaults;
  /** Resolves once the condition holds; rejects after a bounded while. Lets time pass. */
  until(condition: () => boolean, what: string): Promise<void>;
  /** Lets a while pass in which a provider that only asks has asked twice. */
  pass(): Promise<void>;
  close?(): Promise<void>;
}

/** Eyes and hands of the suites: everything a provider told, and calls that let time pass until they are answered. */
export class ProviderWitness {
  readonly #under: ProviderUnderTest;
  readonly events: NodeEvent[] = [];
  readonly #stop: () => void;

  constructor(under: ProviderUnderTest) {
    this.#under = under;
    this.#stop = under.provider.watch((event) => this.events.push(event));
  }

  stop(): void {
    this.#stop();
  }

  /** The call's outcome. */
  async settled<Value>(promise: Promise<Value>, what: string): Promise<PromiseSettledResult<Value>> {
    let outcome: PromiseSettledResult<Value> | undefined;
    void Promise.allSettled([promise]).then(([settled]) => {
      outcome = settled;
    });
    await this.#under.until(() => outcome !== undefined, what);
    if (outcome === undefined) throw new Error(`${what}: no outcome`);
    return outcome;
  }

  async done<Value>(promise: Promise<Value>, what: string): Promise<Value> {
    const outcome = await this.settled(promise, what);
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }

  async refused(promise: Promise<unknown>, codes: readonly string[]): Promise<void> {
    const outcome = await this.settled(promise, 'the refusal');
    expect(outcome.status).toBe('rejected');
    if (outcome.status === 'fulfilled') return;
    expect(outcome.reason).toMatchObject({ name: 'ProviderError' });
    expect(codes).toContain((outcome.reason as { code: string }).code);
    expect((outcome.reason as Error).message).not.toBe('');
  }

  launched(launch: NodeLaunch): Promise<void> {
    return this.done(this.#under.provider.launch(launch), `the launch of ${launch.id}`);
  }

  /** Every word on the machine, also within snapshots. */
  seen(idOrProviderId: string): NodeObservation[] {
    return this.events.flatMap((event) => {
      const nodes = event.type === 'node' ? [event.node] : event.type === 'snapshot' ? event.nodes : [];
      return nodes.filter(({ id, providerId }) => id === idOrProviderId || providerId === idOrProviderId);
    });
  }

  /** Phases in the order in which they were told, each once. */
  phases(idOrProviderId: string): NodePhase[] {
    const all = this.seen(idOrProviderId).map(({ phase }) => phase);
    return all.filter((phase, index) => phase !== all[index - 1]);
  }

  reaches(idOrProviderId: string, phase: NodePhase): Promise<void> {
    return this.#under.until(
      () => this.phases(idOrProviderId).at(-1) === phase,
      `${idOrProviderId} gets ${phase}; it went through ${this.phases(idOrProviderId).join(', ')}`,
    );
  }

  /** Whether the newest full answer, list or snapshot, is without it or has it as gone. */
  async isGone(idOrProviderId: string): Promise<boolean> {
    return (await this.listed(idOrProviderId)).every(({ phase }) => phase === 'gone');
  }

  async listed(idOrProviderId: string): Promise<NodeObservation[]> {
    const nodes = await this.done(this.#under.provider.list(), 'the list');
    return nodes.filter(({ id, providerId }) => id === idOrProviderId || providerId === idOrProviderId);
  }
}

/** `requested`, `booting`, `running` and `ready` in this order, some left out; never back. */
export function isForward(phases: readonly NodePhase[]): boolean {
  const order: readonly NodePhase[] = ['requested', 'booting', 'running', 'ready', 'stopping', 'gone'];
  return phases.every(
    (phase, index) => index === 0 || order.indexOf(phase) > order.indexOf(phases[index - 1] ?? phase),
  );
}
