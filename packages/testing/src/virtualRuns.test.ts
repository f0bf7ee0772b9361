import type { DriverEvent, RunObservation, RunStart } from '@ebb/core';
import { expect, it } from 'vitest';
import { SeededRandom } from './random.ts';
import { VirtualClock } from './virtualClock.ts';
import { VirtualDriver, type VirtualDriverOptions } from './virtualDriver.ts';

function startOf(id: string): RunStart {
  return {
    id,
    owner: { cluster: 'local', namespace: 'default', name: 'resize' },
    node: 'local',
    command: ['resize'],
    env: {},
    envFromHost: [],
    workingDirectory: '/',
    resources: { requests: { cpuMilli: 0, memoryBytes: 0, gpuMilli: 0 }, limits: {} },
    terminationGraceMs: 1000,
  };
}

function begin(runPlan: VirtualDriverOptions['runPlan'] = () => ({ spawnUs: 1000, runUs: 5000 }), seed = 1) {
  const clock = new VirtualClock();
  const driver = new VirtualDriver({ clock, runPlan, random: new SeededRandom(seed) });
  const events: DriverEvent[] = [];
  driver.watch((event) => events.push(event));
  const told = (id: string) =>
    events.flatMap((event) => (event.type === 'run' && event.run.id === id ? [event.run] : []));
  const listed = (id: string): RunObservation | undefined => driver.runs.observations().find((seen) => seen.id === id);
  return { clock, driver, events, told, listed };
}

it('an event that is lost is made up for by the next snapshot', async () => {
  const { clock, driver, events, told } = begin();
  driver.runs.loses = ({ phase }) => phase === 'succeeded';
  void driver.run(startOf('a'));
  await clock.advance(100);
  expect(told('a').map(({ phase }) => phase)).toEqual(['starting', 'running']);
  driver.disconnect();
  driver.reconnect();
  await clock.advance(1);
  expect(events.at(-1)).toMatchObject({ type: 'snapshot', runs: [{ id: 'a', phase: 'succeeded', exitCode: 0 }] });
});

it('what is refused is not there, and can be asked for again', async () => {
  const { clock, driver, listed } = begin();
  driver.runs.refuse = () => new Error('too many processes');
  const refused = expect(driver.run(startOf('a'))).rejects.toThrow('too many processes');
  await clock.advance(10);
  await refused;
  expect(listed('a')).toBeUndefined();
  driver.runs.refuse = null;
  void driver.run(startOf('a'));
  await clock.advance(10);
  expect(listed('a')?.phase).toBe('succeeded');
  expect(driver.runs.started.map(({ id }) => id)).toEqual(['a']);
});

it('as many as said are killed at random, the same ones by the same seed', async () => {
  const killed = async (seed: number) => {
    const { clock, driver } = begin(() => ({ spawnUs: 1000, runUs: 60_000_000 }), seed);
    driver.runs.killChance = 0.2;
    for (let index = 0; index < 500; index++) void driver.run(startOf(`r${index}`));
    await clock.advance(120_000);
    const all = driver.runs.observations();
    expect(all.every(({ phase }) => phase === 'succeeded' || phase === 'failed')).toBe(true);
    return all.filter(({ failure }) => failure === 'signal');
  };
  const first = await killed(7);
  expect(first.length).toBeGreaterThan(70);
  expect(first.length).toBeLessThan(130);
  expect(new Set(first.map(({ endedAtMs }) => endedAtMs)).size).toBeGreaterThan(60);
  expect(await killed(7)).toEqual(first);
  expect(await killed(8)).not.toEqual(first);
});

it('a reboot ends what runs without a trace, and keeps results', async () => {
  const { clock, driver, events, listed } = begin((start) => ({
    spawnUs: 1000,
    runUs: start.id === 'done' ? 1000 : Number.POSITIVE_INFINITY,
    exitCode: 2,
  }));
  for (const id of ['done', 'running', 'stopping']) void driver.run(startOf(id));
  await clock.advance(10);
  void driver.stop('stopping');
  await clock.advance(1);
  driver.disconnect();
  driver.reboot();
  driver.reconnect();
  await clock.advance(1);
  expect(listed('done')).toMatchObject({ phase: 'failed', exitCode: 2 });
  expect(listed('running')).toMatchObject({ failure: 'unknown-end', message: 'ended while nobody watched' });
  expect(listed('stopping')).toBeUndefined();
  expect(events.at(-1)).toMatchObject({ type: 'snapshot', runs: [{ id: 'done' }, { id: 'running' }] });
  await clock.advance(60_000);
  expect(clock.pending()).toBe(0);
});

it('the plan and the hand of a test end runs, and both are heard of', async () => {
  const { clock, driver, listed } = begin((start) => ({
    spawnUs: 1000,
    runUs: start.id === 'planned' ? 2000 : Number.POSITIVE_INFINITY,
    signal: 'SIGSEGV',
  }));
  const ended: string[] = [];
  driver.runs.onEnd = (start, seen) => ended.push(`${start.id} ${seen.message}`);
  for (const id of ['planned', 'by hand', 'lost', 'stopped']) void driver.run(startOf(id));
  await clock.advance(10);
  driver.runs.end('by hand', 9);
  driver.runs.loseTrace('lost');
  driver.runs.end('lost', 0);
  void driver.stop('stopped');
  await clock.advance(1000);
  expect(ended).toEqual([
    'planned ended by SIGSEGV',
    'by hand exit code 9',
    'lost ended while nobody watched',
    'stopped asked to end',
  ]);
  expect(listed('lost')).toMatchObject({ exitCode: null, failure: 'unknown-end' });
});
