import type { LogLine } from '@ebb/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AgentUnderTest, allLines, EventLog, startOf, worker } from './testing/agentUnderTest.ts';

let agents: AgentUnderTest;

beforeEach(() => {
  agents = new AgentUnderTest();
});

afterEach(async () => {
  expect(await agents.end()).toEqual([]);
});

const { workload } = startOf('', []);

async function take(lines: AsyncIterableIterator<LogLine>, wanted: (line: LogLine) => boolean): Promise<LogLine[]> {
  const taken: LogLine[] = [];
  for (;;) {
    const { value, done } = await lines.next();
    if (done) return taken;
    taken.push(value);
    if (wanted(value)) return taken;
  }
}

it('follows what a replica writes, tells both streams apart, and goes on over a restart of it', async () => {
  await agents.startAgent();
  const driver = await agents.connect();
  const log = new EventLog(driver);
  const lines = driver.logs({ workload, tailLines: 10, follow: true });
  const script = agents.script(`
    console.log('to stdout');
    setTimeout(() => console.error('to stderr'), 250);
    process.on('SIGUSR2', () => { process.stdout.write('last words'); process.exit(9); });
    ${worker()}`);
  await driver.ensure(startOf('talker', ['node', script]));
  const { pid } = await log.phase('talker', 'ready');
  const first = await take(lines, ({ stream }) => stream === 'stderr');
  expect(first.map(({ stream }) => stream)).toEqual(expect.arrayContaining(['ebb', 'stdout', 'stderr']));
  expect(first.every(({ replica, atMs }) => replica === 'talker' && Math.abs(atMs - Date.now()) < 60_000)).toBe(true);
  expect(first.map(({ text }) => text)).toContain('to stdout');
  process.kill(pid ?? 0, 'SIGUSR2');
  const second = await take(lines, ({ text }) => text.startsWith('started'));
  expect(second.map(({ text }) => text)).toContain('exit code 9; next start in 500 ms');
  const ended = driver.logs({ workload, replica: 'talker', tailLines: 100, follow: false });
  expect((await allLines(ended)).map(({ text }) => text)).toContain('last words');
  await lines.return?.();
});

it('ends a follow at once, also while it waits', async () => {
  await agents.startAgent();
  const driver = await agents.connect();
  const lines = driver.logs({ workload, tailLines: 10, follow: true });
  const waiting = lines.next();
  await lines.return?.();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(await lines.next()).toEqual({ done: true, value: undefined });
  expect(await allLines(driver.logs({ workload, tailLines: 10, follow: false }))).toEqual([]);
});

it('tells a reader that the agent is gone', async () => {
  const agent = await agents.startAgent();
  const driver = await agents.connect();
  const lines = driver.logs({ workload, tailLines: 10, follow: true });
  const waiting = expect(lines.next()).rejects.toMatchObject({ code: 'disconnected' });
  agent.process.kill('SIGKILL');
  await agent.exited;
  await waiting;
  expect(await lines.next()).toEqual({ done: true, value: undefined });
  await expect(driver.logs({ workload, tailLines: 1, follow: false }).next()).rejects.toMatchObject({
    code: 'disconnected',
  });
});
