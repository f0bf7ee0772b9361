/** Answers that are remembered. More than a consumer has fetched and not committed at once. */
const mostRemembered = 10_000;

interface Place {
  readonly partition: number;
  readonly offset: bigint;
  /** Tells a message from one at the same place of a topic that was made anew. */
  readonly timestamp: bigint;
}

/**
 * What this process has answered. When the members of a group change, messages that were fetched already come once more;
 * they are not answered twice by the same process.
 */
export class AnsweredMessages {
  readonly #places = new Set<string>();

  add(place: Place): void {
    this.#places.add(keyOf(place));
    for (const oldest of this.#places) {
      if (this.#places.size <= mostRemembered) break;
      this.#places.delete(oldest);
    }
  }

  has(place: Place): boolean {
    return this.#places.has(keyOf(place));
  }
}

function keyOf({ partition, offset, timestamp }: Place): string {
  return `${partition}/${offset}/${timestamp}`;
}
