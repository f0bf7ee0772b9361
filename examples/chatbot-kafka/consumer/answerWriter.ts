import type { AnswerMessage } from './answer.ts';

/** Writes messages of one key; returns when the broker has them. */
export type SendAnswer = (message: AnswerMessage) => Promise<void>;

/**
 * Writes one attempt at an answer, in order. While one message is on its way, the pieces that come meanwhile are joined to
 * the next one: a slow broker means larger pieces, not a longer queue.
 */
export class AnswerWriter {
  readonly #send: SendAnswer;
  readonly #base: Pick<AnswerMessage, 'id' | 'attempt' | 'by'>;
  #text = '';
  #unsent = '';
  #sending: Promise<void> | null = null;
  #failure: unknown = null;

  constructor(send: SendAnswer, base: Pick<AnswerMessage, 'id' | 'attempt' | 'by'>) {
    this.#send = send;
    this.#base = base;
  }

  /** Takes the next piece; does not wait. */
  add(piece: string): void {
    this.#text += piece;
    this.#unsent += piece;
    this.#sending ??= this.#sendPieces();
  }

  /** The answer is complete. Returns when the broker has all of it; throws when it could not be written. */
  async finish(): Promise<void> {
    await this.#sending;
    if (this.#failure) throw this.#failure;
    await this.#send({ ...this.#base, text: this.#text, done: true });
  }

  /** There will be no answer, and why. */
  async refuse(error: string): Promise<void> {
    await this.#sending;
    await this.#send({ ...this.#base, text: '', done: true, error });
  }

  /** What was begun is given up; waits for what is on its way, so that nothing of it comes after the next attempt. */
  async abandon(): Promise<void> {
    this.#unsent = '';
    await this.#sending;
  }

  async #sendPieces(): Promise<void> {
    try {
      while (this.#unsent !== '') {
        const text = this.#unsent;
        this.#unsent = '';
        await this.#send({ ...this.#base, text, done: false });
      }
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#sending = null;
    }
  }
}
