import { setTimeout as pause } from 'node:timers/promises';
import { SeededRandom } from '@ebb/testing';
import { isObject, numberAt, textAt } from '../client/values.ts';
import { httpTransport, type Transport } from '../client/transport.ts';
import { FakeApiServer } from '../fake/fakeApiServer.fixture.ts';
import { deployment } from '../fake/fakeCluster.fixture.ts';
import { runOperator, scaledObject, type StartedOperator, ToldTriggers } from '../fake/operator.fixture.ts';

const deployments = 'apps/v1/deployments';
const objects = 'keda.sh/v1alpha1/scaledobjects';
const names = ['one', 'two', 'three'];
/** Messages a replica, as `scaledObject` says it. */
const target = 10;
const most = 20;
/** For three targets: up or down in steps, and what others have changed meanwhile. */
const stormWrites = 20;
const longerThanCooldownMs = 1200;
const lookEveryMs = 10;
/** A decision that is made as the news comes may be of before. */
const slackMs = 100;

export interface FaultReport {
  readonly seed: number;
  readonly faults: string[];
  readonly writes: number;
}

interface Demand {
  value: number | null;
  /** Since when it is known that there is nothing to do, or not known or not so. */
  sinceMs: number;
  /** Most replicas that anything told so far is worth. */
  peak: number;
}

/**
 * Two operators of different versions and clocks, one fake API server, and faults by a seed: connections that break, a
 * history that is lost, refusals, others that write the same objects, leaders that are killed, pods that go, sources that
 * cannot be read. Throws where a count was written that is not what the decision of that moment asks for, where something
 * went to zero while there was work or nobody knew, and where it does not converge afterwards.
 */
export async function runFaults(seed: number): Promise<FaultReport> {
  const numbers = new SeededRandom(seed);
  const random = () => numbers.next();
  const pick = <Value>(values: readonly [Value, ...Value[]]): Value =>
    values[Math.floor(random() * values.length)] ?? values[0];
  const server = await FakeApiServer.start();
  server.podsReadyAfterMs = 5 + Math.floor(random() * 40);
  const triggers = new ToldTriggers();
  const demand = new Map<string, Demand>();
  const faults: string[] = [];
  const broken: string[] = [];
  let writes = 0;
  const running: StartedOperator[] = [];
  let serial = 0;

  /** By operator and name, when zero was decided; as long as it is. */
  const zeros = new Map<StartedOperator, Map<string, number>>();
  const look = () => {
    for (const one of running) {
      const decided = zeros.get(one) ?? new Map<string, number>();
      zeros.set(one, decided);
      for (const { name, replicas } of one.operator.leading()?.engine.statuses() ?? []) {
        if (replicas.wanted > 0) decided.delete(name);
        else if (!decided.has(name)) decided.set(name, Date.now());
      }
    }
  };
  const looking = setInterval(look, lookEveryMs);
  const written = (name: string, count: number, sender: StartedOperator | undefined) => {
    writes++;
    const told = demand.get(name);
    if (!told) return;
    if (count > told.peak) {
      broken.push(`${name}: ${count} replicas written, and never more than ${told.peak} were needed`);
    }
    // What is refused is written when it is taken, a second later or more: what counts is when it was decided.
    const decidedMs = (sender && zeros.get(sender)?.get(name)) ?? Date.now();
    if (count === 0 && told.value !== 0 && decidedMs - told.sinceMs > slackMs) {
      broken.push(`${name}: zero written with ${told.value ?? 'an unknown number of'} messages`);
    }
  };
  /**
   * What is written is never more than the one who writes it wants in that moment, and never takes a pod away that is wanted. Fewer on the
   * way up are what the API server has let it ask for so far.
   */
  const checked = (name: string, count: number, leading: ReturnType<StartedOperator['operator']['leading']>) => {
    const wanted = leading?.engine.statuses().find((status) => status.name === name)?.replicas.wanted;
    // One that has just begun is not shown as leading yet.
    if (wanted === undefined || wanted === count) return;
    const before = replicasOf(server.get(deployments, 'default', name));
    if (count > wanted || count < before)
      broken.push(`${name}: ${count} replicas written in the place of ${before}, and ${wanted} were wanted`);
  };
  const noting = (inner: Transport, sender: () => StartedOperator | undefined): Transport => ({
    ...inner,
    async send(request) {
      const isScale = request.method === 'PUT' && request.path.endsWith('/scale');
      const name = request.path.split('/').at(-2) ?? '';
      const count = numberAt(request.body, 'spec', 'replicas') ?? 0;
      if (isScale) checked(name, count, sender()?.operator.leading() ?? null);
      const answer = await inner.send(request);
      if (isScale && answer.status === 200) written(name, count, sender());
      return answer;
    },
  });
  const start = async () => {
    const identity = `operator-${++serial}`;
    let self: StartedOperator | undefined;
    const transport = noting(httpTransport({ server: server.url }), () => self);
    // Readings and creation times are by the others' clocks.
    const skewMs = pick([0, 3_600_000, -1500, -86_400_000]);
    const version = `${serial}.0.0`;
    const options = { server: server.url, identity, triggers, transport, leaseMs: 2000, skewMs, version };
    // One that is refused at its very start ends, and is started again by the kubelet.
    while (!self) self = await runOperator(options).catch(() => pause(100, undefined));
    running.push(self);
  };
  const say = (name: string, value: number | null) => {
    look();
    const before = demand.get(name) ?? { value: 0, sinceMs: 0, peak: 0 };
    const sinceMs = (value === 0) === (before.value === 0) ? before.sinceMs : Date.now();
    const needed = value === null ? 0 : Math.min(most, Math.ceil(value / target));
    demand.set(name, { ...before, value, sinceMs, peak: Math.max(before.peak, needed) });
    triggers.say(name, value);
  };
  const refuseFor = (ms: number, status: number, part: string) => {
    server.refuse = ({ path }) => (path.includes(part) ? status : null);
    setTimeout(() => (server.refuse = () => null), ms).unref();
  };
  const steps: readonly [string, () => void | Promise<void>][] = [
    ['messages', () => say(pick(['one', 'two', 'three']), pick([5, 15, 40, 120, 300]))],
    ['empty', () => say(pick(['one', 'two', 'three']), 0)],
    ['source away', () => say(pick(['one', 'two', 'three']), null)],
    [
      'source away as it is empty',
      async () => {
        const name = pick(['one', 'two', 'three']);
        say(name, 40);
        await pause(random() * 150);
        say(name, 0);
        await pause(random() * 30);
        say(name, null);
        await pause(longerThanCooldownMs);
      },
    ],
    ['connections cut', () => server.cut()],
    [
      'history lost',
      () => {
        server.compact();
        server.cut();
      },
    ],
    [
      'refused',
      () => refuseFor(50 + random() * 250, pick([500, 503, 429, 409]), pick(['/scale', '/leases', '/apis', '/status'])),
    ],
    [
      'others write',
      async () => {
        const name = pick(['one', 'two', 'three']);
        for (let times = 0; times < 15; times++) {
          const found = server.get(deployments, 'default', name);
          if (found) server.put(deployments, { ...found, status: { touched: times } });
          await pause(4);
        }
      },
    ],
    [
      'leader killed',
      async () => {
        const holder = textAt(server.get('coordination.k8s.io/v1/leases', 'default', 'ebb'), 'spec', 'holderIdentity');
        const at = running.findIndex(({ operator }) => operator.leading() !== null);
        const [killed] = at < 0 || holder === '' ? [] : running.splice(at, 1);
        killed?.kill();
        await killed?.stop();
        if (killed) await start();
      },
    ],
    [
      'a pod goes',
      () => {
        const pods = server.list('v1/pods');
        const name = textAt(pods[Math.floor(random() * pods.length)], 'metadata', 'name');
        if (name !== null) server.endPod('default', name);
      },
    ],
    [
      'pods go as it is decided',
      async () => {
        const name = pick(['one', 'two', 'three']);
        say(name, 120);
        await pause(random() * 150);
        const own = server.list('v1/pods').filter((pod) => textAt(pod, 'metadata', 'labels', 'owner') === name);
        const isBefore = random() < 0.5;
        if (!isBefore) say(name, pick([50, 70, 200]));
        for (const pod of own.slice(0, 1 + Math.floor(random() * 4))) {
          const ended = textAt(pod, 'metadata', 'name') ?? '';
          if (random() < 0.3) server.remove('v1/pods', 'default', ended);
          else server.endPod('default', ended);
        }
        await pause(pick([0, 0, 1, 4, 15]));
        if (isBefore) say(name, pick([50, 70, 200]));
      },
    ],
    [
      'a node is lost',
      () => {
        for (const pod of server.list('v1/pods')) {
          const name = textAt(pod, 'metadata', 'name');
          if (name !== null && random() < 0.5) server.setReady('default', name, false);
          if (name !== null && random() < 0.5) server.endPod('default', name);
        }
      },
    ],
  ];

  try {
    for (const name of names) {
      say(name, 0);
      server.put(deployments, deployment(name, 0));
      server.put(objects, scaledObject(name, { target: name }));
    }
    await start();
    await start();
    for (let count = 10 + Math.floor(random() * 10); count > 0; count--) {
      const [title, act] = pick(steps as [(typeof steps)[number]]);
      faults.push(title);
      await act();
      await pause(random() * 120);
    }
    server.refuse = () => null;
    const wanted = new Map(names.map((name) => [name, pick([0, 1, 3, 7])]));
    for (const [name, count] of wanted) say(name, count * target);
    const counted = () =>
      names.map((name) => {
        const pods = server.list('v1/pods').filter((pod) => textAt(pod, 'metadata', 'labels', 'owner') === name);
        return `${name} ${replicasOf(server.get(deployments, 'default', name))} pods ${pods.length}`;
      });
    const expected = names.map((name) => `${name} ${wanted.get(name)} pods ${wanted.get(name)}`);
    const healedWrites = writes;
    const endMs = Date.now() + 120_000;
    // Converged is what stays so: it may pass by on the way, and what was asked last may still be under way.
    for (let quietMs = 0, before = writes; quietMs < 1500 && broken.length === 0; quietMs += 20) {
      if (Date.now() > endMs) throw new Error(`it is ${counted().join(', ')} and not ${expected.join(', ')}`);
      if (String(counted()) !== String(expected) || writes !== before) quietMs = 0;
      before = writes;
      await pause(20);
    }
    if (writes - healedWrites > stormWrites) broken.push(`${writes - healedWrites} writes until it was as wanted`);
    if (broken.length > 0) throw new Error(broken.join('\n'));
    return { seed, faults, writes };
  } catch (error) {
    const states = running.flatMap(({ operator }) =>
      (operator.leading()?.engine.statuses() ?? []).map((status) => {
        const scale = operator.leading()?.driver.scaleOf({ cluster: 'local', namespace: 'default', name: status.name });
        return JSON.stringify([status.name, demand.get(status.name), status.replicas, scale, status.conditions]);
      }),
    );
    const logs = [...states, ...running.flatMap(({ log }) => log.slice(-12))].join('\n');
    throw new Error(`${(error as Error).message}\nfaults: ${faults.join(', ')}\n${logs}`, { cause: error });
  } finally {
    clearInterval(looking);
    for (const one of running) await one.stop();
    await server.close();
  }
}

function replicasOf(found: unknown): number {
  return isObject(found) ? (numberAt(found, 'spec', 'replicas') ?? 0) : -1;
}
