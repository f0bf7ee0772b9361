// From a message at a real broker to the decision that wants replicas, through a running Ebb; and what a thousand triggers
// cost while nothing happens. Brokers are started on loopback; one that is not installed is named and left out.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { connect } from '../packages/client/dist/index.js';
import {
  available,
  startKafka,
  startNats,
  startPostgres,
  startRabbitMq,
  startRedis,
} from '../packages/testing/dist/services/index.js';

const run_ = promisify(execFile);
const entry = fileURLToPath(new URL('../packages/cli/bin/ebb.mjs', import.meta.url));
/** Milliseconds at the median that are asked for, and the share of a core at rest. */
const bar = { pushedMs: 100, polledMs: 150, restShare: 0.05 };
/** KEDA 2.21, 100 messages in a Redis list, 10 replicas, measured with fake nodes on two cores. */
const peerMs = 5700;
const keda = 'KEDA 2.21, default polling: first replica wanted after 5.7–20.5 s, all ten ready after 21–41 s';
const wanted = 3;

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '15' },
      triggers: { type: 'string', default: '1000' },
      seconds: { type: 'string', default: '20' },
      only: { type: 'string' },
    },
  });
  const chosen = (name) => values.only === undefined || values.only.split(',').includes(name);
  console.log(`peer: ${keda}\n`);
  console.log(
    `message → first replica wanted | all ${wanted} wanted, ms (asked for at the median of the first: pushed ≤ ` +
      `${bar.pushedMs}, polled ≤ ${bar.polledMs})`,
  );
  let isMissed = false;
  for (const source of sources) {
    if (!chosen(source.name)) continue;
    if (!available(source.needs)) {
      console.log(`  ${source.name.padEnd(22)} ${source.needs} is not installed`);
      continue;
    }
    const { first, all } = await latencies(source, Number(values.rounds));
    const limit = source.how === 'pushed' ? bar.pushedMs : bar.polledMs;
    const p50 = quantile(first, 0.5);
    isMissed ||= p50 > limit;
    const faster = `${(peerMs / p50).toFixed(0)} × the peer at its quickest`;
    console.log(
      `  ${source.name.padEnd(16)} ${source.how}  ${spread(first)}  |  ${spread(all)}   ${faster}${p50 > limit ? '  MISSED' : ''}`,
    );
  }
  const count = Number(values.triggers);
  console.log(
    `\n${count} triggers on one broker, nothing to do: share of a core (asked for: ≤ ${bar.restShare * 100} %)`,
  );
  for (const resting of [restingRedis, restingRabbitMq]) {
    if (!chosen(resting.title) || !available(resting.needs)) continue;
    const { share, memoryMiB } = await atRest(resting, count, Number(values.seconds));
    isMissed ||= share > bar.restShare;
    console.log(
      `  ${resting.title.padEnd(22)} ${(share * 100).toFixed(1)} %   control plane ${memoryMiB} MiB${share > bar.restShare ? '  MISSED' : ''}`,
    );
  }
  return isMissed ? 1 : 0;
}

const sources = [
  {
    name: 'redis-streams',
    needs: 'redis',
    how: 'pushed',
    async open() {
      const service = await startRedis();
      return {
        service,
        metadata: { address: service.address, stream: 'work', streamLength: '1' },
        type: 'redis-streams',
        add: (count) => service.cli(['EVAL', `for i=1,${count} do redis.call('XADD','work','*','m',i) end`, '0']),
        empty: () => service.cli(['DEL', 'work']),
      };
    },
  },
  redisList('redis notified', 'pushed', { notifyKeyspaceEvents: 'KEA' }),
  redisList('redis', 'polled', {}),
  {
    name: 'kafka',
    needs: 'kafka',
    how: 'pushed',
    async open() {
      const service = await startKafka();
      await service.tools.createTopic('work', 3);
      await service.tools.produce('work', ['first']);
      await service.tools.commit('workers', 'work', 'latest');
      const { Producer } = await import('@platformatic/kafka');
      const producer = new Producer({ clientId: 'bench', bootstrapBrokers: [service.bootstrapServers] });
      return {
        service,
        type: 'kafka',
        metadata: {
          bootstrapServers: service.bootstrapServers,
          consumerGroup: 'workers',
          topic: 'work',
          lagThreshold: '1',
        },
        add: (count) =>
          producer.send({
            messages: Array.from({ length: count }, (_, index) => ({
              topic: 'work',
              partition: index % 3,
              value: Buffer.from('m'),
            })),
          }),
        empty: () => service.tools.commit('workers', 'work', 'latest'),
        close: () => producer.close(),
      };
    },
  },
  {
    name: 'nats-jetstream',
    needs: 'nats',
    how: 'pushed',
    async open() {
      const service = await startNats();
      await service.createStream('WORK', ['work']);
      await service.createConsumer('WORK', 'workers');
      return {
        service,
        type: 'nats-jetstream',
        metadata: {
          natsServerMonitoringEndpoint: service.monitoringAddress,
          natsServer: service.url,
          account: '$G',
          stream: 'WORK',
          consumer: 'workers',
          lagThreshold: '1',
        },
        add: async (count) => {
          for (let message = 0; message < count; message++) await service.publish('work', ['m']);
        },
        empty: () => service.jetStream('STREAM.PURGE.WORK', {}),
      };
    },
  },
  {
    name: 'rabbitmq amqp',
    needs: 'rabbitmq',
    how: 'polled',
    async open() {
      const service = await startRabbitMq();
      await service.createQueue('work');
      const send = await rabbitSender(service.amqpUrl);
      return {
        service,
        type: 'rabbitmq',
        metadata: { host: service.amqpUrl, queueName: 'work', mode: 'QueueLength', value: '1' },
        add: (count) => send.publish('work', count),
        empty: () => send.purge('work'),
        close: () => send.close(),
      };
    },
  },
  {
    name: 'postgresql',
    needs: 'postgres',
    how: 'polled',
    async open() {
      const service = await startPostgres();
      await service.sql('CREATE TABLE work (id int)');
      return {
        service,
        type: 'postgresql',
        env: { WORK_DATABASE: service.url },
        metadata: { connectionFromEnv: 'WORK_DATABASE', query: 'SELECT count(*) FROM work', targetQueryValue: '1' },
        add: (count) => service.sql(`INSERT INTO work SELECT generate_series(1, ${count})`),
        empty: () => service.sql('DELETE FROM work'),
      };
    },
  },
];

function redisList(name, how, options) {
  return {
    name,
    needs: 'redis',
    how,
    async open() {
      const service = await startRedis(options);
      return {
        service,
        type: 'redis',
        metadata: { address: service.address, listName: 'work', listLength: '1' },
        add: (count) => service.cli(['RPUSH', 'work', ...Array.from({ length: count }, String)]),
        empty: () => service.cli(['DEL', 'work']),
      };
    },
  };
}

async function rabbitSender(url) {
  const { connect: open } = await import('amqplib').then((module) => module.default ?? module);
  const connection = await open(url);
  const channel = await connection.createConfirmChannel();
  return {
    async publish(queue, count) {
      for (let message = 0; message < count; message++)
        channel.sendToQueue(queue, Buffer.from('m'), { persistent: true });
      await channel.waitForConfirms();
    },
    purge: (queue) => channel.purgeQueue(queue),
    close: () => connection.close(),
  };
}

/** From the moment before the send to the decision, as `ebb`'s own watch tells it. */
async function latencies(source, rounds) {
  const opened = await source.open();
  const { type, metadata, env = {} } = opened;
  const ebb = await startEbb([workload('worker', env), scaledObject('worker', type, metadata)]);
  const first = [];
  const all = [];
  try {
    const client = await connect({ dataDirectory: ebb.data });
    const follower = follow(client);
    await follower.until((replicas) => replicas === 0);
    for (let round = 0; round < rounds; round++) {
      // Not in step with anybody's grid.
      await pause(300 + ((round * 137) % 400));
      const startedMs = performance.now();
      const woken = follower.until((replicas) => replicas >= 1);
      const decided = follower.until((replicas) => replicas >= wanted);
      await opened.add(wanted);
      first.push((await woken) - startedMs);
      all.push((await decided) - startedMs);
      await opened.empty();
      await follower.until((replicas) => replicas === 0);
    }
    follower.stop();
  } finally {
    await ebb.stop();
    await opened.close?.();
    await opened.service.stop();
  }
  return { first, all };
}

function spread(times) {
  const text = (value) => value.toFixed(0).padStart(4);
  return `p50 ${text(quantile(times, 0.5))}  p90 ${text(quantile(times, 0.9))}  max ${text(Math.max(...times))}`;
}

function follow(client) {
  const aborted = new AbortController();
  let replicas = 0;
  let waiting = [];
  (async () => {
    for await (const event of client.watch({ signal: aborted.signal })) {
      if (event.type !== 'decision') continue;
      replicas = event.decision.replicas;
      for (const { fits, resolve } of waiting) if (fits(replicas)) resolve(performance.now());
      waiting = waiting.filter(({ fits }) => !fits(replicas));
    }
  })().catch((error) => waiting.forEach(({ reject }) => reject(error)));
  return {
    until(fits) {
      if (fits(replicas)) return Promise.resolve(performance.now());
      return new Promise((resolve, reject) => {
        waiting.push({ fits, resolve, reject });
      });
    },
    stop: () => aborted.abort(),
  };
}

const restingRedis = {
  title: 'redis',
  needs: 'redis',
  start: () => startRedis(),
  prepare: async () => {},
  trigger: (service, index) => ['redis', { address: service.address, listName: `work-${index}`, listLength: '1' }],
};
const restingRabbitMq = {
  title: 'rabbitmq amqp',
  needs: 'rabbitmq',
  start: () => startRabbitMq(),
  async prepare(service, count) {
    for (let index = 0; index < count; index++) await service.createQueue(`work-${index}`);
  },
  trigger: (service, index) => [
    'rabbitmq',
    { host: service.amqpUrl, queueName: `work-${index}`, mode: 'QueueLength', value: '1' },
  ],
};

async function atRest(resting, count, seconds) {
  const service = await resting.start();
  await resting.prepare(service, count);
  const documents = Array.from({ length: count }, (_, index) => [
    workload(`worker-${index}`, {}),
    scaledObject(`worker-${index}`, ...resting.trigger(service, index)),
  ]).flat();
  const ebb = await startEbb(documents);
  try {
    await pause(8000);
    const before = usage(ebb.pid);
    await pause(seconds * 1000);
    const after = usage(ebb.pid);
    return { share: (after.cpuSeconds - before.cpuSeconds) / seconds, memoryMiB: after.memoryMiB };
  } finally {
    await ebb.stop();
    await service.stop();
  }
}

/** CPU time so far and resident memory of a process, from /proc. */
function usage(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const memory = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return { cpuSeconds: ticks / 100, memoryMiB: Math.round(Number(memory?.[1] ?? 0) / 1024) };
}

function workload(name, env) {
  return {
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'Workload',
    metadata: { name },
    // What runs does not matter here: the decision is what is timed.
    spec: { classes: [{ name: 'default', command: ['sleep', '3600'], env }] },
  };
}

function scaledObject(name, type, metadata) {
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name, annotations: { 'ebb.dev/improvements': 'true' } },
    spec: { scaleTargetRef: { name }, cooldownPeriod: 1, triggers: [{ type, metadata }] },
  };
}

async function startEbb(documents) {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-bench-'));
  const data = join(folder, '.ebb');
  const file = join(folder, 'documents.json');
  writeFileSync(file, documents.map((document) => JSON.stringify(document)).join('\n---\n'));
  const ebb = (...args) => run_(process.execPath, [entry, ...args, '--data', data], { maxBuffer: 64 << 20 });
  await ebb('up', '--detach', '--api-port', '0', '--gateway-port', '0');
  await ebb('apply', '-f', file);
  const { pid } = JSON.parse(readFileSync(join(data, 'control.json'), 'utf8'));
  return {
    data,
    pid,
    async stop() {
      await ebb('down');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function quantile(values, share) {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
