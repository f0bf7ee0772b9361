import type { Clock, Driver, Store } from '@ebb/core';
import type { VirtualClock } from './virtualClock.ts';

/**
 * Ports as a process holds them: once it is killed its timers never ring, no event reaches it, and nothing that it
 * still asks for is done or answered.
 */
export class ProcessLife {
  #alive = true;

  kill(): void {
    this.#alive = false;
  }

  clock(clock: VirtualClock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      nowUs: () => clock.nowUs(),
      at: (atMs, callback) => clock.at(atMs, () => this.#whileAlive(callback)),
    };
  }

  driver(driver: Driver): Driver {
    return {
      ensure: (start) => this.#ask(() => driver.ensure(start)),
      ...(driver.run && { run: (start) => this.#ask(async () => driver.run?.(start)) }),
      ...(driver.runTemplate && { runTemplate: (start) => this.#ask(async () => driver.runTemplate?.(start)) }),
      stop: (id) => this.#ask(() => driver.stop(id)),
      list: () => this.#ask(() => driver.list()),
      ...(driver.listRuns && { listRuns: () => this.#ask(async () => (await driver.listRuns?.()) ?? []) }),
      watch: (listener) => driver.watch((event) => this.#whileAlive(() => listener(event))),
      logs: (query) => driver.logs(query),
      close: () => this.#ask(() => driver.close()),
    };
  }

  store({ documents, journal, ledger, state, takeEpoch, close }: Store): Store {
    return {
      documents: {
        put: (input) => this.#ask(() => documents.put(input)),
        get: (kind, key) => this.#ask(() => documents.get(kind, key)),
        list: (kind) => this.#ask(() => documents.list(kind)),
        delete: (kind, key, options) => this.#ask(() => documents.delete(kind, key, options)),
      },
      journal: {
        append: (records) => this.#ask(() => journal.append(records)),
        read: (range) => this.#ask(() => journal.read(range)),
        head: () => this.#ask(() => journal.head()),
        trim: (limits) => this.#ask(() => journal.trim(limits)),
      },
      ledger: {
        write: (rows) => this.#ask(() => ledger.write(rows)),
        read: (range) => this.#ask(() => ledger.read(range)),
        writeNodes: (rows) => this.#ask(() => ledger.writeNodes(rows)),
        readNodes: (range) => this.#ask(() => ledger.readNodes(range)),
      },
      state: {
        save: (name, value, epoch) => this.#ask(() => state.save(name, value, epoch)),
        load: (name) => this.#ask(() => state.load(name)),
        names: (prefix) => this.#ask(() => state.names(prefix)),
        drop: (name) => this.#ask(() => state.drop(name)),
      },
      takeEpoch: () => this.#ask(takeEpoch),
      close: () => this.#ask(close),
    };
  }

  #whileAlive(action: () => void): void {
    if (this.#alive) action();
  }

  /** What it does besides. */
  ask<Value>(action: () => Promise<Value>): Promise<Value> {
    return this.#ask(action).then((value) => (this.#alive ? value : new Promise<never>(() => {})));
  }

  #ask<Value>(action: () => Promise<Value>): Promise<Value> {
    if (!this.#alive) return new Promise(() => {});
    return action();
  }
}
