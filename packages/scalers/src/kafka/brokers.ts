import { SourceError } from '../contract/errors.ts';
import { addressText, Broker, type BrokerAddress, type BrokerOptions } from './broker.ts';

/** A bootstrap server that is silent delays the others by no more than this. */
const nextServerAfterMs = 300;

/** Connections to the brokers of one cluster for one account: one each, opened when needed and again when it broke. */
export class Brokers {
  readonly #bootstrap: readonly BrokerAddress[];
  readonly #options: BrokerOptions;
  readonly #shared = new Map<string, Promise<Broker>>();
  readonly #live = new Map<string, Broker>();
  readonly #ends = new Set<() => void>();
  #isClosed = false;

  constructor(bootstrap: readonly BrokerAddress[], options: BrokerOptions) {
    this.#bootstrap = bootstrap;
    this.#options = options;
  }

  /** What is shown of the cluster. */
  get where(): string {
    return this.#bootstrap.map(addressText).join(',');
  }

  /** The connection that all questions to this broker share. */
  get(address: BrokerAddress): Promise<Broker> {
    const key = addressText(address);
    const known = this.#live.get(key);
    if (known && !known.isOpen) this.#forget(key);
    const shared = this.#shared.get(key);
    if (shared) return shared;
    const opening = this.#open(address, {}, () => {
      if (this.#shared.get(key) === opening) this.#forget(key);
    });
    this.#shared.set(key, opening);
    opening.then(
      (broker) => this.#shared.get(key) === opening && this.#live.set(key, broker),
      () => this.#shared.get(key) === opening && this.#forget(key),
    );
    return opening;
  }

  /** A connection of its own, for a question whose answer may take long: brokers answer one after the other. */
  dedicated(address: BrokerAddress, answerWithinMs: number): Promise<Broker> {
    return this.#open(address, { answerWithinMs }, () => {});
  }

  /** Any broker: one that is connected already, else the first bootstrap server that answers. */
  async any(): Promise<Broker> {
    for (const broker of this.#live.values()) if (broker.isOpen) return broker;
    const failures: unknown[] = [];
    return new Promise<Broker>((resolve, reject) => {
      const timers: NodeJS.Timeout[] = [];
      let next = 0;
      const tryNext = () => {
        const address = this.#bootstrap[next++];
        if (!address) return;
        const timer = setTimeout(tryNext, nextServerAfterMs);
        timers.push(timer);
        this.get(address).then(
          (broker) => {
            for (const one of timers) clearTimeout(one);
            resolve(broker);
          },
          (error: unknown) => {
            failures.push(error);
            clearTimeout(timer);
            if (failures.length === this.#bootstrap.length) reject(mostTelling(failures));
            else tryNext();
          },
        );
      };
      tryNext();
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends) end();
    this.#shared.clear();
    this.#live.clear();
  }

  #forget(key: string): void {
    this.#shared.delete(key);
    this.#live.delete(key);
  }

  #open(address: BrokerAddress, changes: { answerWithinMs?: number }, onEnd: () => void): Promise<Broker> {
    return Broker.open(address, { ...this.#options, ...changes }, (end) => {
      this.#ends.add(end);
      // Loading the client takes a while.
      if (this.#isClosed) throw new SourceError('unreachable', `${addressText(address)}: closed`);
      return () => {
        this.#ends.delete(end);
        onEnd();
      };
    });
  }
}

/** A refused sign-in says more than a server that is down. */
function mostTelling(failures: readonly unknown[]): unknown {
  return failures.find((error) => error instanceof SourceError && error.code === 'unauthorized') ?? failures[0];
}
