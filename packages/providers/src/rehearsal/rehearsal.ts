import { type NodeEvent, type NodeLaunch, type NodeObservation, type Provider, ProviderError } from '@ebb/core';
import { Watching } from '../cloud/watching.ts';
import type { ProviderPorts, ProviderSettings } from '../contract.ts';
import { type BookedMachine, bookMachine, goneAtMs, nextChangeMs, observed, readBook, writeBook } from './book.ts';
import { takenAfterMs } from './interruptions.ts';

/** How long an ended machine is still told of, so that listeners hear why. */
const tellEndedMs = 60_000;

/** Opens a rehearsal with the machines of its book. Throws an Error when the book cannot be read. */
export async function openRehearsal(settings: ProviderSettings, ports: ProviderPorts): Promise<Provider> {
  return new Rehearsal(settings, ports, readBook(await ports.book.load()));
}

/**
 * Machines that exist only in a book: they take their time to start, cost what the catalogue says, and replicas that are placed on
 * them run on the machine of Ebb.
 */
class Rehearsal implements Provider {
  readonly name = 'rehearsal';
  readonly #settings: ProviderSettings;
  readonly #ports: ProviderPorts;
  readonly #watching: Watching;
  #machines: BookedMachine[];
  /** Changes of the book come one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #cancel = () => {};
  #closed = false;

  constructor(settings: ProviderSettings, ports: ProviderPorts, machines: BookedMachine[]) {
    this.#settings = settings;
    this.#ports = ports;
    this.#machines = machines;
    this.#watching = new Watching({
      clock: ports.clock,
      everyMs: 3_600_000,
      list: async () => this.#observed(tellEndedMs),
    });
    this.#wakeAtNextChange();
  }

  async launch(launch: NodeLaunch): Promise<void> {
    const { cluster, spotInterruptions } = this.#settings;
    if (launch.cluster !== cluster)
      throw new ProviderError('refused', `this is the provider of cluster "${cluster}", not of "${launch.cluster}"`);
    await this.#change((machines, nowMs) => {
      if (machines.some(({ id }) => id === launch.id)) return machines;
      const takenMs = takenAfterMs(launch, spotInterruptions ?? null);
      return [...machines, bookMachine(launch, nowMs, takenMs)];
    });
  }

  async terminate(node: { id: string } | { providerId: string }): Promise<void> {
    const isMeant = (machine: BookedMachine) =>
      'id' in node ? machine.id === node.id : machine.providerId === node.providerId;
    await this.#change((machines, nowMs) =>
      machines.map((machine) =>
        isMeant(machine) && machine.toldAtMs === null && goneAtMs(machine) > nowMs
          ? { ...machine, toldAtMs: nowMs }
          : machine,
      ),
    );
  }

  async list(): Promise<NodeObservation[]> {
    this.#throwIfClosed();
    return this.#observed(0);
  }

  watch(listener: (event: NodeEvent) => void): () => void {
    return this.#watching.watch(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    this.#watching.close();
    await this.#last;
  }

  /** Nothing has happened unless it is in the book. */
  #change(step: (machines: BookedMachine[], nowMs: number) => BookedMachine[]): Promise<void> {
    const change = this.#last.then(async () => {
      this.#throwIfClosed();
      const nowMs = this.#ports.clock.nowMs();
      const machines = step(this.#machines, nowMs);
      try {
        await this.#ports.book.save(writeBook(machines, nowMs));
      } catch (error) {
        // The answer may be what was lost: what stands in the book has happened.
        this.#machines = await this.#ports.book.load().then(readBook, () => this.#machines);
        this.#wakeAtNextChange();
        this.#watching.ask();
        throw bookError(error);
      }
      this.#machines = machines;
      this.#wakeAtNextChange();
      this.#watching.ask();
    });
    this.#last = change.catch(() => {});
    return change;
  }

  #observed(endedWithinMs: number): NodeObservation[] {
    const nowMs = this.#ports.clock.nowMs();
    return this.#machines
      .filter((machine) => goneAtMs(machine) > nowMs - endedWithinMs)
      .map((machine) => observed(machine, this.#settings.cluster, nowMs));
  }

  #wakeAtNextChange(): void {
    this.#cancel();
    const { clock } = this.#ports;
    const nowMs = clock.nowMs();
    const atMs = this.#machines.reduce(
      (soonest, machine) => Math.min(soonest, nextChangeMs(machine, nowMs)),
      Number.POSITIVE_INFINITY,
    );
    if (this.#closed || atMs === Number.POSITIVE_INFINITY) return;
    this.#cancel = clock.at(atMs, () => {
      this.#watching.ask();
      this.#wakeAtNextChange();
    });
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new ProviderError('unavailable', 'the rehearsal is closed');
  }
}

function bookError(error: unknown): ProviderError {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const isStale = code === 'stale-epoch';
  return new ProviderError(isStale ? 'stale-epoch' : 'unavailable', `the book cannot be written: ${String(message)}`, {
    cause: error,
  });
}
