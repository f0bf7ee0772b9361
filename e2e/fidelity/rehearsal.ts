import { resolveScaledObject, resolveWorkload } from '@ebb/documents';
import { comparableModel, simulate, type WorldModel } from '@ebb/simulator';
import { livesOf } from './journalLives.ts';
import { type Load, traceOf } from './load.ts';
import { type FidelityPolicy, slots } from './policies.ts';
import type { ColdStartStages, LiveRun, ReplicaLife } from './recording.ts';

export interface Rehearsal {
  lives: ReplicaLife[];
  waitMs: { p50: number; p95: number; p99: number };
  onTimeShare: number;
}

/** A service that begins within this is on time: more than the way through the gateway, less than any cold start. */
export const onTimeMs = 500;

/** The world as it was measured: each stage of a cold start in the middle of all starts, and what a slot costs besides. */
export function measuredModel(runs: readonly LiveRun[]): WorldModel {
  const starts = runs.flatMap(({ coldStarts }) => coldStarts);
  const stage = (name: keyof ColdStartStages) => ({
    stage: name.replace(/Ms$/, ''),
    ms: { type: 'fixed' as const, ms: median(starts.map((start) => start[name])) },
  });
  return {
    ...comparableModel(0),
    concurrency: slots,
    service: {
      type: 'tokens',
      baseMs: median(runs.map(({ overheadMs }) => overheadMs)),
      perTokenMs: 1,
      withoutTokensMs: 0,
    },
    coldStart: [stage('askToSpawnMs'), stage('spawnToListenMs'), stage('listenToReadyMs'), stage('readyToRouteMs')],
    onTimeMs,
  };
}

/** The same documents and load on virtual time, beginning at the wall time at which the live run did. */
export async function rehearse(
  { name, documents }: FidelityPolicy,
  load: Load,
  model: WorldModel,
  { firstAtMs, leadMs }: Pick<LiveRun, 'firstAtMs' | 'leadMs'>,
): Promise<Rehearsal> {
  const trace = traceOf(load, leadMs);
  const inputs = documents.map((document) => {
    const { key } =
      document.kind === 'Workload' ? resolveWorkload(document, { baseDirectory: '/' }) : resolveScaledObject(document);
    return { apiVersion: document.apiVersion, kind: document.kind, key, document, origin: null };
  });
  const run = await simulate({
    trace,
    documents: inputs,
    model,
    seed: load.seed,
    policy: name,
    startAtMs: firstAtMs,
    journal: true,
  });
  return {
    lives: livesOf(run.journal ?? [], firstAtMs + leadMs),
    waitMs: run.waitMs,
    onTimeShare: run.onTime / run.requests,
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
