import { SourceError } from '../contract/errors.ts';

const maxAnswers = 1000;
const askTimeoutMs = 10_000;

interface Answer {
  value: unknown;
  /** Infinite while it is being asked for. */
  untilMs: number;
  /** Undefined while it is being asked for. */
  settled?: unknown;
}

/**
 * Answers that cost something (a lease, a signed request), for a bounded time. Whoever asks meanwhile waits for the same
 * answer; giving up waiting does not take it away from the others. Failures are not kept.
 */
export class AnswerCache {
  readonly #nowMs: () => number;
  readonly #answers = new Map<string, Answer>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** `key` is never shown; `ask` says for how many ms its answer holds. */
  async get<Value>(
    key: string,
    signal: AbortSignal,
    ask: (signal: AbortSignal) => Promise<{ value: Value; keepMs: number }>,
  ): Promise<Value> {
    let answer = this.#answers.get(key);
    if (!answer || answer.untilMs <= this.#nowMs()) {
      answer = this.#ask(key, ask);
      this.#makeRoom();
      this.#answers.set(key, answer);
    }
    return (await untilAborted(answer.value as Promise<Value>, signal)) as Value;
  }

  /** Forgets an answer that was found to be no good any more, unless there is another one by now. */
  drop(key: string, value: unknown): void {
    if (this.#answers.get(key)?.settled === value) this.#answers.delete(key);
  }

  #ask(key: string, ask: (signal: AbortSignal) => Promise<{ value: unknown; keepMs: number }>): Answer {
    const asked = ask(AbortSignal.timeout(askTimeoutMs));
    const answer: Answer = { value: asked.then(({ value }) => value), untilMs: Number.POSITIVE_INFINITY };
    asked.then(
      ({ value, keepMs }) => {
        answer.settled = value;
        answer.untilMs = this.#nowMs() + keepMs;
      },
      () => {
        if (this.#answers.get(key) === answer) this.#answers.delete(key);
      },
    );
    // Everybody may have given up waiting by then.
    (answer.value as Promise<unknown>).catch(() => {});
    return answer;
  }

  /** The oldest goes; what is over goes first. */
  #makeRoom(): void {
    if (this.#answers.size < maxAnswers) return;
    const nowMs = this.#nowMs();
    for (const [key, { untilMs }] of this.#answers) if (untilMs <= nowMs) this.#answers.delete(key);
    for (const key of this.#answers.keys()) {
      if (this.#answers.size < maxAnswers) return;
      this.#answers.delete(key);
    }
  }
}

async function untilAborted<Value>(answer: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const givenUp = Promise.withResolvers<never>();
  const giveUp = () => givenUp.reject(new SourceError('timeout', 'no answer within the time'));
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([answer, givenUp.promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
