import type { StateStore } from '@ebb/core';
import { keyText } from '@ebb/documents';
import type { Job } from './job.ts';

const prefix = 'engine/job/';

/** Keeps Jobs over restarts: each is stored before its process is asked for, and again when it has ended. */
export class JobBook {
  readonly #store: StateStore;
  readonly #epoch: number;
  readonly #names = new Set<string>();

  constructor(store: StateStore, epoch: number) {
    this.#store = store;
    this.#epoch = epoch;
  }

  /** Every Job that is stored. */
  async load(): Promise<Job[]> {
    const jobs: Job[] = [];
    for (const name of await this.#store.names(prefix)) {
      const stored = await this.#store.load(name);
      // Written by `save` alone.
      if (stored !== null) this.#names.add(name);
      if (stored !== null) jobs.push(stored as Job);
    }
    return jobs;
  }

  async save(job: Job): Promise<void> {
    this.#names.add(nameOf(job));
    await this.#store.save(nameOf(job), { ...job }, this.#epoch);
  }

  /** Nothing is asked of the store for one that was never saved. */
  async drop(job: Job): Promise<void> {
    if (!this.#names.delete(nameOf(job))) return;
    await this.#store.drop(nameOf(job));
  }
}

function nameOf({ owner, id }: Job): string {
  return `${prefix}${keyText(owner)}/${id}`;
}
