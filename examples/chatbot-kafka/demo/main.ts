import { Admin } from '@platformatic/kafka';
import { freePort, ServiceUnavailable, startKafka } from '../../../packages/testing/src/services/index.ts';
import { askMany } from './burst.ts';
import { applyScaledObject, startControlPlane } from './controlPlane.ts';
import { Desk } from './desk.ts';
import { missingModel } from './model.ts';
import { Narrator } from './narrator.ts';
import { type Options, readOptions, UsageError, usage } from './options.ts';
import { openPrompt, type Prompt } from './prompt.ts';
import { createTopics } from './topics.ts';

/** The machine lacks something; the message says what to do. */
class NotPossible extends Error {}

/** Runs the example. Returns the exit code. */
export async function main(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  try {
    const options = readOptions(args);
    if (!options) {
      process.stdout.write(usage);
      return 0;
    }
    return await run(options, environment);
  } catch (error) {
    const isExpected =
      error instanceof UsageError || error instanceof NotPossible || error instanceof ServiceUnavailable;
    console.error(`chatbot-kafka: ${isExpected ? error.message : String((error as Error).stack ?? error)}`);
    if (error instanceof UsageError) console.error(`\n${usage}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function run(options: Options, environment: NodeJS.ProcessEnv): Promise<number> {
  const missing = options.answerer === 'llm' ? missingModel() : null;
  if (missing !== null) throw new NotPossible(missing);

  const undo: (() => unknown)[] = [];
  const interrupted = interruption();
  try {
    return await Promise.race([demonstrate(options, environment, undo), interrupted]);
  } finally {
    console.log('ending what was started …');
    for (const step of undo.reverse()) await step();
  }
}

/** Resolves with the exit code once Ctrl-C or SIGTERM came. A second one does not wait. */
function interruption(): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => resolve(130));
    }
  });
}

async function demonstrate(options: Options, environment: NodeJS.ProcessEnv, undo: (() => unknown)[]): Promise<number> {
  const bootstrapServers = options.bootstrapServers ?? (await startBroker(undo));
  const servers = bootstrapServers.split(',');
  const admin = new Admin({ clientId: 'chatbot-demo', bootstrapBrokers: servers, retries: 5, retryDelay: 500 });
  undo.push(() => admin.close().catch(() => undefined));
  const partitions = await createTopics(admin, options.partitions);

  const gatewayPort = await freePort();
  const { client, stop } = await startControlPlane(options.dataDirectory, gatewayPort, {
    withModel: options.answerer === 'llm',
    environment: {
      KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
      CHAT_URL: environment.CHAT_URL ?? `http://127.0.0.1:${gatewayPort}`,
      ANSWERER: options.answerer,
      ECHO_DELAY_MS: String(options.echoDelayMs),
    },
  });
  undo.push(stop);

  const desk = new Desk(servers);
  undo.push(() => desk.close());
  const prompt: Prompt | null = options.ask === null ? openPrompt() : null;
  if (prompt) undo.push(() => prompt.close());
  const tell = prompt ? prompt.tell : console.log;
  const narrator = new Narrator(client, admin, partitions, tell);
  undo.push(() => narrator.stop());

  tell(`Kafka       ${bootstrapServers}, topic questions with ${partitions} partitions`);
  // With the token only where a person reads it.
  tell(`live page   ${process.stdout.isTTY ? client.pageUrl : client.url}`);
  tell(`Ebb's data  ${options.dataDirectory} (npx ebb explain chatbot --data ${options.dataDirectory})`);
  await applyScaledObject(client, { ...options, paused: false });
  narrator.start();
  await desk.open();
  const least = options.small ? 1 : 5;
  await narrator.until(({ consumers }) => consumers.ready >= least);

  if (prompt) {
    await prompt.run({
      desk,
      pause: () => applyScaledObject(client, { ...options, paused: true }),
      resume: () => applyScaledObject(client, { ...options, paused: false }),
      why: () => narrator.sight?.why ?? '',
    });
    return 0;
  }
  const result = await askMany(desk, options.ask ?? '', options.times, tell);
  if (options.untilRest) {
    await narrator.until(({ lag, consumers, consumersLeast, models }) => {
      const isCalm = consumers.wanted === consumersLeast && consumers.ready === consumersLeast;
      return lag === 0 && isCalm && (models?.ready ?? 0) === 0;
    });
  }
  const { most } = narrator;
  const models = options.answerer === 'llm' ? ` and ${most.models} of the model` : '';
  tell(`${result.text}; at most ${most.lag} waiting and ${most.consumers} consumers${models}`);
  return result.errors === 0 ? 0 : 1;
}

async function startBroker(undo: (() => unknown)[]): Promise<string> {
  console.log('starting Kafka …');
  try {
    const kafka = await startKafka();
    undo.push(() => kafka.stop());
    return kafka.bootstrapServers;
  } catch (error) {
    if (!(error instanceof ServiceUnavailable)) throw error;
    throw new NotPossible(
      `${error.message}.\nInstall it once with tools/services/install.sh (as root, on Debian), or use yours: --bootstrap HOST:PORT`,
    );
  }
}
