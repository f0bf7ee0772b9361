import { randomUUID } from 'node:crypto';
import {
  Consumer,
  type MessagesStream,
  ProduceAcks,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka';
import { readAnswer } from '../consumer/answer.ts';
import { answersTopic, questionsTopic } from './topics.ts';

/** What became of one question. */
export interface Asked {
  readonly id: string;
  readonly askedAtMs: number;
  firstPieceMs: number | null;
  doneMs: number | null;
  text: string;
  error: string | null;
  by: string | null;
  /** Whole answers that came: more than one after a crash. */
  answers: number;
}

/** A piece of an answer, in order; `restarts` where an earlier attempt broke off. */
export type OnPiece = (piece: string, restarts: boolean) => void;

/** Questions that are remembered after their answer, so that a second answer is seen as one. */
const mostRemembered = 10_000;

interface Waiting {
  readonly asked: Asked;
  readonly onPiece: OnPiece;
  attempt: string | null;
  done(asked: Asked): void;
}

/** Puts questions on the one topic and gathers the answers from the other. */
export class Desk {
  readonly #producer: Producer<string, string, string, string>;
  readonly #consumer: Consumer<string, string, string, string>;
  readonly #waiting = new Map<string, Waiting>();
  #stream: MessagesStream<string, string, string, string> | null = null;
  #reading: Promise<void> = Promise.resolve();

  constructor(bootstrapServers: readonly string[]) {
    const base = { clientId: 'chatbot-desk', bootstrapBrokers: [...bootstrapServers] };
    this.#producer = new Producer({ ...base, serializers: stringSerializers, acks: ProduceAcks.ALL });
    // A group of its own: each desk sees every answer.
    const groupId = `chatbot-desk-${randomUUID()}`;
    this.#consumer = new Consumer({ ...base, groupId, deserializers: stringDeserializers, maxWaitTime: 200 });
  }

  /** From now on answers are seen. */
  async open(): Promise<void> {
    const stream = await this.#consumer.consume({ topics: [answersTopic], mode: 'latest', autocommit: false });
    this.#stream = stream;
    this.#reading = this.#read(stream);
    this.#reading.catch(() => undefined);
  }

  /** Asks, and returns the answer once the whole of it is there. */
  async ask(question: string, onPiece: OnPiece = () => {}): Promise<Asked> {
    const id = randomUUID();
    const asked: Asked = {
      id,
      askedAtMs: performance.now(),
      firstPieceMs: null,
      doneMs: null,
      text: '',
      error: null,
      by: null,
      answers: 0,
    };
    const answered = new Promise<Asked>((done) => this.#waiting.set(id, { asked, onPiece, attempt: null, done }));
    this.#forget();
    await this.#producer.send({ messages: [{ topic: questionsTopic, key: id, value: JSON.stringify({ question }) }] });
    return Promise.race([answered, this.#reading.then(() => Promise.reject(new Error('the answers ended')))]);
  }

  async close(): Promise<void> {
    await this.#stream?.close().catch(() => undefined);
    await this.#consumer.close(true).catch(() => undefined);
    await this.#producer.close().catch(() => undefined);
  }

  #forget(): void {
    for (const [id, { asked }] of this.#waiting) {
      if (this.#waiting.size <= mostRemembered) break;
      if (asked.answers > 0) this.#waiting.delete(id);
    }
  }

  async #read(stream: MessagesStream<string, string, string, string>): Promise<void> {
    for await (const { value } of stream) {
      const answer = readAnswer(value);
      const waiting = answer && this.#waiting.get(answer.id);
      if (!answer || !waiting) continue;
      const { asked } = waiting;
      const sinceMs = Math.round(performance.now() - asked.askedAtMs);
      if (answer.done) {
        asked.answers++;
        if (asked.answers > 1) continue;
        Object.assign(asked, { doneMs: sinceMs, text: answer.text, error: answer.error ?? null, by: answer.by });
        waiting.done(asked);
      } else if (asked.answers === 0) {
        asked.firstPieceMs ??= sinceMs;
        const restarts = waiting.attempt !== null && waiting.attempt !== answer.attempt;
        waiting.attempt = answer.attempt;
        waiting.onPiece(answer.text, restarts);
      }
    }
  }
}
