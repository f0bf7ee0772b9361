/**
 * What is written to the topic of answers, as JSON under the question's id. One attempt is a run of pieces and then one
 * that is `done`: with the whole text, or with the reason why there is none. After a crash a question is asked again: then
 * there is a second attempt.
 */
export interface AnswerMessage {
  readonly id: string;
  readonly attempt: string;
  /** The next piece of the answer; where `done` is true, all of it. */
  readonly text: string;
  readonly done: boolean;
  /** Why there is no answer. Only where `done` is true. */
  readonly error?: string;
  /** Who answered. */
  readonly by: string;
}

/** A message of the topic of answers; null for what is none. */
export function readAnswer(value: string | undefined): AnswerMessage | null {
  try {
    const found = JSON.parse(value ?? '') as Partial<AnswerMessage> | null;
    if (typeof found?.id !== 'string' || typeof found.attempt !== 'string' || typeof found.text !== 'string')
      return null;
    const { id, attempt, text, done, error, by } = found;
    return { id, attempt, text, done: done === true, by: String(by), ...(error === undefined ? {} : { error }) };
  } catch {
    return null;
  }
}
