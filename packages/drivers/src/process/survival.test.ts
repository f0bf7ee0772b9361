import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRunning } from './agent/processTable.ts';
import { AgentUnderTest, allLines, EventLog, startOf, until, worker } from './testing/agentUnderTest.ts';

let agents: AgentUnderTest;

beforeEach(() => {
  agents = new AgentUnderTest();
});

afterEach(async () => {
  expect(await agents.end()).toEqual([]);
});

describe('when the agent is killed', () => {
  it('replicas live on, the driver reconnects, and the next agent adopts them', async () => {
    const first = await agents.startAgent();
    const driver = await agents.connect();
    const log = new EventLog(driver);
    const talk = agents.script(`setInterval(() => console.log('tick'), 20);${worker()}`);
    await driver.ensure(startOf('kept', ['node', talk]));
    await driver.ensure(startOf('lost', ['node', agents.script(worker())]));
    const kept = await log.phase('kept', 'ready');
    const lost = await log.phase('lost', 'ready');
    await driver.list(); // An agent notes a change right after it has told it.
    const before = log.events.length;
    first.process.kill('SIGKILL');
    await log.event('disconnected');
    expect(driver.agent()).toEqual({ connected: false, pid: null });
    await expect(driver.ensure(startOf('later', ['true']))).rejects.toMatchObject({ code: 'disconnected' });
    expect((await fetch(`http://127.0.0.1:${kept.endpoint?.port}/`)).ok).toBe(true);
    process.kill(lost.pid ?? 0, 'SIGKILL');
    const path = join(agents.directory, 'logs/default/hello/kept.stdout.log');
    const size = statSync(path).size;
    await until(() => statSync(path).size > size);

    const second = await agents.startAgent();
    const snapshot = await log.event('snapshot', () => true, before);
    expect(driver.agent()).toEqual({ connected: true, pid: second.process.pid });
    expect(snapshot.replicas.find(({ id }) => id === 'kept')).toEqual(kept);
    const again = await log.phase('lost', 'ready', before);
    expect(again.restarts).toBe(1);
    expect(again.pid).not.toBe(lost.pid);
    const lines = await allLines(
      driver.logs({ workload: kept.workload, replica: 'lost', tailLines: 50, follow: false }),
    );
    expect(lines.map(({ text }) => text)).toContain('ended while the agent was away; next start in 500 ms');

    await driver.ensure(startOf('kept', ['node', talk]));
    const adopted = (await driver.list()).find(({ id }) => id === 'kept');
    expect(adopted?.pid).toBe(kept.pid);
    process.kill(kept.pid ?? 0, 'SIGKILL');
    const crashed = await log.phase('kept', 'backoff', before);
    expect(crashed.message).toBe('ended');
    await driver.stop('kept');
    await log.phase('kept', 'gone', before);
  });

  it('in the middle of a start, the start goes on under the next one', async () => {
    const first = await agents.startAgent();
    const driver = await agents.connect();
    const log = new EventLog(driver);
    await driver.ensure(startOf('slow', ['node', agents.script(worker({ listenAfterMs: 600 }))]));
    const { pid } = await log.event('replica', ({ replica }) => replica.pid !== null).then(({ replica }) => replica);
    first.process.kill('SIGKILL');
    await first.exited;
    await agents.startAgent();
    const ready = await log.phase('slow', 'ready');
    expect(ready).toMatchObject({ pid, restarts: 0 });
  });

  it('a pid that now belongs to somebody else is not touched', async () => {
    const first = await agents.startAgent();
    const driver = await agents.connect();
    const log = new EventLog(driver);
    await driver.ensure(startOf('old', ['node', agents.script(worker())]));
    const { pid } = await log.phase('old', 'ready');
    const before = log.events.length;
    first.process.kill('SIGKILL');
    await first.exited;
    process.kill(pid ?? 0, 'SIGKILL');
    // The note as it would read if this test's own process had been given the pid since.
    const note = join(agents.directory, 'run/replicas/old.json');
    writeFileSync(note, readFileSync(note, 'utf8').replaceAll(`"pid":${pid}`, `"pid":${process.pid}`));
    await agents.startAgent();
    const ended = await log.phase('old', 'backoff', before);
    expect(ended).toMatchObject({ message: 'ended while the agent was away', restarts: 1 });
    await driver.stop('old');
    await log.phase('old', 'gone', before);
  });
});

describe('the agent', () => {
  it('leaves replicas running on SIGTERM and ends them on shutdown', async () => {
    const first = await agents.startAgent();
    const driver = await agents.connect();
    const log = new EventLog(driver);
    await driver.ensure(startOf('kept', ['node', agents.script(worker())]));
    const { pid } = await log.phase('kept', 'ready');
    first.process.kill('SIGTERM');
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(isRunning(pid ?? 0, null)).toBe(true);
    const second = await agents.startAgent();
    await until(() => driver.agent().connected);
    await driver.shutdown({ stopReplicas: true });
    expect(await second.exited).toEqual({ code: 0, signal: null });
    expect(isRunning(pid ?? 0, null)).toBe(false);
  });

  it('refuses to be the second one of a data directory, with exit code 4', async () => {
    await agents.startAgent();
    const rivals = await Promise.all([agents.startAgent(), agents.startAgent()]);
    expect(await Promise.all(rivals.map(({ exited }) => exited))).toEqual([
      { code: 4, signal: null },
      { code: 4, signal: null },
    ]);
    expect(rivals[0]?.log.at(-1)?.['message']).toBe('another agent already runs on this data directory');
    const driver = await agents.connect();
    expect(await driver.list()).toEqual([]);
  });

  it('obeys only the newest control plane, also after a restart of its own', async () => {
    const first = await agents.startAgent();
    const older = await agents.connect({ epoch: 5 });
    const log = new EventLog(older);
    await log.event('snapshot');
    const newer = await agents.connect({ epoch: 6 });
    await log.event('disconnected');
    const refusal = { code: 'stale-epoch', message: 'a newer control plane (epoch 6) has taken over from epoch 5' };
    await expect(older.ensure(startOf('x', ['true']))).rejects.toMatchObject(refusal);
    expect(await newer.list()).toEqual([]);
    first.process.kill('SIGKILL');
    await first.exited;
    await agents.startAgent();
    await expect(agents.connect({ epoch: 5 })).rejects.toMatchObject({ code: 'stale-epoch' });
    await until(() => newer.agent().connected);
    expect(await newer.list()).toEqual([]);
  });

  it('keeps what it writes to its owner', async () => {
    await agents.startAgent();
    const driver = await agents.connect();
    const log = new EventLog(driver);
    await driver.ensure(startOf('private', ['node', agents.script(worker())], { env: { TOKEN: 'x' } }));
    await log.phase('private', 'ready');
    const modes = ['run', 'run/agent.sock', 'run/replicas/private.json', 'logs/default/hello/private.stdout.log'];
    const others = modes.filter((path) => existsSync(join(agents.directory, path)));
    expect(others.map((path) => statSync(join(agents.directory, path)).mode & 0o077)).toEqual(others.map(() => 0));
  });

  it('tells a driver that finds nobody', async () => {
    await expect(agents.connect({ connectTimeoutMs: 50 })).rejects.toMatchObject({ code: 'disconnected' });
    rmSync(join(agents.directory, 'run'), { recursive: true, force: true });
  });
});
