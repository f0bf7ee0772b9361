import type { ProviderBook } from '../contract.ts';

/** A book as a store keeps it: what is saved goes through JSON. */
export class MemoryBook implements ProviderBook {
  #text = 'null';
  /** Set: the next save fails with it, after or before it was written. */
  failure: { error: Error; isWritten: boolean } | null = null;

  async load(): Promise<unknown> {
    return JSON.parse(this.#text);
  }

  async save(value: unknown): Promise<void> {
    const { failure } = this;
    this.failure = null;
    if (failure === null || failure.isWritten) this.#text = JSON.stringify(value);
    if (failure) throw failure.error;
  }
}
