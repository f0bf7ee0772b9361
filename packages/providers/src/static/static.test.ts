import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeLaunch, Provider } from '@ebb/core';
import { type NodePoolSpec, resolveNodePool } from '@ebb/documents';
import { nodeLaunch, settle, VirtualClock } from '@ebb/testing';
import { describeProviderConformance } from '@ebb/testing/conformance';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MemoryBook } from '../testing/memoryBook.ts';
import { type Hands, realHands } from './hands.ts';
import { ownMachines, ownOfferings } from './offerings.ts';
import { openStatic } from './static.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-static-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Real programs and connections, whose number is known: time goes on when none is under way. */
class CountedHands implements Hands {
  readonly #hands = realHands();
  underWay = 0;

  run(...args: Parameters<Hands['run']>) {
    return this.#counted(this.#hands.run(...args));
  }

  connect(...args: Parameters<Hands['connect']>) {
    return this.#counted(this.#hands.connect(...args));
  }

  close() {
    this.#hands.close();
  }

  async #counted<Value>(promise: Promise<Value>): Promise<Value> {
    this.underWay++;
    try {
      return await promise;
    } finally {
      this.underWay--;
    }
  }
}

class Site {
  readonly clock = new VirtualClock();
  readonly hands = new CountedHands();
  readonly book = new MemoryBook();
  readonly log: string[] = [];
  machines: Record<string, unknown>[];

  constructor(machines: Record<string, unknown>[]) {
    this.machines = machines;
  }

  pool(): NodePoolSpec {
    return resolveNodePool({
      apiVersion: 'ebb.dev/v1alpha1',
      kind: 'NodePool',
      metadata: { name: 'racks' },
      spec: { machines: this.machines },
    });
  }

  open(cluster = 'local', book = this.book, hands: Hands = this.hands): Promise<Provider> {
    const settings = { cluster, region: null, pools: () => [this.pool()] };
    const ports = {
      clock: this.clock,
      book,
      log: (line: string) => this.log.push(line),
      secrets: async () => null,
    };
    return openStatic(settings, ports, hands);
  }

  launch(id: string, change: Partial<NodeLaunch> = {}, instanceType = 'box'): NodeLaunch {
    return nodeLaunch(id, {
      pool: `${change.cluster ?? 'local'}/default/racks`,
      offering: { cloud: 'on-prem', region: 'own', zone: '*', instanceType, capacityType: 'on-demand' },
      ...change,
    });
  }

  async settled(): Promise<void> {
    do await settle();
    while (this.hands.underWay > 0);
    await settle();
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    for (let second = 0; second < 3600; second++) {
      await this.settled();
      if (condition()) return;
      await this.clock.advance(1000);
    }
    throw new Error(`${what} did not come true within an hour`);
  }

  /** Two rounds of checks. */
  async pass(): Promise<void> {
    for (let second = 0; second < 11; second++) {
      await this.clock.advance(1000);
      await this.settled();
    }
  }

  async done<Value>(promise: Promise<Value>): Promise<Value> {
    let isOver = false;
    promise.then(
      () => (isOver = true),
      () => (isOver = true),
    );
    await this.until(() => isOver, 'the answer');
    return promise;
  }
}

const isOn = (name: string) => join(folder, `${name}.on`);
/** A machine that is on while a file is there; a second file breaks its switch. */
const box = (name: string) => ({
  name,
  instanceType: 'box',
  cpu: 4,
  memory: '8Gi',
  wake: [
    'sh',
    '-c',
    'test ! -e "$0" || { echo no power >&2; exit 3; }; touch "$1"',
    join(folder, 'broken'),
    isOn(name),
  ],
  sleep: ['rm', '-f', isOn(name)],
  health: ['test', '-e', isOn(name)],
});

describeProviderConformance('static', async () => {
  const dud = { ...box('dud'), instanceType: 'dud', health: ['false'] };
  const site = new Site([box('box-1'), box('box-2'), box('box-3'), dud]);
  const machineOf = new Map<string, string>();
  const provider = await site.open();
  provider.watch((event) => {
    for (const node of event.type === 'snapshot' ? event.nodes : event.type === 'node' ? [event.node] : [])
      machineOf.set(node.id ?? '', node.providerId ?? '');
  });
  return {
    provider,
    other: await site.open('other', new MemoryBook()),
    launch: (id, cluster = 'local') => site.launch(id, { cluster, pool: `${cluster}/default/racks` }),
    impossible: (id) => site.launch(id, {}, 'bocks'),
    marksOf: async () => null,
    faults: {
      stockOut() {
        writeFileSync(join(folder, 'broken'), '');
        return () => rmSync(join(folder, 'broken'));
      },
      lostAnswer() {
        site.book.failure = { error: new Error('the disk is slow'), isWritten: true };
      },
      neverJoins: (launch) => ({ ...launch, offering: { ...launch.offering, instanceType: 'dud' } }),
      hangs: (id) => rmSync(isOn(machineOf.get(id) ?? 'none')),
      vanishes(id) {
        site.machines = site.machines.filter(({ name }) => name !== machineOf.get(id));
      },
    },
    until: (condition, what) => site.until(condition, what),
    pass: () => site.pass(),
    close: async () => site.machines.forEach(({ name }) => rmSync(isOn(String(name)), { force: true })),
  };
});

test('each launch wakes a free machine, until none is; refusals say what there is', async () => {
  const site = new Site([box('a'), box('b')]);
  const provider = await site.open();
  await site.done(Promise.all([provider.launch(site.launch('n1')), provider.launch(site.launch('n2'))]));
  expect([existsSync(isOn('a')), existsSync(isOn('b'))]).toEqual([true, true]);
  const refusal = (change: Partial<NodeLaunch['offering']>, pool = 'local/default/racks') =>
    site
      .done(provider.launch({ ...site.launch('n3'), pool, offering: { ...site.launch('n3').offering, ...change } }))
      .catch(({ code, message }) => `${code}: ${message}`);
  expect(await refusal({})).toBe('stock-out: all 2 machines of kind "box" of pool "local/default/racks" are in use');
  expect(await refusal({ instanceType: 'boxx' })).toBe(
    'unknown-offering: pool "local/default/racks" has no "boxx"; it has box; did you mean "box"?',
  );
  expect(await refusal({ zone: 'rack-9' })).toContain('has no "box" in zone "rack-9"');
  expect(await refusal({ capacityType: 'spot' })).toContain("machines of one's own are never spot");
  expect(await refusal({}, 'local/default/rack')).toBe('refused: there is no node pool "local/default/rack"');
  await site.done(provider.terminate({ id: 'n1' }));
  await site.until(() => !existsSync(isOn('a')), 'the sleep');
  await site.settled();
  await site.done(provider.launch(site.launch('n3')));
  expect(existsSync(isOn('a'))).toBe(true);
  await provider.close();
});

test('a machine without commands is always on, and says so, also when it is given back', async () => {
  const site = new Site([{ name: 'old', cpu: 2, memory: '4Gi', pricePerHour: '0.2' }]);
  const provider = await site.open();
  await site.done(provider.launch(site.launch('n1', {}, 'old')));
  await site.pass();
  const [seen] = await provider.list();
  expect(seen).toMatchObject({ phase: 'ready', message: 'is always on: nothing is saved when it is not needed' });
  await site.done(provider.terminate({ id: 'n1' }));
  await site.settled();
  expect(await provider.list()).toEqual([]);
  expect(site.log).toEqual([
    'machine "old" has no command that puts it to sleep: it stays on, and what it costs goes on',
  ]);
  await provider.close();
});

test('a machine that cannot be put to sleep is told and tried again, its price goes on meanwhile', async () => {
  const asleep = join(folder, 'may-sleep');
  const site = new Site([{ ...box('tired'), sleep: ['sh', '-c', 'cat "$0"', asleep] }]);
  const provider = await site.open();
  await site.done(provider.launch(site.launch('n1')));
  await site.done(provider.terminate({ id: 'n1' }));
  await site.settled();
  const [seen] = await provider.list();
  expect(seen).toMatchObject({ phase: 'stopping', failure: 'sleep-failed' });
  expect(seen?.message).toMatch(/^is not put to sleep, and its price goes on: sh ended with 1: cat: .*No such file/);
  writeFileSync(asleep, '');
  await site.clock.advance(30_000);
  await site.settled();
  expect(await provider.list()).toEqual([]);
  await provider.close();
});

test('which machine is whose outlives the process, and what was begun is ended', async () => {
  const slow = join(folder, 'wakes');
  const site = new Site([
    box('keep'),
    { ...box('slow'), instanceType: 'slow', wake: ['sh', '-c', 'echo >>"$0"; sleep 60', slow] },
  ]);
  const first = await site.open();
  await site.done(first.launch(site.launch('n1')));
  await site.pass();
  // Ended in the middle of the wake command: the launch is not known to have happened.
  const waking = first.launch(site.launch('n2', {}, 'slow'));
  const refusal = expect(waking).rejects.toMatchObject({ code: 'unavailable' });
  while (!existsSync(slow)) await settle();
  await first.close();
  await refusal;
  site.machines = [
    box('keep'),
    { ...box('slow'), instanceType: 'slow', wake: ['sh', '-c', 'echo >>"$0"', slow], health: ['true'] },
  ];
  const second = await site.open();
  expect(await second.list()).toMatchObject([
    { id: 'n1', phase: 'ready', providerId: 'keep' },
    { id: 'n2', phase: 'requested' },
  ]);
  await site.pass();
  expect(await second.list()).toMatchObject([{ id: 'n1' }, { id: 'n2', phase: 'ready' }]);
  expect(readFileSync(slow, 'utf8')).toBe('\n\n');
  await second.close();
});

test('an address is asked for a connection; one that fails once is not lost yet', async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const site = new Site([{ name: 'web', instanceType: 'box', cpu: 1, memory: '1Gi', address: `127.0.0.1:${port}` }]);
  const provider = await site.open();
  await site.done(provider.launch(site.launch('n1')));
  await site.settled();
  expect(await provider.list()).toMatchObject([{ phase: 'ready' }]);
  await new Promise((resolve) => server.close(resolve));
  await site.clock.advance(5000);
  await site.settled();
  expect(await provider.list()).toMatchObject([{ phase: 'ready' }]);
  await site.clock.advance(5000);
  await site.settled();
  expect(await provider.list()).toMatchObject([{ phase: 'running', failure: 'unreachable' }]);
  expect((await provider.list())[0]?.message).toMatch(/^127\.0\.0\.1:\d+ does not answer: .*ECONNREFUSED/);
  await provider.close();
});

test('without a check, a machine that was woken is ready after its expected time', async () => {
  const { health, ...blind } = box('blind');
  expect(health).toBeDefined();
  const site = new Site([blind]);
  const provider = await site.open();
  await site.done(provider.launch(site.launch('n1')));
  await site.clock.advance(50_000);
  await site.settled();
  expect(await provider.list()).toMatchObject([{ phase: 'booting' }]);
  await site.clock.advance(20_000);
  await site.settled();
  expect(await provider.list()).toMatchObject([{ phase: 'ready' }]);
  await provider.close();
});

test('commands get no environment of Ebb, no shell, and end with their time and all they started', async () => {
  const hands = realHands();
  process.env.EBB_STATIC_TEST_SECRET = 'hush';
  const left = join(folder, 'left');
  try {
    expect(
      await hands.run(
        ['sh', '-c', 'echo "[$EBB_STATIC_TEST_SECRET][$EBB_NODE]" >&2; exit 1'],
        { EBB_NODE: 'n1' },
        5000,
      ),
    ).toBe('sh ended with 1: [][n1]');
    expect(await hands.run(['test', '$HOME', '=', '$HOME'], {}, 5000)).toBeNull();
    expect(await hands.run(['no-such-program-here'], {}, 5000)).toBe('no-such-program-here was not found');
    const hung = hands.run(['sh', '-c', 'sleep 60 & echo $! > "$0"; wait', left], {}, 300);
    expect(await hung).toBe('sh did not end within 300 ms');
    const pid = Number(readFileSync(left, 'utf8'));
    const isAlive = () =>
      existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    for (let turn = 0; turn < 10_000 && isAlive(); turn++) await settle();
    expect(isAlive()).toBe(false);
    // What a command that succeeded leaves behind holds nobody up.
    expect(await hands.run(['sh', '-c', 'sleep 2 & exit 0'], {}, 1500)).toBeNull();
  } finally {
    delete process.env.EBB_STATIC_TEST_SECRET;
    hands.close();
  }
});

test('offerings and their numbers come from the pool', () => {
  const gpu = { model: 'L4', count: 2, memory: '24Gi' };
  const machines = [
    { ...box('a'), zone: 'rack-1', gpu, pricePerHour: '0.35' },
    { ...box('b'), zone: 'rack-1', gpu, pricePerHour: '0.35' },
    { ...box('c'), zone: 'rack-2', gpu, pricePerHour: '0.35' },
  ];
  const pool = new Site(machines).pool();
  const offerings = ownOfferings(pool, 'berlin');
  expect(offerings.map(({ id }) => id)).toEqual([
    'on-prem/berlin/rack-1/box/on-demand',
    'on-prem/berlin/rack-2/box/on-demand',
  ]);
  expect(offerings[0]).toMatchObject({
    pricePerHourMicro: 350_000,
    instanceType: { cpuMilli: 4000, gpu: { vendor: 'nvidia', model: 'L4', count: 2, memoryBytes: 24 * 2 ** 30 } },
  });
  expect(ownMachines(pool, 'berlin')).toEqual({
    'on-prem/berlin/rack-1/box/on-demand': 2,
    'on-prem/berlin/rack-2/box/on-demand': 1,
  });
});
