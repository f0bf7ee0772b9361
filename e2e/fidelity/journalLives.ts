import type { ColdStartStages, ReplicaLife } from './recording.ts';

/** What both journals have, the live one and the rehearsal's. */
export interface Record {
  atMs: number;
  kind: string;
  workload: string | null;
  body: unknown;
}

interface Body {
  type?: string;
  replica?: string;
  phase?: string;
  coldStart?: { [stage: string]: number | null };
}

/** Lives of all replicas of a journal, from its actions and outcomes. Times count from `originMs` of the journal's clock. */
export function livesOf(records: readonly Record[], originMs: number): ReplicaLife[] {
  const lives = new Map<string, ReplicaLife>();
  for (const { kind, body, atMs: journalMs } of records) {
    const { type, replica, phase } = body as Body;
    if (replica === undefined) continue;
    const atMs = journalMs - originMs;
    const life = lives.get(replica);
    if (kind === 'action' && type === 'start') lives.set(replica, { askedMs: atMs, readyMs: null, endedMs: null });
    else if (!life) continue;
    else if (kind === 'outcome' && type === 'phase' && phase === 'ready') life.readyMs ??= atMs;
    // From the stop on it is not paid for in a rehearsal, and what follows live is the end of a process.
    else if (kind === 'action' && type === 'stop') life.endedMs ??= atMs;
    else if (kind === 'outcome' && (type === 'gone' || type === 'failed')) life.endedMs ??= atMs;
  }
  return [...lives.values()];
}

/** Stages of every cold start that came to its end. */
export function coldStartsOf(records: readonly Record[]): ColdStartStages[] {
  return records.flatMap(({ kind, body }) => {
    const { coldStart, type } = body as Body;
    if (kind !== 'outcome' || type !== 'routed' || !coldStart) return [];
    const stage = (name: string) => (coldStart[name] ?? 0) / 1000;
    return {
      askToSpawnMs: stage('askToSpawnUs'),
      spawnToListenMs: stage('spawnToListenUs'),
      listenToReadyMs: stage('listenToReadyUs'),
      readyToRouteMs: stage('readyToRouteUs'),
    };
  });
}
