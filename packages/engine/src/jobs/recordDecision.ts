import type { Journal } from '../journal.ts';
import type { JobDecision } from './decideJobs.ts';
import type { JobsDecisionBody } from './explainJobs.ts';
import type { ScaledJobState } from './scaledJobState.ts';

/** Writes a decision on Jobs down; one that says the same again and creates nothing is not written again. */
export function recordDecision(
  journal: Journal,
  state: ScaledJobState,
  { result, running, pending, readings }: JobDecision,
  create: number,
  heldBackUntilMs: number | null,
): void {
  const text = JSON.stringify([result, running, pending, create, heldBackUntilMs]);
  if (text === state.recorded && create === 0) return;
  state.recorded = text;
  const { rules, spec } = state;
  const body: JobsDecisionBody = {
    type: 'jobs',
    rules,
    readings,
    running,
    pending,
    result,
    create,
    paused: spec.paused,
    ...(heldBackUntilMs === null ? {} : { heldBackUntilMs }),
  };
  journal.record('decision', state.journalKey, body);
}
