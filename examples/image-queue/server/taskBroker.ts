import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { withHeartbeat } from '../queue/amqpUrl.ts';
import { encodeTask, parseTask, type Task } from '../queue/task.ts';
import { parseTaskEvent, type TaskEvent } from '../queue/taskEvent.ts';
import { declareTopology, failedTasks, taskEvents, taskQueue } from '../queue/topology.ts';

export interface TaskBrokerListener {
  event(event: TaskEvent): void;
  /** A message was taken out of the queue for good. */
  failed(task: Task, reason: string): void;
  /** Why the broker is not there; empty: it is. */
  connection(problem: string): void;
}

const retryAfterMs = 1000;
const confirmWithinMs = 10_000;
const heartbeatSeconds = 20;

/** The page's connection to the broker: publishes tasks, hears of them, and connects again when it is lost. */
export class TaskBroker {
  readonly #url: string;
  readonly #listener: TaskBrokerListener;
  #open: { connection: ChannelModel; channel: ConfirmChannel } | null = null;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;

  private constructor(url: string, listener: TaskBrokerListener) {
    this.#url = url;
    this.#listener = listener;
  }

  /** Throws where the broker cannot be reached the first time. */
  static async open(url: string, listener: TaskBrokerListener): Promise<TaskBroker> {
    const broker = new TaskBroker(url, listener);
    await broker.#connect();
    return broker;
  }

  /** Returns once the broker has the message on disk. Throws where that is not so. */
  async publish(task: Task): Promise<void> {
    if (!this.#open) throw new Error('the broker is not there at the moment');
    const { channel } = this.#open;
    const options = { persistent: true, contentType: 'application/json', messageId: task.id, mandatory: true };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`the broker has not confirmed within ${confirmWithinMs} ms`)),
        confirmWithinMs,
      );
    });
    const confirmed = new Promise<void>((resolve, reject) => {
      channel.sendToQueue(taskQueue, encodeTask(task), options, (error: unknown) => {
        if (error) reject(error instanceof Error ? error : new Error('the broker has refused the message'));
        else resolve();
      });
    });
    await Promise.race([confirmed, late]).finally(() => clearTimeout(timer));
  }

  /** Messages that nobody has taken; null while the broker is away. */
  async length(): Promise<number | null> {
    try {
      return (await this.#open?.channel.checkQueue(taskQueue))?.messageCount ?? null;
    } catch {
      return null;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#open?.connection.close().catch(() => {});
    this.#open = null;
  }

  async #connect(): Promise<void> {
    const connection = await connect(withHeartbeat(this.#url, heartbeatSeconds), {
      clientProperties: { connection_name: 'image-queue page' },
      timeout: confirmWithinMs,
    });
    // `close` follows, and is what counts.
    connection.on('error', () => {});
    connection.on('close', () => this.#lost());
    try {
      const channel = await connection.createConfirmChannel();
      channel.on('error', () => {});
      channel.on('close', () => void connection.close().catch(() => {}));
      await declareTopology(channel);
      await this.#listen(channel);
      this.#open = { connection, channel };
      this.#listener.connection('');
    } catch (error) {
      connection.removeAllListeners('close');
      await connection.close().catch(() => {});
      throw error;
    }
  }

  async #listen(channel: ConfirmChannel): Promise<void> {
    // A queue of this page alone, gone with it.
    const { queue } = await channel.assertQueue('', { exclusive: true, durable: false, autoDelete: true });
    await channel.bindQueue(queue, taskEvents, '');
    await channel.bindQueue(queue, failedTasks, '');
    await channel.consume(
      queue,
      (message) => {
        if (!message) return;
        if (message.fields.exchange === failedTasks)
          return this.#tellFailed(message.content, message.properties.headers);
        const event = parseTaskEvent(message.content);
        if (event) this.#listener.event(event);
      },
      { noAck: true },
    );
  }

  #tellFailed(content: Buffer, headers: Record<string, unknown> | undefined): void {
    try {
      const isWornOut = headers?.['x-first-death-reason'] === 'delivery_limit';
      this.#listener.failed(parseTask(content), isWornOut ? 'it was given back too often' : 'it cannot be done');
    } catch {
      // Not one of this page's.
    }
  }

  #lost(): void {
    this.#open = null;
    if (this.#closed) return;
    this.#listener.connection('the broker is not there; waiting for it');
    this.#retry = setTimeout(() => {
      this.#connect().catch(() => this.#lost());
    }, retryAfterMs);
  }
}
