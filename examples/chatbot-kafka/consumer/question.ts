/** Longest question that is taken, in characters. */
export const longestQuestion = 4_000;

/** A message of the topic of questions. */
export interface QuestionMessage {
  readonly key: string | undefined;
  readonly value: string | undefined;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** Who asks what; or why this cannot be answered, now or later. */
export type Question = { readonly id: string } & ({ readonly text: string } | { readonly problem: string });

/**
 * Reads a message: JSON with the field `question`, or plain text. The id is the message's key, else the field `id`, else
 * where the message stands. A problem is final: the same message would fail again and again and block its partition.
 */
export function readQuestion({ key, value, topic, partition, offset }: QuestionMessage): Question {
  const place = `${topic}-${partition}-${offset}`;
  const written = value?.trim() ?? '';
  if (!written.startsWith('{')) return checked(key || place, written);
  let parsed: { id?: unknown; question?: unknown };
  try {
    parsed = JSON.parse(written) as { id?: unknown; question?: unknown };
  } catch (error) {
    return { id: key || place, problem: `the message is no valid JSON: ${(error as Error).message}` };
  }
  const id = key || (typeof parsed.id === 'string' && parsed.id) || place;
  if (typeof parsed.question === 'string') return checked(id, parsed.question.trim());
  return { id, problem: 'the message has no text in its field "question"' };
}

function checked(id: string, text: string): Question {
  if (text === '') return { id, problem: 'the question is empty' };
  if (text.length <= longestQuestion) return { id, text };
  return { id, problem: `the question has ${text.length} characters; ${longestQuestion} are allowed` };
}
