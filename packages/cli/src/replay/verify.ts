import { decide, fleetStep } from '@ebb/core';
import {
  type ComparedDecisions,
  type ComparedFleetStep,
  FleetReplayer,
  type ReplayFailure,
  Replayer,
} from '@ebb/engine';
import { openSolver } from '@ebb/solver';
import type { JournalSource } from '../journal/journalSource.ts';
import type { Progress } from './progress.ts';

/** Differing records that are kept to be told; the others are only counted. */
const mostKept = 100;

export interface Span {
  sinceMs: number;
  untilMs: number;
}

export interface Verification {
  workloads: string[];
  decisions: number;
  /** Moments of the first and last decision; null of none. */
  fromMs: number | null;
  toMs: number | null;
  /** Records that say something else than what comes out now, and the first of them. */
  differing: number;
  first: ComparedDecisions[];
  /** Segments of a workload from which nothing could be decided, and the first of them. */
  failed: number;
  failures: ReplayFailure[];
  /** Decisions made again whose record is not in the journal (it ends, or a control plane was killed). */
  unverified: number;
  /** Versions of Ebb that recorded. */
  versions: string[];
  /** Decisions about machines, of which only those that did something are made again. */
  machines: { decisions: number; passedOver: number; differing: number; first: ComparedFleetStep[] };
}

/** Decides again on all that the span holds and compares it with the record. */
export async function verify(
  source: JournalSource,
  workloads: readonly string[],
  { sinceMs, untilMs }: Span,
  progress: Progress,
): Promise<Verification> {
  const versions = new Set<string>();
  const seen = new Set<string>();
  const result: Verification = {
    workloads: [],
    decisions: 0,
    fromMs: null,
    toMs: null,
    differing: 0,
    first: [],
    failed: 0,
    failures: [],
    unverified: 0,
    versions: [],
    machines: { decisions: 0, passedOver: 0, differing: 0, first: [] },
  };
  const replayer = new Replayer(decide, {
    compared: (compared) => {
      if (compared.toMs < sinceMs || compared.fromMs > untilMs) return;
      seen.add(compared.workload);
      result.decisions += compared.count;
      result.fromMs = Math.min(result.fromMs ?? compared.fromMs, compared.fromMs);
      result.toMs = Math.max(result.toMs ?? compared.toMs, compared.toMs);
      if (compared.matches) return;
      result.differing++;
      if (result.first.length < mostKept) result.first.push(compared);
    },
    failed: (failure) => {
      if (failure.atMs < sinceMs || failure.atMs > untilMs) return;
      seen.add(failure.workload);
      result.failed++;
      if (result.failures.length < mostKept) result.failures.push(failure);
    },
    step: ({ observation }) => progress.step(observation.nowMs),
  });
  const fleets = new FleetReplayer(fleetStep, await openSolver('highs'));
  for await (const record of source.records({ workloads, sinceMs })) {
    // What was observed before the end is recorded some seconds later.
    if (record.atMs > untilMs + recordedLaterMs) break;
    const version = systemVersion(record.body);
    if (record.workload === null && version !== null) versions.add(version);
    replayer.take(record);
    const machine = fleets.take(record);
    if (!machine || machine.atMs < sinceMs || machine.atMs > untilMs) continue;
    result.machines.decisions++;
    if (machine.matches) continue;
    result.machines.differing++;
    if (result.machines.first.length < mostKept) result.machines.first.push(machine);
  }
  result.machines.passedOver = fleets.passedOver;
  result.unverified = replayer.end();
  result.versions = [...versions];
  result.workloads = [...seen].sort();
  return result;
}

/** Observations and runs of equal decisions are kept back before they are written, until something changes or a segment ends. */
export const recordedLaterMs = 3_700_000;

function systemVersion(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('type' in body) || body.type !== 'system') return null;
  return 'version' in body && typeof body.version === 'string' ? body.version : null;
}
