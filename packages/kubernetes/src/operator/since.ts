import type { Clock } from '@ebb/core';
import type { Condition } from '@ebb/documents';
import { objectName } from '../client/objects.ts';

/** What a condition says, without since when. */
export type Said = Omit<Condition, 'lastTransitionTime'>;

/** A condition in the place of the one before: it keeps its moment as long as its status is the same. */
export function withTransition(before: Condition | null, said: Said, nowMs: number): Condition {
  const isSame = before?.status === said.status;
  return { ...said, lastTransitionTime: isSame ? before.lastTransitionTime : new Date(nowMs).toISOString() };
}

/** Since when something is said of an object: the same words keep their moment, or a status would differ at every look. */
export class Since {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #said = new Map<string, { words: string; atMs: number }>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  of(object: { kind: string; namespace: string; name: string }, words: string): number {
    const id = `${object.kind} ${objectName(object)}`;
    const known = this.#said.get(id);
    if (known?.words === words) return known.atMs;
    const atMs = this.#clock.nowMs();
    this.#said.set(id, { words, atMs });
    return atMs;
  }

  forget(object: { kind: string; namespace: string; name: string }): void {
    this.#said.delete(`${object.kind} ${objectName(object)}`);
  }
}
