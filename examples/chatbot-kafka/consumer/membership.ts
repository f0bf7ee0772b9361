import { Consumer, type Message, type MessagesStream, stringDeserializers } from '@platformatic/kafka';
import { AnsweredMessages } from './answeredMessages.ts';
import type { Answering } from './answering.ts';
import { readQuestion } from './question.ts';
import type { Settings } from './settings.ts';

/** A consumer that is killed is missed after this; its partitions then go to the others. Kafka's least is 6 s. */
const sessionTimeoutMs = 10_000;
const heartbeatIntervalMs = 2_000;
const rebalanceTimeoutMs = 30_000;
/** How long a fetch may wait for a question. Partitions that were just given to this consumer wait for its end. */
const fetchWaitMs = 500;

type QuestionMessage = Message<string, string, string, string>;
type QuestionStream = MessagesStream<string, string, string, string>;

/**
 * One membership in the consumer group, from joining to leaving. At least once: an offset is committed after the whole
 * answer is on the topic of answers, and only while the partition is ours, so that a message whose answer was not written
 * is read again by whoever has the partition next.
 */
export class Membership {
  readonly #settings: Settings;
  readonly #answering: Answering;
  readonly #answered: AnsweredMessages;
  readonly #consumer: Consumer<string, string, string, string>;
  readonly #committed = new Map<number, bigint>();
  #stream: QuestionStream | null = null;
  answeredCount = 0;

  constructor(settings: Settings, answering: Answering, answered: AnsweredMessages) {
    this.#settings = settings;
    this.#answering = answering;
    this.#answered = answered;
    this.#consumer = new Consumer({
      clientId: settings.name,
      groupId: settings.group,
      bootstrapBrokers: [...settings.bootstrapServers],
      deserializers: stringDeserializers,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatIntervalMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      maxWaitTime: fetchWaitMs,
      // Members that come and go leave the others what they have: no answer is begun twice because one more came.
      protocols: [{ name: 'cooperative-sticky', version: 3 }],
    });
    // A rejoin that failed for good is told here alone; the stream would wait for questions for ever.
    this.#consumer.on('error', (error: Error) => this.#stream?.destroy(error));
  }

  get isMember(): boolean {
    return this.#stream !== null && this.#consumer.isActive();
  }

  /** Partitions that are ours now. */
  get partitions(): readonly number[] {
    const ours = this.#consumer.assignments?.find(({ topic }) => topic === this.#settings.questionsTopic);
    return ours?.partitions ?? [];
  }

  /** Answers until it is told to stop, then leaves. Throws when the broker cannot be worked with; then it has left too. */
  async run(): Promise<void> {
    try {
      const stream = await this.#consumer.consume({
        topics: [this.#settings.questionsTopic],
        autocommit: false,
        mode: 'committed',
        // The ScaledObject's offsetResetPolicy: what was asked before the group's first commit is answered too.
        fallbackMode: 'earliest',
      });
      this.#stream = stream;
      for await (const message of stream) {
        if (this.#answering.isStopping) break;
        await this.#take(message);
        if (this.#answering.isStopping) break;
      }
    } finally {
      this.#stream = null;
      // Leaving at once saves the others the wait for the session's end.
      await this.#consumer.close(true).catch(() => undefined);
    }
  }

  /** No more questions are waited for. */
  stop(): void {
    this.#stream?.close().catch(() => undefined);
  }

  async #take(message: QuestionMessage): Promise<void> {
    const { partition, offset } = message;
    // Fetched before the partition went to another member, who reads it again.
    if (!this.partitions.includes(partition)) return;
    if (this.#answered.has(message)) {
      if ((this.#committed.get(partition) ?? -1n) > offset) return;
    } else {
      if (!(await this.#answering.answer(readQuestion(message)))) return;
      this.#answered.add(message);
      this.answeredCount++;
    }
    if (this.partitions.includes(partition)) await this.#commit(message);
  }

  async #commit({ topic, partition, offset, leaderEpoch }: QuestionMessage): Promise<void> {
    await this.#consumer.commit({ offsets: [{ topic, partition, offset: offset + 1n, leaderEpoch }] });
    this.#committed.set(partition, offset + 1n);
  }
}
