import { setTimeout as delay } from 'node:timers/promises';
import { SourceError } from '../contract/errors.ts';
import { kafkaError, PassingError } from './errors.ts';
import type { GroupOffsets, Offsets, Question } from './offsets.ts';

const attempts = 3;
const firstRetryMs = 100;

interface Waiting {
  readonly question: Question;
  readonly signal: AbortSignal;
  resolve(answer: GroupOffsets): void;
  reject(error: SourceError): void;
}

/** Gathers what many triggers ask at the same moment into one round of requests; the same question is asked once. */
export class Questions {
  readonly #offsets: Pick<Offsets, 'read'>;
  readonly #where: string;
  readonly #closing = new AbortController();
  #gathered: Waiting[] | null = null;

  constructor(offsets: Pick<Offsets, 'read'>, where: string) {
    this.#offsets = offsets;
    this.#where = where;
  }

  /** Rejects with `SourceError`, at once when the signal aborts. */
  ask(question: Question, signal: AbortSignal): Promise<GroupOffsets> {
    return new Promise((resolve, reject) => {
      const given = new SourceError('timeout', `${this.#where}: no answer within the time`);
      signal.addEventListener('abort', () => reject(given), { once: true });
      const waiting = { question, signal, resolve, reject };
      if (this.#gathered) {
        this.#gathered.push(waiting);
        return;
      }
      const gathered = [waiting];
      this.#gathered = gathered;
      setImmediate(() => {
        this.#gathered = null;
        void this.#serve(gathered);
      });
    });
  }

  /** Ends the wait for further attempts. */
  close(): void {
    this.#closing.abort();
  }

  async #serve(all: readonly Waiting[]): Promise<void> {
    let waiting = all;
    for (let attempt = 1; waiting.length > 0; attempt++) {
      const isLast = attempt === attempts || this.#closing.signal.aborted;
      waiting = await this.#attempt(waiting, isLast);
      if (waiting.length === 0) return;
      await delay(firstRetryMs * 2 ** (attempt - 1), undefined, { signal: this.#closing.signal }).catch(() => {});
      waiting = waiting.filter(({ signal }) => !signal.aborted);
    }
  }

  /** Returns those that are worth another attempt. */
  async #attempt(waiting: readonly Waiting[], isLast: boolean): Promise<Waiting[]> {
    const distinct = new Map(waiting.map((one) => [keyOf(one.question), one.question]));
    let read: (GroupOffsets | SourceError)[];
    try {
      read = await this.#offsets.read([...distinct.values()]);
    } catch (error) {
      const fault = kafkaError(error, this.#where);
      read = [...distinct].map(() => fault);
    }
    const answers = new Map([...distinct.keys()].map((key, index) => [key, read[index]]));
    const again: Waiting[] = [];
    for (const one of waiting) {
      const answer = answers.get(keyOf(one.question));
      if (answer === undefined) continue;
      if (!isLast && hasPassing(answer)) again.push(one);
      else if (answer instanceof SourceError) one.reject(answer);
      else one.resolve(answer);
    }
    return again;
  }
}

function keyOf({ group, topics }: Question): string {
  return JSON.stringify([group, topics]);
}

function hasPassing(answer: GroupOffsets | SourceError): boolean {
  if (answer instanceof SourceError) return answer instanceof PassingError;
  return [...answer.values()].some((topic) =>
    topic instanceof SourceError
      ? topic instanceof PassingError
      : topic.some(({ committed, latest }) => committed instanceof PassingError || latest instanceof PassingError),
  );
}
