interface Ended {
  /** Questions that had been asked of the sources by then. */
  readonly asked: number;
  readonly wasPending: boolean;
}

/**
 * Jobs that have ended since the sources were asked what they have last said. Their work may still be counted in that answer, so
 * they count as they did when it was asked for: a Job that has just done its work would else be made once more for it.
 */
export class EndedUnread {
  readonly #ended = new Map<string, Ended>();

  /** A Job has ended, or was deleted, after so many questions. Who says so has the sources asked again. */
  ended(job: string, asked: number, wasPending: boolean): void {
    this.#ended.set(job, { asked, wasPending });
  }

  /** What is to be added to the counts of the Jobs that have not ended, by the latest question that was answered. */
  counts(answered: number): { running: number; pending: number } {
    let pending = 0;
    for (const [job, { asked, wasPending }] of this.#ended) {
      if (answered > asked) this.#ended.delete(job);
      else if (wasPending) pending++;
    }
    return { running: this.#ended.size, pending };
  }

  /** What the sources say next they are asked after all of these. */
  clear(): void {
    this.#ended.clear();
  }
}
