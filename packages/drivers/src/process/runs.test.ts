import type { RunStart } from '@ebb/core';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProcesses } from './agent/processTable.ts';
import { AgentUnderTest, allLines, EventLog, runOf, until } from './testing/agentUnderTest.ts';

let agents: AgentUnderTest;

beforeEach(() => {
  agents = new AgentUnderTest();
});

afterEach(async () => {
  expect(await agents.end()).toEqual([]);
});

async function begin(environment: Record<string, string> = {}) {
  const agent = await agents.startAgent(environment);
  const driver = await agents.connect();
  const lines = async (replica: string) => {
    const all = await allLines(driver.logs({ workload: runOf('', []).owner, replica, tailLines: 100, follow: false }));
    return all.map(({ stream, text }) => `${stream} ${text}`);
  };
  return { agent, driver, log: new EventLog(driver), lines };
}

const notes = () => readdirSync(join(agents.directory, 'run/runs')).sort();
const logNames = () => readdirSync(join(agents.directory, 'logs/default/resize'));
const inGroup = (group: number | null) => readProcesses().filter((entry) => entry.group === group && !entry.ended);

describe('a run', () => {
  it('leaves its result and its log, until it is forgotten', async () => {
    const { driver, log, lines } = await begin();
    await driver.run?.(runOf('a', ['/bin/sh', '-c', 'echo out; echo err >&2; exit 3']));
    const failed = await log.run('a', 'failed');
    expect(failed).toMatchObject({ exitCode: 3, failure: 'exit', message: 'exit code 3', pid: null });
    expect(await lines('a')).toEqual(['ebb starting', 'stdout out', 'stderr err', 'ebb exit code 3']);
    expect(notes()).toEqual(['a.run']);
    expect(statSync(join(agents.directory, 'run/runs/a.run')).size).toBeLessThan(2048);
    await driver.stop('a');
    await log.run('a', 'gone');
    expect(notes()).toEqual([]);
    expect(log.runPhases('a')).toEqual(['starting', 'running', 'failed', 'gone']);
    expect(await lines('a')).toContain('stdout out');
  });

  it('gets exactly the environment its document names, whatever a shell makes of the names', async () => {
    const { driver, log } = await begin({ SECRET: 'not for jobs', HOST_TOKEN: 'wanted', PATH: '/usr/bin:/bin' });
    const script = agents.script(`console.log(JSON.stringify([process.env, process.cwd(), process.argv.slice(2)]));`);
    const command = ['node', script, '$(EBB_JOB)', '$(GREETING) there', '-v', ''];
    const env = { GREETING: 'hi', MULTI: 'a\nb "c" $d', EBB_JOB: 'not this one' };
    const more = { 'spring.name': 'x', 'a-b': '1', IFS: 'x', PWD: '/nowhere', OPTIND: '5', _: 'y' };
    const change = { envFromHost: ['HOST_TOKEN', 'MISSING'], workingDirectory: agents.directory };
    await driver.run?.(runOf('plain', command, { env, ...change }));
    await driver.run?.(runOf('odd', command, { env: { ...env, ...more }, ...change }));
    const own = (EBB_JOB: string) => ({
      GREETING: 'hi',
      MULTI: 'a\nb "c" $d',
      HOST_TOKEN: 'wanted',
      EBB_JOB,
      EBB_SCALED_JOB: 'resize',
      PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    });
    for (const [id, expected] of [
      ['plain', own('plain')],
      ['odd', { ...own('odd'), ...more }],
    ] as const) {
      await log.run(id, 'succeeded');
      const text = readFileSync(join(agents.directory, `logs/default/resize/${id}.stdout.log`), 'utf8');
      const args = [id, 'hi there', '-v', ''];
      expect(JSON.parse(text)).toEqual([expected, agents.directory, args]);
      expect(readFileSync(join(agents.directory, `logs/default/resize/${id}.stderr.log`), 'utf8')).toBe('');
    }
  });

  it('ends as what it was', async () => {
    const { driver, log, lines } = await begin();
    const signal = (name: string) => ({ failure: 'signal', message: `ended by ${name}`, exitCode: null });
    const code = (exitCode: number) => ({ failure: 'exit', message: `exit code ${exitCode}`, exitCode });
    // A dollar sign is written twice, as in Kubernetes.
    const ends = {
      'kill -KILL $$$$': signal('SIGKILL'),
      'kill -TERM $$$$': signal('SIGTERM'),
      'kill -SEGV $$$$': signal('SIGSEGV'),
      'exit 137': code(137),
      'exit 255': code(255),
    };
    for (const script of Object.keys(ends)) await driver.run?.(runOf(script, ['/bin/sh', '-c', script]));
    for (const [script, expected] of Object.entries(ends)) {
      expect(await log.run(script, 'failed')).toMatchObject(expected);
      // What a shell says about the end of its child is not the run's own output.
      expect(await lines(script)).toEqual(['ebb starting', `ebb ${expected.message}`]);
    }
  });

  it('starts with signals as they are by default, and without descriptors of others', async () => {
    const { driver, log, lines } = await begin();
    await driver.run?.(runOf('a', ['/bin/sh', '-c', 'grep SigIgn /proc/self/status; ls /proc/$$$$/fd | tr "\\n" " "']));
    await log.run('a', 'succeeded');
    const output = await lines('a');
    expect(output[1]).toMatch(/^stdout SigIgn:\s+0+$/);
    expect(output[2]).toMatch(/^stdout 0 1 2 (?![34] )/);
  });

  it('is killed as a whole when somebody kills what watches over it', async () => {
    const { driver, log } = await begin();
    await driver.run?.(runOf('a', agents.held('a')));
    const { pid } = await log.run('a', 'running');
    await until(() => inGroup(pid).length > 1);
    process.kill(pid ?? 0, 'SIGKILL');
    expect(await log.run('a', 'failed')).toMatchObject({ failure: 'signal', message: 'ended by SIGKILL' });
    expect(inGroup(pid)).toEqual([]);
  });

  it('takes along what it left running', async () => {
    const { driver, log } = await begin();
    await driver.run?.(runOf('a', ['/bin/sh', '-c', 'sleep 1000 & exit 0']));
    await log.run('a', 'succeeded');
    expect(inGroup((await log.run('a', 'running')).pid)).toEqual([]);
  });

  it('is ended when its group holds more memory than its limit', async () => {
    const { driver, log } = await begin();
    const script = agents.script(`globalThis.held = Buffer.alloc(200 * 1024 * 1024, 1); setInterval(() => {}, 1000);`);
    const { requests } = runOf('', []).resources;
    const limits = { memoryBytes: 120 * 1024 * 1024 };
    await driver.run?.(runOf('fat', ['node', script], { resources: { requests, limits } }));
    const ended = await log.run('fat', 'failed');
    expect(ended).toMatchObject({ failure: 'out-of-memory', exitCode: null });
    expect(ended.message).toMatch(/^out of memory: used \d+ MiB of its limit of 120 MiB$/);
  });
});

describe('a run that is stopped', () => {
  it('is asked first: its own end counts, its wrapper waits for it', async () => {
    const { driver, log, lines } = await begin();
    const script = 'trap "echo tidy; exit 0" TERM; echo up; while :; do sleep 0.02; done';
    await driver.run?.(runOf('a', ['/bin/sh', '-c', script]));
    await until(async () => (await lines('a')).includes('stdout up'));
    await driver.stop('a');
    await log.run('a', 'gone');
    expect(log.runPhases('a')).toEqual(['starting', 'running', 'stopping', 'gone']);
    expect(await lines('a')).toContain('stdout tidy');
    expect(notes()).toEqual([]);
  });

  it('is killed with all its children after its grace', async () => {
    const { driver, log, lines } = await begin();
    const script = 'trap "" TERM; (while :; do sleep 0.05; done) & echo up; while :; do sleep 0.05; done';
    await driver.run?.(runOf('a', ['/bin/sh', '-c', script], { terminationGraceMs: 300 }));
    await until(async () => (await lines('a')).includes('stdout up'));
    const { pid } = await log.run('a', 'running');
    const stoppedMs = performance.now();
    await driver.stop('a');
    await log.run('a', 'gone');
    expect(performance.now() - stoppedMs).toBeGreaterThanOrEqual(295);
    expect(inGroup(pid)).toEqual([]);
    expect(await lines('a')).toContain('ebb SIGKILL after 300 ms');
  });

  it('before it could begin never begins', async () => {
    const { driver, log } = await begin();
    const flag = join(agents.directory, 'flag');
    const ids = Array.from({ length: 30 }, (_, index) => `r${index}`);
    for (const id of ids) await driver.run?.(runOf(id, ['/bin/sh', '-c', 'exit 0']));
    await driver.run?.(runOf('late', ['/usr/bin/touch', flag]));
    await driver.stop('late');
    await log.run('late', 'gone');
    for (const id of ids) await log.run(id, 'succeeded');
    expect(existsSync(flag)).toBe(false);
  });
});

describe('what cannot be started', () => {
  it('fails once, and says why', async () => {
    const { driver, log } = await begin();
    const cases: [string, RunStart, string][] = [
      ['command-not-found', runOf('a', ['nodde']), 'command not found: nodde (did you mean "node"?)'],
      ['not-executable', runOf('b', ['/etc/passwd']), 'cannot be executed: /etc/passwd'],
      ['working-directory', runOf('c', ['node'], { workingDirectory: '/no/such' }), 'working directory not found'],
      ['spawn-failed', runOf('d', ['/bin/echo', 'x'.repeat(200_000)]), 'cannot be started: spawn E2BIG'],
    ];
    for (const [, start] of cases) await driver.run?.(start);
    for (const [failure, { id }, message] of cases) {
      const failed = await log.run(id, 'failed');
      expect(failed).toMatchObject({ failure, pid: null, exitCode: null });
      expect(failed.message).toContain(message);
      expect(failed.endedAtMs).not.toBeNull();
      expect(log.runPhases(id)).toEqual(['starting', 'failed']);
    }
    expect(notes()).toEqual(['a.run', 'b.run', 'c.run', 'd.run']);
  });

  it('by its first line says so in its log', async () => {
    const { driver, log, lines } = await begin();
    await driver.run?.(runOf('a', [agents.script('#!/no/such/interpreter\n')]));
    expect(await log.run('a', 'failed')).toMatchObject({ failure: 'exit', exitCode: 127 });
    expect((await lines('a')).find((line) => line.startsWith('stderr'))).toMatch(/not found/);
  });
});

it('logs of forgotten runs are bounded, those of listed ones are all there', async () => {
  const { driver, log } = await begin();
  const forgotten = Array.from({ length: 60 }, (_, index) => `old-${String(index).padStart(2, '0')}`);
  const listed = Array.from({ length: 15 }, (_, index) => `listed-${index}`);
  for (const id of [...listed, ...forgotten]) await driver.run?.(runOf(id, ['/bin/true']));
  for (const id of [...listed, ...forgotten]) await log.run(id, 'succeeded');
  for (const id of forgotten) await driver.stop(id);
  for (const id of forgotten) await log.run(id, 'gone');
  const kept = logNames().filter((name) => name.endsWith('.times'));
  expect(kept.sort()).toEqual([...listed, ...forgotten.slice(10)].map((id) => `${id}.times`).sort());
  expect(logNames()).toHaveLength(65 * 3);
  expect(notes()).toHaveLength(15);
});
