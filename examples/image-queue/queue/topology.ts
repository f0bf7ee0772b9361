import type { Channel } from 'amqplib';

/** One message for each picture that is to be made. */
export const taskQueue = 'tasks';
/** Where messages go that cannot be done; the queue of the same name keeps them, and the page listens too. */
export const failedTasks = 'tasks.failed';
/** What Jobs tell of their progress. Nobody has to listen. */
export const taskEvents = 'tasks.events';
/** A message that was given back this often is taken out of the queue the next time: it may be what kills its Jobs. */
export const maxReturns = 3;

/**
 * Declares the queues and exchanges; does nothing where they are there already. `tasks` is a quorum queue because those
 * count how often a message came back, also from a consumer that was killed. Throws where `tasks` is there and different.
 */
export async function declareTopology(channel: Channel): Promise<void> {
  await channel.assertExchange(taskEvents, 'fanout', { durable: true });
  await channel.assertExchange(failedTasks, 'fanout', { durable: true });
  await channel.assertQueue(failedTasks, { durable: true });
  await channel.bindQueue(failedTasks, failedTasks, '');
  await channel.assertQueue(taskQueue, {
    durable: true,
    arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': maxReturns, 'x-dead-letter-exchange': failedTasks },
  });
}
