import { type Channel, connect, type GetMessage } from 'amqplib';
import { withHeartbeat } from '../queue/amqpUrl.ts';
import { BadTask, parseTask, type Task } from '../queue/task.ts';
import type { Step, TaskEvent } from '../queue/taskEvent.ts';
import { taskEvents, taskQueue } from '../queue/topology.ts';
import type { Storage } from '../storage/storage.ts';
import { CannotBeDone, type Work } from './work.ts';

export interface TakeOneOptions {
  url: string;
  /** Id of the Job, for the events. */
  job: string;
  storage: Storage;
  work: Work;
  /** Fires when the message is to be given back. */
  stop: AbortSignal;
}

/** The model may keep the thread for seconds, in which no heartbeat is answered. */
const heartbeatSeconds = 60;

/**
 * Takes one message, does its work and acknowledges it once the result is stored. What fails goes back into the queue,
 * whose limit takes it out after some returns; what can never be done goes to `tasks.failed` at once. A Job that is killed
 * has acknowledged nothing, so the broker gives its message to the next. Returns what happened, for the log.
 */
export async function takeOne({ url, job, storage, work, stop }: TakeOneOptions): Promise<string> {
  const processStartedAt = Math.round(performance.timeOrigin);
  const connection = await connect(withHeartbeat(url, heartbeatSeconds), {
    clientProperties: { connection_name: `image-queue ${job}` },
  });
  // Told by the call that was under way.
  connection.on('error', () => {});
  const channel = await connection.createChannel();
  channel.on('error', () => {});
  try {
    // One `get` and no consumer: exactly one message is taken, and an empty queue says so at once.
    const message = await channel.get(taskQueue, { noAck: false });
    if (!message) return 'the queue is empty';
    return await handle(channel, message);
  } finally {
    // Sends what was published and acknowledged, and waits for the broker's word.
    await channel.close().catch(() => {});
    await connection.close().catch(() => {});
  }

  async function handle(channel: Channel, message: GetMessage): Promise<string> {
    const delivery = deliveryOf(message);
    let task: Task;
    try {
      task = parseTask(message.content);
    } catch (error) {
      if (!(error instanceof BadTask)) throw error;
      channel.nack(message, false, false);
      return `failed: ${error.message}`;
    }
    type Happening = TaskEvent extends infer One ? (One extends TaskEvent ? Omit<One, keyof Origin> : never) : never;
    type Origin = Pick<TaskEvent, 'task' | 'job' | 'pid' | 'delivery' | 'at'>;
    const tell = (event: Happening) => {
      const told = { task, job, pid: process.pid, delivery, at: Date.now(), ...event };
      channel.publish(taskEvents, '', Buffer.from(JSON.stringify(told)), { contentType: 'application/json' });
    };
    const step = (name: Step) => tell({ state: 'processing', step: name, processStartedAt });
    try {
      step('starting');
      const input = task.input === null ? null : await storage.get(task.input);
      const { png, width, height, workMs } = await work({ task, input, stop, onStarted: () => step('working') });
      step('storing');
      await storage.put(task.output, png, 'image/png');
      tell({ state: 'done', width, height, workMs: Math.round(workMs) });
      channel.ack(message);
      return `done: ${task.id} ${width}x${height}, ${Math.round(workMs)} ms in the model`;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const isHopeless = error instanceof CannotBeDone;
      tell({ state: isHopeless ? 'failed' : 'returned', message: reason });
      channel.nack(message, false, !isHopeless);
      return `${isHopeless ? 'failed' : 'given back'}: ${task.id}: ${reason}`;
    }
  }
}

/** Quorum queues count how often a message came back. */
function deliveryOf({ properties, fields }: GetMessage): number {
  const count: unknown = properties.headers?.['x-delivery-count'];
  if (typeof count === 'number') return count + 1;
  return fields.redelivered ? 2 : 1;
}
