import type { CompareOptions } from './options.ts';

/** Counts what is done of a comparison. */
export class ProgressCount {
  readonly #listener: CompareOptions['onProgress'];
  #total: number;
  #done = 0;
  #last: string | null = null;
  readonly #open = new Set<{ share: number }>();

  constructor({ traces, policies, seeds, onProgress }: CompareOptions) {
    this.#listener = onProgress;
    this.#total = traces.length * seeds.length * (policies.length + 1);
  }

  begin(): { at: (share: number) => void; end: (name: string) => void } {
    const one = { share: 0 };
    this.#open.add(one);
    return {
      at: (share) => {
        one.share = share;
        this.#tell();
      },
      end: (name) => {
        if (!this.#open.delete(one)) return;
        this.#done++;
        this.#last = name;
        this.#tell();
      },
    };
  }

  /** One less to do. */
  skip(): void {
    this.#total--;
    this.#tell();
  }

  #tell(): void {
    let under = 0;
    for (const { share } of this.#open) under += share;
    const share = Math.min(1, (this.#done + under) / Math.max(1, this.#total));
    this.#listener?.({ done: this.#done, total: this.#total, share, last: this.#last });
  }
}
