import type { StateStore } from '@ebb/core';
import { keyText } from '@ebb/documents';
import type { Job } from './job.ts';

const prefix = 'engine/job/';

/** Keeps Jobs over restarts: each is stored before its process is asked for, and again when it has ended. */
export class JobBook {
  readonly #store: StateStore;
  readonly #epoch: number;

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
      if (stored !== null) jobs.push(stored as Job);
    }
    return jobs;
  }

  async save(job: Job): Promise<void> {
    await this.#store.save(nameOf(job), { ...job }, this.#epoch);
  }

  async drop(job: Job): Promise<void> {
    await this.#store.drop(nameOf(job));
  }
}

function nameOf({ owner, id }: Job): string {
  return `${prefix}${keyText(owner)}/${id}`;
}
