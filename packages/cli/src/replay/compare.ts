import { decide, type DecisionSpec, type JournalRecord, type Observation } from '@ebb/core';
import {
  assumedColdStartMs,
  coldStartOf,
  Counterfactual,
  medianOf,
  type PolicyTotals,
  RecordedPolicy,
  Replayer,
  type ReplayStep,
  type ServedClass,
  type TriedPolicy,
} from '@ebb/engine';
import type { JournalSource } from '../journal/journalSource.ts';
import type { Progress } from './progress.ts';
import { recordedLaterMs, type Span } from './verify.ts';

export interface PolicyComparison {
  workload: string;
  fromMs: number;
  toMs: number;
  decisions: number;
  /** Records of decisions that this version of Ebb makes otherwise: the comparison then rests on other decisions. */
  differing: number;
  coldStart: { ms: number; measured: number };
  /** What the recorded decisions came to. */
  recorded: PolicyTotals;
  /** The recorded policy and the other one, both in the open loop. */
  same: PolicyTotals;
  other: PolicyTotals;
}

interface Race {
  fromMs: number;
  toMs: number;
  decisions: number;
  recorded: RecordedPolicy;
  same: Counterfactual;
  other: Counterfactual;
}

/**
 * One workload's recorded demand through its own and another policy. Null where the span holds no decision; a string
 * says why the comparison cannot be made.
 */
export async function comparePolicies(
  source: JournalSource,
  workload: string,
  policy: TriedPolicy,
  { sinceMs, untilMs }: Span,
  progress: Progress,
): Promise<PolicyComparison | string | null> {
  const coldStarts = (await source.outcomes(workload)).flatMap((record: JournalRecord) => coldStartOf(record) ?? []);
  const coldStartMs = medianOf(coldStarts) ?? assumedColdStartMs;
  let race: Race | null = null;
  let refusal: string | null = null;
  let differing = 0;

  const step = ({ spec, memoryBefore, observation, decision }: ReplayStep): void => {
    if (observation.nowMs < sinceMs || observation.nowMs > untilMs) return;
    progress.step(observation.nowMs);
    const classes = classesOf(spec) ?? policy.classes;
    if (!race) {
      refusal = classMismatch(observation, policy.classes);
      const options = { coldStartMs, memory: memoryBefore };
      race = {
        fromMs: observation.nowMs,
        toMs: observation.nowMs,
        decisions: 0,
        recorded: new RecordedPolicy(),
        same: new Counterfactual({ spec, classes }, options),
        other: new Counterfactual(policy, options),
      };
    }
    race.decisions++;
    race.toMs = observation.nowMs;
    race.recorded.take(classes, observation, decision);
    race.same.take(observation);
    race.other.take(observation);
  };
  const replayer = new Replayer(decide, {
    step,
    failed: ({ sequence, message }) => {
      refusal = `nothing can be decided from record ${sequence} (${message}); another version of Ebb may have written it`;
    },
    compared: ({ matches, toMs }) => {
      if (!matches && toMs >= sinceMs) differing++;
    },
  });
  for await (const record of source.records({ workloads: [workload], sinceMs })) {
    if (record.atMs > untilMs + recordedLaterMs || refusal !== null) break;
    replayer.take(record);
  }
  if (refusal !== null) return refusal;
  const toMs = untilMs === Number.POSITIVE_INFINITY ? await source.endMs() : untilMs;
  return finish(race, {
    workload,
    toMs,
    differing,
    coldStartMs,
    measured: coldStarts.length,
  });
}

function finish(
  race: Race | null,
  end: { workload: string; toMs: number; differing: number; coldStartMs: number; measured: number },
): PolicyComparison | null {
  if (!race) return null;
  const { workload, differing } = end;
  const toMs = Math.max(race.toMs, end.toMs);
  const [recorded, same, other] = [race.recorded.end(toMs), race.same.end(toMs), race.other.end(toMs)];
  if (!recorded || !same || !other) return null;
  const coldStart = { ms: end.coldStartMs, measured: end.measured };
  return {
    workload,
    fromMs: race.fromMs,
    toMs,
    decisions: race.decisions,
    differing,
    coldStart,
    recorded,
    same,
    other,
  };
}

/** Concurrency and prices of the recorded classes, where the recorded policy knows them; else those of the other one count. */
function classesOf(spec: DecisionSpec): ServedClass[] | null {
  return spec.policy === 'windows' ? spec.classes : null;
}

/** The recorded demand is known by class, so the other document must have the same ones. */
function classMismatch({ classes }: Observation, others: readonly ServedClass[]): string | null {
  const list = (names: string[]) => names.sort().join(', ');
  const [recorded, other] = [list(Object.keys(classes)), list(others.map(({ name }) => name))];
  if (recorded === other) return null;
  return `its classes were ${recorded}; those of the policy are ${other}, and must be the same`;
}
