/** A replica that could be taken away. */
export interface VictimCandidate {
  id: string;
  /** Not ready yet, or trying again after a crash. */
  starting: boolean;
  inFlight: number;
  /** How many of those are deferrable requests; left out: none. */
  deferred?: number;
  /** Runs an outdated template. */
  outdated: boolean;
  createdAtMs: number;
}

/**
 * Which replicas go when `count` of them must (design §4.7): what fails or starts before what works, then idle before
 * those with nothing but deferrable requests before busy, then outdated before current, then the least loaded, then the
 * youngest (the oldest have the warmest caches).
 * The order is total, so the same candidates give the same victims.
 */
export function chooseVictims<Candidate extends VictimCandidate>(candidates: Candidate[], count: number): Candidate[] {
  return [...candidates].sort(compareVictims).slice(0, Math.max(0, count));
}

function compareVictims(a: VictimCandidate, b: VictimCandidate): number {
  return (
    Number(b.starting) - Number(a.starting) ||
    loadLevel(a) - loadLevel(b) ||
    Number(b.outdated) - Number(a.outdated) ||
    a.inFlight - b.inFlight ||
    b.createdAtMs - a.createdAtMs ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

/** 0: idle, 1: only deferrable requests, 2: others too. */
function loadLevel({ inFlight, deferred = 0 }: VictimCandidate): number {
  if (inFlight === 0) return 0;
  return inFlight > deferred ? 2 : 1;
}
