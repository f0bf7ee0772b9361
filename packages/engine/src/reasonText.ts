import { type Reason, reasonSentence } from '@ebb/core';
import type { ReasonStatus } from '@ebb/documents';

/** Reasons that the engine adds to those of the core. */
const ownSentences: Record<string, (data: Reason['data']) => string> = {
  'needed-by': ({ dependent }) => `Kept because ${dependent} depends on it.`,
};

/** One sentence for a reason of the core or of the engine. */
export function sentenceOf(reason: Reason): string {
  return ownSentences[reason.code]?.(reason.data) ?? reasonSentence(reason);
}

export function reasonStatus(reason: Reason): ReasonStatus {
  return { code: reason.code, stage: reason.stage, sentence: sentenceOf(reason), data: reason.data };
}
