import type { Reason } from './reasons.ts';
import { reasonTable } from './reasonTable.ts';

/** One sentence for a reason, with its numbers. A code from a newer version is shown as it is, not hidden. */
export function reasonSentence(reason: Reason): string {
  const entry = reasonTable[reason.code];
  return entry ? entry.sentence(reason.data) : `${reason.code} ${JSON.stringify(reason.data)}`;
}

/** The one sentence that matters most: the reason that shaped the count last and most. */
export function decisionSummary(decision: { reasons: Reason[] }): string {
  let best: Reason | null = null;
  let bestWeight = -1;
  for (const reason of decision.reasons) {
    const weight = reasonTable[reason.code]?.weight ?? 0;
    if (weight >= bestWeight) {
      best = reason;
      bestWeight = weight;
    }
  }
  return best ? reasonSentence(best) : 'Nothing asks for a replica.';
}
