import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/**
 * The highest epoch of a control plane that was ever heard, also by earlier agents of the same data directory: what
 * an older one says is not done, so that a leader that was replaced cannot end what the new one runs.
 */
export class EpochGuard {
  readonly #path: string;
  #highest: number;

  constructor(path: string) {
    this.#path = path;
    this.#highest = readEpoch(path);
  }

  get highest(): number {
    return this.#highest;
  }

  /** False for an epoch that is older than one heard before. */
  accepts(epoch: number): boolean {
    if (epoch < this.#highest) return false;
    if (epoch > this.#highest) {
      this.#highest = epoch;
      writeFileSync(`${this.#path}.new`, `${epoch}\n`, { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    }
    return true;
  }
}

function readEpoch(path: string): number {
  try {
    const epoch = Number(readFileSync(path, 'utf8').trim());
    return Number.isSafeInteger(epoch) ? epoch : 0;
  } catch {
    return 0;
  }
}
