import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceUnavailable } from '../../../packages/testing/src/services/installed.ts';
import { startRabbitMq } from '../../../packages/testing/src/services/rabbitmq.ts';
import { openStorage, secretStorageVariables, storageVariables } from '../storage/openStorage.ts';
import { Board } from './board.ts';
import { applyDocuments, followScaledJob, startControlPlane } from './controlPlane.ts';
import { type Options, readOptions, usage, UsageError } from './options.ts';
import { createPageServer } from './pageServer.ts';
import { TaskBroker } from './taskBroker.ts';

type Env = Readonly<Record<string, string | undefined>>;

const say = (line: string) => console.log(line);
/** What is ended, in this order: Jobs need the broker until they have given their messages back. */
const order = ['page', 'connection', 'Ebb', 'RabbitMQ', 'folder'] as const;
type Endings = Map<(typeof order)[number], () => Promise<unknown>>;

/** Runs the example until the signal; returns the exit status. */
export async function main(args: string[], env: Env): Promise<number> {
  const endings: Endings = new Map();
  const stop = new AbortController();
  const told = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        resolve();
        stop.abort();
      });
    }
  });
  try {
    const options = readOptions(args);
    if (!options) {
      say(usage);
      return 0;
    }
    await start(options, env, endings, stop.signal);
    await told;
    say('');
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 130;
    console.error(`image-queue: ${explain(error)}`);
    return 1;
  } finally {
    await endAll(endings);
  }
}

async function start(options: Options, env: Env, endings: Endings, signal: AbortSignal): Promise<void> {
  const data = folderOf(options, endings);
  const beganAtMs = performance.now();
  // Side by side: the broker takes some seconds to start.
  const [broker, control] = await bothOrNone([startBroker(options, endings), startEbb(join(data, 'ebb'), endings)]);
  signal.throwIfAborted();
  const storageEnv = env.S3_ENDPOINT ? env : { STORAGE_FOLDER: join(data, 'pictures') };
  const storage = openStorage(storageEnv);
  const board: Board = new Board({ storage: storage.place, takesPrompt: options.takesPrompt }, () => tasks.length());
  const tasks = await TaskBroker.open(broker, {
    event: (event) => board.gallery.happened(event),
    failed: (task, reason) => board.gallery.failed(task, reason, Date.now()),
    connection: (problem) => board.brokerProblem(problem),
  });
  endings.set('connection', () => tasks.close());
  const given = (names: readonly string[]) =>
    Object.fromEntries(names.flatMap((name) => (storageEnv[name] ? [[name, storageEnv[name]]] : [])));
  await applyDocuments(control.client, options.scaledJobFile, {
    config: given(storageVariables),
    secret: { AMQP_URL: broker, ...given(secretStorageVariables) },
  });
  const server = createPageServer({ board, storage, publish: (task) => tasks.publish(task) });
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  const following = new AbortController();
  followScaledJob(control.client, 'image-queue', (status) => board.jobs(status), following.signal).catch(
    (error: unknown) => console.error(`image-queue: ${explain(error)}`),
  );
  endings.set('page', async () => {
    following.abort();
    board.close();
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  say(`ready after ${((performance.now() - beganAtMs) / 1000).toFixed(1)} s`);
  say('');
  say(`  page      http://127.0.0.1:${port}`);
  say(`  broker    ${withoutPassword(broker)}, queue "tasks"`);
  say(`  storage   ${storage.place}`);
  say(`  Ebb       npx ebb get scaledjobs --data ${control.dataDirectory}`);
  say('');
  say('Ctrl-C ends the page, Ebb with its Jobs, and the broker if it was started here.');
}

function folderOf({ dataDirectory }: Options, endings: Endings): string {
  if (dataDirectory) {
    mkdirSync(dataDirectory, { recursive: true });
    return dataDirectory;
  }
  const folder = mkdtempSync(join(tmpdir(), 'image-queue-'));
  endings.set('folder', async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function startBroker({ amqpUrl }: Options, endings: Endings): Promise<string> {
  if (amqpUrl) return amqpUrl;
  say('starting RabbitMQ …');
  const rabbit = await startRabbitMq();
  endings.set('RabbitMQ', () => rabbit.stop());
  return rabbit.amqpUrl;
}

async function startEbb(data: string, endings: Endings) {
  say('starting Ebb …');
  const control = await startControlPlane(data);
  endings.set('Ebb', () => control.stop());
  return control;
}

/** Both results; when one fails, the other is waited for, so that it can be ended. */
async function bothOrNone<A, B>(both: [Promise<A>, Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled(both);
  return Promise.all(both);
}

async function endAll(endings: Endings): Promise<void> {
  for (const name of order) {
    const end = endings.get(name);
    if (!end) continue;
    try {
      if (name === 'Ebb' || name === 'RabbitMQ') say(`ending ${name} …`);
      await end();
    } catch (error) {
      console.error(`image-queue: ${name} could not be ended: ${explain(error)}`);
    }
  }
}

function explain(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\n\n${usage}`;
  if (error instanceof ServiceUnavailable) {
    return (
      `RabbitMQ is not installed here: ${error.program} was not found.\n` +
      '  install it (Debian, Ubuntu; as root):  sudo bash tools/services/install.sh\n' +
      '  or use one that you have:              node examples/image-queue/start.mjs --amqp amqp://guest:guest@127.0.0.1:5672/'
    );
  }
  return error instanceof Error ? error.message : String(error);
}

function withoutPassword(url: string): string {
  const address = new URL(url);
  return `${address.protocol}//${address.host}${address.pathname}`;
}
