import { type NodeEvent, type NodeLaunch, type NodeObservation, type Provider, ProviderError } from '@ebb/core';
import type { MachineSpec } from '@ebb/documents';
import { Watching } from '../cloud/watching.ts';
import type { ProviderPorts, ProviderSettings } from '../contract.ts';
import { type Assignment, readBook, type StaticBook, writeBook } from './book.ts';
import { type Hands, realHands } from './hands.ts';
import { HealthRounds } from './healthRounds.ts';
import { observedMachine } from './observedMachine.ts';
import { pickMachine } from './pickMachine.ts';

/** A machine that could not be put to sleep is told again after this. */
const sleepAgainMs = 30_000;

/** Opens the machines of one's own that pools list. Throws an Error when the book cannot be read. */
export async function openStatic(
  settings: ProviderSettings,
  ports: ProviderPorts,
  hands: Hands = realHands(),
): Promise<Provider> {
  return new OwnMachines(settings, ports, hands, readBook(await ports.book.load()));
}

/** Gives out machines that are there: a launch wakes a free one, an end puts it to sleep. Which is whose stands in the book. */
class OwnMachines implements Provider {
  readonly name = 'static';
  readonly #settings: ProviderSettings;
  readonly #ports: ProviderPorts;
  readonly #hands: Hands;
  readonly #watching: Watching;
  readonly #health: HealthRounds;
  /** Under way, by id. */
  readonly #waking = new Map<string, Promise<void>>();
  readonly #sleeping = new Set<string>();
  readonly #sleepProblems = new Map<string, string>();
  readonly #timers = new Set<() => void>();
  #book: StaticBook;
  /** Changes of the book come one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(settings: ProviderSettings, ports: ProviderPorts, hands: Hands, book: StaticBook) {
    this.#settings = settings;
    this.#ports = ports;
    this.#hands = hands;
    this.#book = book;
    const list = async () => this.#observed();
    this.#watching = new Watching({ clock: ports.clock, everyMs: 60_000, list });
    this.#health = new HealthRounds({
      clock: ports.clock,
      hands,
      assignments: () => this.#book.assignments,
      machine: (name) => this.#machine(name),
      onReady: (id) => this.#assign(id, (old) => ({ ...old, readyAtMs: old.readyAtMs ?? ports.clock.nowMs() })),
      onChange: () => this.#watching.ask(),
    });
    // What the last process did not come to the end of.
    for (const { id, stage } of book.assignments) {
      if (stage === 'waking') this.#wake(id).catch((error: Error) => ports.log(error.message));
      if (stage === 'sleeping') void this.#sleep(id);
    }
    this.#health.start();
  }

  async launch(launch: NodeLaunch): Promise<void> {
    this.#throwIfClosed();
    const { cluster } = this.#settings;
    if (launch.cluster !== cluster)
      throw new ProviderError('refused', `this is the provider of cluster "${cluster}", not of "${launch.cluster}"`);
    const { id, pool, startStages } = launch;
    await this.#change((book, nowMs) => {
      if (book.assignments.some((one) => one.id === id) || book.ended.some((one) => one.id === id)) return book;
      const taken = new Set(book.assignments.map(({ machine }) => machine));
      const { name } = pickMachine(this.#settings.pools(), launch, taken);
      const times = { askedAtMs: nowMs, wokenAtMs: null, readyAtMs: null, expectedMs: startStages.totalMs };
      const region = launch.offering.region;
      const added: Assignment = { machine: name, id, pool, region, stage: 'waking', ...times };
      return { ...book, assignments: [...book.assignments, added] };
    });
    await this.#wake(id);
  }

  async terminate(node: { id: string } | { providerId: string }): Promise<void> {
    this.#throwIfClosed();
    const isMeant = ({ id, machine }: Assignment) => ('id' in node ? id === node.id : machine === node.providerId);
    const found = this.#book.assignments.find(isMeant);
    if (!found) return;
    await this.#assign(found.id, (old) => ({ ...old, stage: 'sleeping' }));
    void this.#sleep(found.id);
  }

  async list(): Promise<NodeObservation[]> {
    this.#throwIfClosed();
    return this.#observed();
  }

  watch(listener: (event: NodeEvent) => void): () => void {
    return this.#watching.watch(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#health.stop();
    this.#watching.close();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#hands.close();
    await Promise.allSettled(this.#waking.values());
    await this.#last;
  }

  #wake(id: string): Promise<void> {
    const under = this.#waking.get(id);
    if (under) return under;
    const waking = this.#wakeOnce(id).finally(() => this.#waking.delete(id));
    this.#waking.set(id, waking);
    return waking;
  }

  async #wakeOnce(id: string): Promise<void> {
    const assignment = this.#assignment(id);
    if (assignment?.stage !== 'waking') return;
    const machine = this.#machine(assignment.machine);
    const problem = await this.#command(machine?.wake ?? null, machine, id);
    this.#throwIfClosed();
    if (problem === null) {
      const wokenAtMs = this.#ports.clock.nowMs();
      await this.#assign(id, (old) => (old.stage === 'waking' ? { ...old, stage: 'awake', wokenAtMs } : old));
      this.#health.soon();
      return;
    }
    // The id is not over: asked for again, it may get another machine.
    await this.#change((book) => ({ ...book, assignments: book.assignments.filter((one) => one.id !== id) }));
    throw new ProviderError('stock-out', `machine "${assignment.machine}" was not woken: ${problem}`);
  }

  async #sleep(id: string): Promise<void> {
    if (this.#sleeping.has(id)) return;
    this.#sleeping.add(id);
    await this.#waking.get(id)?.catch(() => {});
    const assignment = this.#assignment(id);
    const machine = assignment ? this.#machine(assignment.machine) : null;
    const problem = assignment && !this.#closed ? await this.#command(machine?.sleep ?? null, machine, id) : null;
    this.#sleeping.delete(id);
    if (this.#closed || !assignment) return;
    if (problem === null) return this.#release(assignment, machine);
    this.#ports.log(`machine "${assignment.machine}" was not put to sleep: ${problem}`);
    this.#sleepProblems.set(id, problem);
    this.#watching.ask();
    this.#after(sleepAgainMs, () => void this.#sleep(id));
  }

  async #release({ id, machine: name }: Assignment, machine: MachineSpec | null): Promise<void> {
    this.#sleepProblems.delete(id);
    if (machine?.sleep === null)
      this.#ports.log(`machine "${name}" has no command that puts it to sleep: it stays on, and what it costs goes on`);
    try {
      await this.#change((book, nowMs) => ({
        assignments: book.assignments.filter((one) => one.id !== id),
        ended: [...book.ended, { id, atMs: nowMs }],
      }));
    } catch (error) {
      this.#ports.log(`machine "${name}": ${(error as Error).message}`);
      this.#after(sleepAgainMs, () => void this.#sleep(id));
    }
  }

  /** One that has no such command, or is in no pool any more, needs none. */
  #command(command: readonly string[] | null, machine: MachineSpec | null, id: string): Promise<string | null> {
    if (command === null || machine === null) return Promise.resolve(null);
    return this.#hands.run(command, { EBB_MACHINE: machine.name, EBB_NODE: id }, machine.commandTimeoutMs);
  }

  #assign(id: string, step: (old: Assignment) => Assignment): Promise<void> {
    return this.#change((book) => ({
      ...book,
      assignments: book.assignments.map((one) => (one.id === id ? step(one) : one)),
    }));
  }

  /** Nothing has happened unless it is in the book. */
  #change(step: (book: StaticBook, nowMs: number) => StaticBook): Promise<void> {
    const change = this.#last.then(async () => {
      const nowMs = this.#ports.clock.nowMs();
      const book = step(this.#book, nowMs);
      if (book === this.#book) return;
      try {
        await this.#ports.book.save(writeBook(book, nowMs));
      } catch (error) {
        // The answer may be what was lost: what stands in the book has happened.
        this.#book = await this.#ports.book.load().then(readBook, () => this.#book);
        const { code, message } = error as { code?: unknown; message?: unknown };
        const why = `the book cannot be written: ${String(message)}`;
        throw new ProviderError(code === 'stale-epoch' ? 'stale-epoch' : 'unavailable', why, { cause: error });
      }
      this.#book = book;
      this.#watching.ask();
    });
    this.#last = change.catch(() => {});
    return change;
  }

  #observed(): NodeObservation[] {
    return this.#book.assignments.flatMap((assignment) => {
      const machine = this.#machine(assignment.machine);
      // Whoever takes a machine out of its pool takes it out of Ebb's hands.
      if (machine === null) return [];
      const problem = this.#sleepProblems.get(assignment.id) ?? null;
      const health = this.#health.of(assignment.id);
      return [observedMachine(assignment, machine, this.#settings, health, problem)];
    });
  }

  #assignment(id: string): Assignment | undefined {
    return this.#book.assignments.find((one) => one.id === id);
  }

  #machine(name: string): MachineSpec | null {
    for (const pool of this.#settings.pools()) {
      const found = pool.machines.find((machine) => machine.name === name);
      if (found) return found;
    }
    return null;
  }

  #after(delayMs: number, action: () => void): void {
    const { clock } = this.#ports;
    const cancel = clock.at(clock.nowMs() + delayMs, () => {
      this.#timers.delete(cancel);
      if (!this.#closed) action();
    });
    this.#timers.add(cancel);
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new ProviderError('unavailable', 'the provider is closed');
  }
}
