interface Seen {
  committed: number;
  isStuck: boolean;
}

/**
 * Which partitions a group does not get on with: those whose committed offset stood still from one poll to the next. A
 * reading between two polls (a push) looks at what the last poll found, so that being read more often makes no partition
 * stuck sooner.
 */
export class PersistentLag {
  readonly #seen = new Map<string, Seen>();

  /** Whether the partition is stuck. A poll is remembered, a reading in between is not. */
  isStuck(topic: string, partition: number, committed: number, isPoll: boolean): boolean {
    const key = `${topic}/${partition}`;
    const before = this.#seen.get(key);
    const hasStood = before?.committed === committed;
    if (!isPoll) return hasStood && before.isStuck;
    this.#seen.set(key, { committed, isStuck: hasStood });
    return hasStood;
  }
}
