import { decisionSummary } from '@ebb/core';
import type { DecisionStatus } from '@ebb/documents';
import { reasonStatus, sentenceOf } from './reasonText.ts';
import type { WorkloadState } from './workloadState.ts';

/** The latest decision and its grant, for people; null before the first. */
export function statusOfDecision(state: WorkloadState): DecisionStatus | null {
  const { told, grant } = state;
  if (!told) return null;
  const { decision } = told;
  const grantReasons = grant?.reasons ?? [];
  const own = grantReasons.find((reason) => reason.code === 'needed-by');
  return {
    sequence: told.sequence,
    at: told.atMs,
    replicas: decision.replicas,
    classes: { ...decision.classes },
    summary: own ? sentenceOf(own) : decisionSummary({ reasons: [...decision.reasons, ...grantReasons] }),
    reasons: [...decision.reasons, ...grantReasons].map(reasonStatus),
  };
}
