import type { JournalStore, Reading, ScaledJobResult, ScaledJobRules } from '@ebb/core';
import { isoTime } from '../isoTime.ts';
import type { Explanation } from '../types.ts';

/** Body of a `decision` record of a ScaledJob: all that KEDA's arithmetic was done with, and what came out. */
export interface JobsDecisionBody {
  type: 'jobs';
  rules: ScaledJobRules;
  readings: Reading[];
  running: number;
  pending: number;
  result: ScaledJobResult;
  /** Jobs that were created; fewer than the result where it is paused or no process can be made. */
  create: number;
  paused: boolean;
  /** The last Jobs have failed: none is made until then. */
  heldBackUntilMs?: number;
}

const mostActions = 100;

/** The decision on Jobs in force at a moment, from the journal; null where there was none by then. */
export async function explainJobs(journal: JournalStore, workload: string, atMs: number): Promise<Explanation | null> {
  const [decision] = await journal.read({ workload, toMs: atMs, kinds: ['decision'], limit: 1, newestFirst: true });
  if (!decision || !isJobsDecision(decision.body)) return null;
  const actions = await journal.read({
    workload,
    fromSequence: decision.sequence + 1,
    toMs: atMs,
    kinds: ['action', 'outcome'],
    limit: mostActions,
  });
  return { workload, decision, grant: null, actions, lines: linesOfJobs(decision.body) };
}

export function isJobsDecision(body: unknown): body is JobsDecisionBody {
  return typeof body === 'object' && body !== null && 'type' in body && body.type === 'jobs';
}

/** One sentence a step, with its numbers. */
function linesOfJobs({
  rules,
  readings,
  running,
  pending,
  result,
  create,
  paused,
  heldBackUntilMs,
}: JobsDecisionBody): Explanation['lines'] {
  const read = readings.map(({ trigger, value, active, message, state }) => ({
    stage: 'reading',
    code: value === null ? 'trigger-failed' : 'trigger-read',
    sentence:
      value === null
        ? `${trigger}: ${message ?? state}; it is left out.`
        : `${trigger}: ${value}${active === false ? ', not active' : ''}.`,
  }));
  const { queueLength, scaleTo, effectiveMax } = result;
  return [
    ...read,
    {
      stage: 'recommendation',
      code: 'queue',
      sentence: `The queue of ${queueLength} asks for ${scaleTo} Jobs, at most ${effectiveMax} beyond the minimum of ${rules.minReplicas}.`,
    },
    {
      stage: 'combine',
      code: `strategy-${rules.strategy}`,
      sentence: `${running} Jobs are not finished, ${pending} of them pending; strategy ${rules.strategy} leaves ${result.create} to create.`,
    },
    { stage: 'grant', ...granted({ create, paused, heldBackUntilMs }) },
  ];
}

function granted({
  create,
  paused,
  heldBackUntilMs,
}: Pick<JobsDecisionBody, 'create' | 'paused' | 'heldBackUntilMs'>): {
  code: string;
  sentence: string;
} {
  if (paused) return { code: 'paused', sentence: 'Paused: none is created.' };
  if (heldBackUntilMs !== undefined) {
    const sentence = `The last Jobs have failed: none is created until ${isoTime(heldBackUntilMs)}.`;
    return { code: 'held-back', sentence };
  }
  return { code: 'created', sentence: `Created: ${create}.` };
}
