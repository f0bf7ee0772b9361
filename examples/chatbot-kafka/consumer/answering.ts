import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answerer, AnswerError } from './answerer.ts';
import { AnswerWriter, type SendAnswer } from './answerWriter.ts';
import type { Question } from './question.ts';

/** A question at which the one who answers breaks is asked this often; then its answer is an error. */
const mostBrokenAttempts = 3;
const firstPauseMs = 250;
const longestPauseMs = 10_000;
/** An answer that is being written when the consumer is to stop may take this long. Less than the termination grace. */
const finishWithinMs = 25_000;

export interface AnsweringOptions {
  readonly name: string;
  readonly answerer: Answerer;
  readonly send: SendAnswer;
  log(line: string): void;
}

/** Answers one question at a time. */
export class Answering {
  readonly #options: AnsweringOptions;
  readonly #abort = new AbortController();
  #isStopping = false;
  #isWriting = false;

  constructor(options: AnsweringOptions) {
    this.#options = options;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Whether what is answered now has pieces on the topic already. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** What is being written is finished, what only waits is given back, and nothing new is begun. */
  stop(): void {
    this.#isStopping = true;
    if (this.#isWriting) setTimeout(() => this.#abort.abort(), finishWithinMs).unref();
    else this.#abort.abort();
  }

  /**
   * Whether the question is done with: an answer is on the topic, or the reason why there is none. False: give it back.
   * Throws when the topic cannot be written to.
   */
  async answer(question: Question): Promise<boolean> {
    if ('problem' in question) {
      this.#options.log(`${question.id} cannot be answered: ${question.problem}`);
      await this.#writer(question.id).refuse(question.problem);
      return true;
    }
    let brokenAttempts = 0;
    for (let attempt = 0; !this.#abort.signal.aborted; attempt++) {
      const failure = await this.#attempt(question.id, question.text);
      if (failure === null) return true;
      if (this.#isStopping) return false;
      if (failure.kind === 'broken') brokenAttempts++;
      if (failure.kind === 'refused' || brokenAttempts >= mostBrokenAttempts) {
        this.#options.log(`${question.id} gets an error: ${failure.message}`);
        await this.#writer(question.id).refuse(failure.message);
        return true;
      }
      const pauseMs = Math.min(firstPauseMs * 2 ** Math.min(attempt, 10), longestPauseMs);
      this.#options.log(`${question.id} is asked again in ${pauseMs} ms: ${failure.message}`);
      await pause(pauseMs, undefined, { signal: this.#abort.signal }).catch(() => undefined);
    }
    return false;
  }

  /** Null: the whole answer is on the topic. */
  async #attempt(id: string, text: string): Promise<AnswerError | null> {
    const writer = this.#writer(id);
    try {
      for await (const piece of this.#options.answerer(text, this.#abort.signal)) {
        this.#isWriting = true;
        writer.add(piece);
      }
    } catch (error) {
      await writer.abandon();
      return error instanceof AnswerError ? error : new AnswerError('broken', String(error));
    } finally {
      this.#isWriting = false;
    }
    await writer.finish();
    return null;
  }

  #writer(id: string): AnswerWriter {
    const { send, name } = this.#options;
    return new AnswerWriter(send, { id, attempt: randomUUID(), by: name });
  }
}
