import type { ColdStart, LearnedColdStart } from '@ebb/documents';
import type { Replica } from './replicaSet.ts';
import type { WorkloadState } from './workloadState.ts';

/** What a start counts for once a newer one is known. */
const kept = 0.8;
/** One start is taken for at most this many times what was learned, or this much more: one that stuck says little of the next. */
const mostTimes = 4;
const mostMoreUs = 1_000_000;

/**
 * Learns from one more start that came to its end: for each stage the mean of the starts so far, each counting 0.8 of
 * the one after it. A stage that the driver did not measure stays as it was; `arrivalToAsk` is no part of a start.
 */
export function learnColdStart(known: LearnedColdStart | undefined, start: ColdStart): LearnedColdStart {
  const starts = (known?.starts ?? 0) + 1;
  // Sum of 1, 0.8, 0.64, …: the share of the new one in the mean is one over it.
  const weight = (1 - kept ** starts) / (1 - kept);
  const stage = (before: number | null | undefined, us: number | null) => {
    if (us === null) return before ?? null;
    if (before === null || before === undefined) return us;
    const taken = Math.min(us, Math.max(mostTimes * before, before + mostMoreUs));
    return Math.round(before + (taken - before) / weight);
  };
  const stages = {
    ...((known?.askToNodeUs ?? start.askToNodeUs) == null
      ? {}
      : { askToNodeUs: stage(known?.askToNodeUs, start.askToNodeUs ?? null) }),
    askToSpawnUs: stage(known?.askToSpawnUs, start.askToSpawnUs),
    spawnToListenUs: stage(known?.spawnToListenUs, start.spawnToListenUs),
    listenToReadyUs: stage(known?.listenToReadyUs, start.listenToReadyUs),
    readyToRouteUs: stage(known?.readyToRouteUs, start.readyToRouteUs),
  };
  const totalUs = Object.values(stages).reduce((sum: number, us) => sum + (us ?? 0), 0);
  return { starts, ...stages, totalUs };
}

/** Learns from a replica that has started. Classes that have left the document are forgotten. */
export function learnFrom(
  state: Pick<WorkloadState, 'coldStarts' | 'spec'>,
  { class: className, coldStart }: Replica,
): void {
  const { learned } = state.coldStarts;
  const names = new Set(state.spec.classes.map(({ name }) => name));
  const kept = Object.entries(learned).filter(([name]) => names.has(name) && name !== className);
  if (names.has(className)) kept.push([className, learnColdStart(learned[className], coldStart)]);
  state.coldStarts.learned = Object.fromEntries(kept);
}

/** From asking for a replica to its being routed to, whole milliseconds; null: no start was seen, or no stage of it. */
export function learnedMs(learned: LearnedColdStart | undefined): number | null {
  return learned && learned.totalUs > 0 ? Math.round(learned.totalUs / 1000) : null;
}
