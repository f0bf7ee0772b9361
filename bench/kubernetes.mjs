// The operator on a real API server with fake nodes: from a message in Redis to `/scale` written and to ten ready replicas,
// what 2,000 ScaledObjects cost at rest, how soon a restarted operator is in charge, and what it asks of the API server.
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { available, startRedis, until } from '../packages/testing/dist/services/index.js';
import { startBenchCluster } from './kubernetesCluster.mjs';

const bar = { scaleMs: 150, readyMs: 2000, memoryMiB: 300, restShare: 0.1, inChargeMs: 5000 };
const keda = [
  'KEDA 2.21 on this tier, measured: 100 messages, ten ready after 21.4–40.6 s at its defaults, 22.2–25.2 s polling each',
  'second; the first replica wanted after 5.7–20.5 s and 0.06–0.97 s',
].join(' ');
const ready = 10;

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '15' },
      objects: { type: 'string', default: '2000' },
      seconds: { type: 'string', default: '60' },
      only: { type: 'string', default: 'latency,rest' },
    },
  });
  if (!available('kubernetes') || !available('redis')) {
    console.log('it needs the Kubernetes API of tools/kubernetes/install.sh and Redis of tools/services/install.sh');
    return 1;
  }
  const chosen = values.only.split(',');
  const results = [];
  const row = (title, text, isMissed = false) => {
    results.push(isMissed);
    console.log(`  ${title.padEnd(44)} ${text}${isMissed ? '  MISSED' : ''}`);
  };
  console.log(`peer: ${keda}`);
  console.log(`load of the machine before it: ${loadavg()[0].toFixed(1)}`);
  const redis = await startRedis();
  // 110 pods a node, one of two Deployments with a pod.
  const cluster = await startBenchCluster(8 + Math.ceil(Number(values.objects) / 200));
  try {
    if (chosen.includes('latency')) await latency({ cluster, redis, rounds: Number(values.rounds), row });
    if (chosen.includes('rest')) {
      await atRest({ cluster, redis, count: Number(values.objects), seconds: Number(values.seconds), row });
    }
  } finally {
    await cluster.close();
    await redis.stop();
  }
  return results.includes(true) ? 1 : 0;
}

/** Message → `/scale` written → ten ready → zero, and what was written for it. */
async function latency({ cluster, redis, rounds, row }) {
  const { api, requests } = cluster;
  await api.post(deployments, deployment('queue', 0));
  await api.post(scaledObjects, scaledObject('queue', redis.address));
  const operator = await cluster.startOperator();
  const socket = connect(redis.port, redis.host);
  await once(socket, 'connect');
  const toScale = [];
  const toReady = [];
  const counts = [];
  const marked = [];
  let statuses = 0;
  let events = 0;
  const others = [];
  let conflicts = 0;
  const replicas = async () => (await api.get(`${deployments}/queue`)).status ?? {};
  requests();
  const beganMs = performance.now();
  for (let round = 0; round < rounds; round++) {
    // Not in step with anybody's grid.
    await pause(300 + ((round * 137) % 400));
    const startedMs = performance.timeOrigin + performance.now();
    socket.write(`RPUSH queue ${Array.from({ length: 100 }, (_, index) => `m${index}`).join(' ')}\r\n`);
    await once(socket, 'data');
    await until(async () => (await replicas()).readyReplicas === ready, within(60_000, 'ten ready replicas'));
    toReady.push(performance.timeOrigin + performance.now() - startedMs);
    socket.write('DEL queue\r\n');
    await once(socket, 'data');
    await until(async () => ((await replicas()).replicas ?? 0) === 0, within(60_000, 'zero replicas'));
    const seen = requests();
    const first = seen.find(isScaleWrite);
    if (first) toScale.push(first.atMs - startedMs);
    for (const request of seen.filter(isWrite)) {
      const { resource, object, written, status } = request;
      if (resource.endsWith('/scale') && status === 409) conflicts++;
      else if (isScaleWrite(request)) counts.push(written?.spec?.replicas ?? 0);
      else if (resource === 'pods') marked.push(object);
      else if (resource.endsWith('/status')) statuses++;
      else if (resource === 'events') events++;
      else others.push(request);
    }
  }
  const spanS = (performance.now() - beganMs) / 1000;
  socket.destroy();
  await operator.end();
  console.log(`\n100 messages in Redis, ten replicas wanted, ${rounds} rounds`);
  row(`message → /scale written (≤ ${bar.scaleMs} ms p50)`, spread(toScale), quantile(toScale, 0.5) > bar.scaleMs);
  row(`message → ${ready} ready (≤ ${bar.readyMs} ms p50)`, spread(toReady), quantile(toReady, 0.5) > bar.readyMs);
  row('times KEDA at its quickest (21.4 s)', `${(21_400 / quantile(toReady, 0.5)).toFixed(0)} ×`);
  const repeated = counts.filter((count, index) => count === (counts[index - 1] ?? 0)).length;
  const tens = counts.filter((count) => count === ready).length;
  const ways = `${counts.length} (${tens} up in one step, ${counts.length - tens} down), repeated ${repeated}, after a conflict ${conflicts}`;
  row('writes of /scale (one a changed decision)', ways, repeated > 0 || tens !== rounds);
  const twice = marked.length - new Set(marked).size;
  row('patches of pods (one a victim)', `${marked.length}, of the same pod again ${twice}`, twice > 0);
  const allowed = Math.ceil(spanS / 10) + 1;
  row('writes of status (≤ one in 10 s)', `${statuses} in ${spanS.toFixed(0)} s`, statuses > allowed);
  row('writes of events (≤ one in 10 s)', `${events} in ${spanS.toFixed(0)} s`, events > allowed);
  row('other writes (none)', `${others.length}${told(others)}`, others.length > 0);
  await remove(api, ['queue']);
}

/** Thousands of objects with nothing to do. */
async function atRest({ cluster, redis, count, seconds, row }) {
  const { api, requests } = cluster;
  const names = Array.from({ length: count }, (_, index) => `rest-${index}`);
  console.log(`\n${count} ScaledObjects with their Deployments at 0 and 1 replicas, Redis triggers`);
  const madeMs = performance.now();
  await each(names, async (name, index) => {
    await api.post(deployments, deployment(name, index % 2));
    await api.post(scaledObjects, scaledObject(name, redis.address, index % 2));
  });
  await until(
    async () => {
      await pause(2000);
      const { items } = await api.get(`/api/v1/namespaces/default/pods?fieldSelector=status.phase=Running`);
      return items.length >= Math.floor(count / 2);
    },
    within(200_000, 'the pods of the Deployments'),
  );
  console.log(`  (made in ${((performance.now() - madeMs) / 1000).toFixed(0)} s)`);
  requests();
  const first = await cluster.startOperator();
  row('first start → in charge', `${(first.inChargeMs / 1000).toFixed(2)} s`);
  await settled(requests);
  await pause(10_000);
  requests();
  const before = first.usage();
  await pause(seconds * 1000);
  const after = first.usage();
  const share = (after.cpuSeconds - before.cpuSeconds) / seconds;
  row(`memory at rest (RSS ≤ ${bar.memoryMiB} MiB)`, `${after.memoryMiB} MiB`, after.memoryMiB > bar.memoryMiB);
  row(
    `CPU at rest (≤ ${bar.restShare * 100} % of a core)`,
    `${(share * 100).toFixed(1)} % over ${seconds} s`,
    share > bar.restShare,
  );
  const seen = requests();
  const writes = seen.filter(isWrite);
  row(
    'writes at rest (none)',
    `${writes.length}${told(writes)}, lease renewals ${seen.filter(isRenewal).length}`,
    writes.length > 0,
  );
  const lists = seen.filter(({ verb }) => verb === 'list');
  row('lists at rest (none)', `${lists.length}${told(lists)}`, lists.length > 0);

  await first.end();
  requests();
  const second = await cluster.startOperator();
  row(
    `restart → in charge (≤ ${bar.inChargeMs / 1000} s)`,
    `${(second.inChargeMs / 1000).toFixed(2)} s`,
    second.inChargeMs > bar.inChargeMs,
  );
  await settled(requests);
  const name = names[0];
  const startedMs = performance.timeOrigin + performance.now();
  await redis.cli(['rpush', name, ...Array.from({ length: 100 }, (_, index) => `m${index}`)]);
  let found;
  await until(
    () => (found ??= requests().find((one) => isScaleWrite(one) && one.object === `default/${name}`)) !== undefined,
    within(60_000, 'a write'),
  );
  row(`one message among ${count} → /scale written`, `${(found.atMs - startedMs).toFixed(0)} ms`);
  row('memory after the restart', `${second.usage().memoryMiB} MiB`);
  await second.end('SIGKILL');
  const third = await cluster.startOperator();
  row('killed, started anew → in charge', `${(third.inChargeMs / 1000).toFixed(2)} s`);
  await third.end();
}

/** Until it has written nothing for a while: statuses of a first start. */
async function settled(requests) {
  for (let quiet = 0; quiet < 4; ) {
    await pause(500);
    quiet = requests().some(isWrite) ? 0 : quiet + 1;
  }
}

const deployments = '/apis/apps/v1/namespaces/default/deployments';
const scaledObjects = '/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects';

function deployment(name, replicas) {
  const labels = { app: name };
  return {
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'main',
              image: 'worker',
              ports: [{ containerPort: 8080 }],
              resources: { requests: { cpu: '50m', memory: '64Mi' } },
            },
          ],
        },
      },
    },
  };
}

function scaledObject(name, address, minReplicaCount = 0) {
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name, annotations: { 'ebb.dev/improvements': 'true' } },
    spec: {
      scaleTargetRef: { name },
      cooldownPeriod: 1,
      minReplicaCount,
      maxReplicaCount: 30,
      triggers: [{ type: 'redis', metadata: { address, listName: name, listLength: '10' } }],
    },
  };
}

async function remove(api, names) {
  await each(names, async (name) => {
    await api.delete(`${scaledObjects}/${name}`);
    await api.delete(`${deployments}/${name}`);
  });
}

async function each(values, act) {
  const left = [...values.entries()];
  const work = async () => {
    for (let next = left.shift(); next; next = left.shift()) await act(next[1], next[0]);
  };
  await Promise.all(Array.from({ length: 32 }, work));
}

function isRenewal({ verb, resource }) {
  return resource === 'leases' && verb === 'update';
}

function isWrite(request) {
  return ['create', 'update', 'patch', 'delete'].includes(request.verb) && request.resource !== 'leases';
}

function isScaleWrite({ verb, resource, status }) {
  return verb === 'update' && resource.endsWith('/scale') && status === 200;
}

function told(requests) {
  const kinds = new Set(requests.map(({ verb, resource }) => `${verb} ${resource}`));
  return kinds.size === 0 ? '' : ` (${[...kinds].join(', ')})`;
}

function spread(times) {
  const text = (value) => value.toFixed(0).padStart(4);
  return `p50 ${text(quantile(times, 0.5))}  p90 ${text(quantile(times, 0.9))}  max ${text(Math.max(...times))} ms`;
}

function within(withinMs, what) {
  return { withinMs, what: () => what };
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function quantile(values, share) {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
