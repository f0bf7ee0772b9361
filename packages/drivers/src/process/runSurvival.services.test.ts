import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRunning, readProcesses } from './agent/processTable.ts';
import { AgentUnderTest, allLines, EventLog, runOf, until } from './testing/agentUnderTest.ts';

let agents: AgentUnderTest;

beforeEach(() => {
  agents = new AgentUnderTest();
});

afterEach(async () => {
  expect(await agents.end()).toEqual([]);
});

async function begin() {
  const agent = await agents.startAgent();
  const driver = await agents.connect();
  const kill = async () => {
    agent.process.kill('SIGKILL');
    await agent.exited;
  };
  return { agent, driver, kill, log: new EventLog(driver) };
}

const notePath = (id: string) => join(agents.directory, `run/runs/${id}.run`);
const inGroup = (group: number | null) => readProcesses().filter((entry) => entry.group === group && !entry.ended);

/** Adds to what an earlier agent noted of a run: what is said later counts. */
function edit(id: string, change: object): void {
  appendFileSync(notePath(id), `${JSON.stringify(change)}\n`);
}

describe('when the agent is killed', () => {
  it('runs end as they would have, and the next agent knows how and when', async () => {
    const { driver, kill, log } = await begin();
    for (const id of ['well', 'badly', 'killed']) await driver.run?.(runOf(id, agents.held(id)));
    const groups = await Promise.all(['well', 'badly', 'killed'].map(async (id) => (await log.run(id, 'running')).pid));
    const before = log.events.length;
    await kill();
    await log.event('disconnected');
    agents.release('well', 0);
    const releasedMs = Date.now();
    agents.release('badly', 42);
    const [command] = inGroup(groups[2] ?? 0).filter(({ pid }) => pid !== groups[2]);
    process.kill(command?.pid ?? 0, 'SIGKILL');
    await until(() => groups.every((group) => inGroup(group).length === 0));
    const endedMs = Date.now();
    await agents.startAgent();
    expect(await log.run('well', 'succeeded', before)).toMatchObject({ exitCode: 0, message: 'exit code 0' });
    const badly = await log.run('badly', 'failed', before);
    expect(badly).toMatchObject({ exitCode: 42, failure: 'exit', message: 'exit code 42', pid: null });
    expect(badly.endedAtMs).toBeGreaterThanOrEqual(releasedMs - 5);
    expect(badly.endedAtMs).toBeLessThanOrEqual(endedMs + 5);
    expect(await log.run('killed', 'failed', before)).toMatchObject({ failure: 'signal', message: 'ended by SIGKILL' });
    const { owner } = runOf('', []);
    const lines = await allLines(driver.logs({ workload: owner, replica: 'badly', tailLines: 5, follow: false }));
    expect(lines.at(-1)?.text).toBe('exit code 42');
  });

  it('runs that go on are adopted: neither started again nor lost', async () => {
    const { driver, kill, log } = await begin();
    await driver.run?.(runOf('a', agents.held('a')));
    const running = await log.run('a', 'running');
    const before = log.events.length;
    await kill();
    const second = await agents.startAgent();
    const { runs } = await log.event('snapshot', () => true, before);
    expect(runs).toEqual([running]);
    await driver.run?.(runOf('a', agents.held('a')));
    second.process.kill('SIGKILL');
    await second.exited;
    await agents.startAgent();
    await log.event('snapshot', ({ runs: again }) => again?.[0]?.id === 'a', log.events.length);
    agents.release('a', 5);
    expect(await log.run('a', 'failed', before)).toMatchObject({ exitCode: 5, startedAtMs: running.startedAtMs });
    expect(log.runPhases('a')).toEqual(['starting', 'running', 'failed']);
  });

  it('a stop goes on under the next one', async () => {
    const { driver, kill, log } = await begin();
    const script = agents.script(`process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000);`);
    await driver.run?.(runOf('a', ['node', script], { terminationGraceMs: 3000 }));
    const { pid } = await log.run('a', 'running');
    await until(() => readFileSync(join(agents.directory, 'logs/default/resize/a.stdout.log'), 'utf8') === 'up\n');
    const before = log.events.length;
    await driver.stop('a');
    await log.run('a', 'stopping', before);
    await kill();
    expect(inGroup(pid).length).toBeGreaterThan(0);
    await agents.startAgent();
    await log.run('a', 'gone', before);
    expect(inGroup(pid)).toEqual([]);
  });

  it('between the start of a process and the note of it, the process is found by the record it holds open', async () => {
    const { driver, kill, log } = await begin();
    await driver.run?.(runOf('a', agents.held('a')));
    const running = await log.run('a', 'running');
    const before = log.events.length;
    await kill();
    edit('a', { process: null, seen: { ...running, phase: 'starting', pid: null } });
    await agents.startAgent();
    expect((await log.run('a', 'running', before)).pid).toBe(running.pid);
    agents.release('a', 0);
    await log.run('a', 'succeeded', before);
  });

  it('before the start of a process, it is started by the next one', async () => {
    const { driver, kill, log } = await begin();
    const count = join(agents.directory, 'count');
    const command = ['/bin/sh', '-c', `echo once >> '${count}'`];
    await driver.run?.(runOf('a', command));
    await log.run('a', 'succeeded');
    const before = log.events.length;
    await kill();
    // The note as it was when the run was taken on, and half a line of what was to follow.
    const [taken = ''] = readFileSync(notePath('a'), 'utf8').trim().split('\n');
    writeFileSync(notePath('a'), `${taken}\n\n{"seen":{"id":"a","ph`);
    await agents.startAgent();
    await log.run('a', 'succeeded', before);
    expect(readFileSync(count, 'utf8')).toBe('once\nonce\n');
  });

  it('a run whose wrapper was killed meanwhile has an end that nobody knows, and leaves nothing running', async () => {
    const { driver, kill, log } = await begin();
    for (const id of ['whole', 'orphaned']) await driver.run?.(runOf(id, agents.held(id)));
    const whole = await log.run('whole', 'running');
    const orphaned = await log.run('orphaned', 'running');
    await until(() => inGroup(orphaned.pid).length > 1);
    const before = log.events.length;
    await kill();
    process.kill(-(whole.pid ?? 0), 'SIGKILL');
    process.kill(orphaned.pid ?? 0, 'SIGKILL');
    await until(() => !isRunning(orphaned.pid ?? 0, null));
    expect(inGroup(orphaned.pid).length).toBeGreaterThan(0);
    await agents.startAgent();
    for (const id of ['whole', 'orphaned']) {
      const ended = await log.run(id, 'failed', before);
      expect(ended).toMatchObject({ failure: 'unknown-end', message: 'ended while nobody watched', exitCode: null });
    }
    expect(inGroup(orphaned.pid)).toEqual([]);
  });

  it('a pid that now belongs to somebody else is not touched', async () => {
    const { driver, kill, log } = await begin();
    await driver.run?.(runOf('a', agents.held('a')));
    const { pid } = await log.run('a', 'running');
    const before = log.events.length;
    await kill();
    process.kill(-(pid ?? 0), 'SIGKILL');
    edit('a', { process: { pid: process.pid, startTicks: 1, spawnedAtUs: 1 } });
    await agents.startAgent();
    expect(await log.run('a', 'failed', before)).toMatchObject({ failure: 'unknown-end' });
  });
});

describe('results', () => {
  it('are still there after restarts of the agent and of the machine, until they are asked to go', async () => {
    const { driver, kill, log } = await begin();
    await driver.run?.(runOf('ended', ['/bin/sh', '-c', 'exit 6']));
    await driver.run?.(runOf('finished', agents.held('finished')));
    await driver.run?.(runOf('cut', agents.held('cut')));
    const ended = await log.run('ended', 'failed');
    const cut = await log.run('cut', 'running');
    const finished = await log.run('finished', 'running');
    const before = log.events.length;
    await kill();
    agents.release('finished', 0);
    process.kill(-(cut.pid ?? 0), 'SIGKILL');
    await until(() => inGroup(finished.pid).length === 0);
    // As the notes read when the machine was started again since.
    for (const id of ['ended', 'finished', 'cut']) edit(id, { bootId: 'earlier' });
    await agents.startAgent();
    expect(await log.run('ended', 'failed', before)).toEqual(ended);
    expect(await log.run('finished', 'succeeded', before)).toMatchObject({ exitCode: 0 });
    expect(await log.run('cut', 'failed', before)).toMatchObject({ failure: 'unknown-end' });
    await driver.stop('ended');
    await log.run('ended', 'gone', before);
    expect(existsSync(notePath('ended'))).toBe(false);
  });

  it('wait for a control plane that was away', async () => {
    const { driver } = await begin();
    await driver.run?.(runOf('a', ['/bin/sh', '-c', 'exit 9']));
    await driver.close();
    await until(() => existsSync(notePath('a')) && readFileSync(notePath('a'), 'utf8').includes('"failed"'));
    const next = new EventLog(await agents.connect({ epoch: 2 }));
    expect(await next.run('a', 'failed')).toMatchObject({ exitCode: 9 });
  });

  it('of ended runs outlive a shutdown that ends everything else', async () => {
    const { agent, driver, log } = await begin();
    await driver.run?.(runOf('ended', ['/bin/sh', '-c', 'exit 9']));
    await driver.run?.(runOf('running', agents.held('running')));
    await log.run('ended', 'failed');
    const { pid } = await log.run('running', 'running');
    await driver.shutdown({ stopReplicas: true });
    await agent.exited;
    expect(inGroup(pid)).toEqual([]);
    expect(log.runPhases('running').at(-1)).toBe('gone');
    const before = log.events.length;
    await agents.startAgent();
    const { runs } = await log.event('snapshot', () => true, before);
    expect(runs?.map(({ id, exitCode }) => [id, exitCode])).toEqual([['ended', 9]]);
  });
});

it('only the newest control plane starts runs', async () => {
  await agents.startAgent();
  const older = await agents.connect({ epoch: 5 });
  const newer = await agents.connect({ epoch: 6 });
  const log = new EventLog(newer);
  await expect(
    (async () => {
      for (;;) await older.run?.(runOf(`old-${Math.random()}`, ['/bin/true'])).then(() => newer.list());
    })(),
  ).rejects.toMatchObject({ code: 'stale-epoch' });
  await newer.run?.(runOf('new', ['/bin/true']));
  await log.run('new', 'succeeded');
  const runs = log.events.flatMap((event) => (event.type === 'run' ? [event.run.id] : []));
  expect([...new Set(runs)]).toEqual(['new']);
});
