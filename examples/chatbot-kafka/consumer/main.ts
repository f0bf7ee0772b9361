import { setTimeout as pause } from 'node:timers/promises';
import { ProduceAcks, Producer, stringSerializers } from '@platformatic/kafka';
import { AnsweredMessages } from './answeredMessages.ts';
import { answererOf } from './answerer.ts';
import { Answering } from './answering.ts';
import type { SendAnswer } from './answerWriter.ts';
import { serveHealth } from './health.ts';
import { Membership } from './membership.ts';
import { readSettings, type Settings, SettingsError, usage } from './settings.ts';

const firstPauseMs = 500;
const longestPauseMs = 5_000;

/** Runs one consumer until SIGTERM or SIGINT. Returns the exit code. */
export async function main(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  if (args.length > 0) {
    process.stdout.write(usage);
    return args.includes('--help') || args.includes('-h') ? 0 : 2;
  }
  try {
    await consume(readSettings(environment));
    return 0;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(`chatbot: ${error.message}`);
    return 2;
  }
}

async function consume(settings: Settings): Promise<void> {
  const producer = new Producer({
    clientId: settings.name,
    bootstrapBrokers: [...settings.bootstrapServers],
    serializers: stringSerializers,
    acks: ProduceAcks.ALL,
  });
  const send: SendAnswer = async (message) => {
    const { answersTopic: topic } = settings;
    await producer.send({ messages: [{ topic, key: message.id, value: JSON.stringify(message) }] });
  };
  const answering = new Answering({ name: settings.name, answerer: answererOf(settings), send, log: console.log });
  const answered = new AnsweredMessages();
  let membership = new Membership(settings, answering, answered);
  let before = 0;

  const url = await serveHealth(settings.port, () => ({
    isReady: membership.isMember && !answering.isStopping,
    partitions: membership.partitions,
    answered: before + membership.answeredCount,
  }));
  console.log(`${settings.name} (pid ${process.pid}) listens on ${url}`);

  const stop = () => {
    answering.stop();
    membership.stop();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);

  for (let failures = 0; !answering.isStopping; failures++) {
    const answeredBefore = membership.answeredCount;
    try {
      await membership.run();
    } catch (error) {
      if (membership.answeredCount > answeredBefore) failures = 0;
      const pauseMs = Math.min(firstPauseMs * 2 ** Math.min(failures, 10), longestPauseMs);
      console.error(`the group was left, and is joined again in ${pauseMs} ms: ${reasonOf(error)}`);
      if (!answering.isStopping) await pause(pauseMs);
    }
    before += membership.answeredCount;
    if (!answering.isStopping) membership = new Membership(settings, answering, answered);
  }
  await producer.close().catch(() => undefined);
  console.log(`left the group after ${before} answers`);
}

/** The reason at the bottom of it: the client wraps what a broker said several times. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [inner] = error instanceof AggregateError ? (error.errors as unknown[]) : [error.cause];
  return inner === undefined ? error.message : `${error.message} (${reasonOf(inner)})`;
}
