import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
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

async function begin() {
  const agent = await agents.startAgent();
  const driver = await agents.connect();
  return { agent, driver, log: new EventLog(driver) };
}

describe('a replica', () => {
  it('goes from starting to ready to gone, and a second ensure changes nothing', async () => {
    const { driver, log } = await begin();
    const start = startOf('hello-1', ['node', agents.script(worker())]);
    await driver.ensure(start);
    await driver.ensure(start);
    const ready = await log.phase('hello-1', 'ready');
    await driver.ensure(start);
    expect(await driver.list()).toEqual([ready]);
    expect(ready).toMatchObject({ class: 'default', revision: 'r1', restarts: 0, failure: null, message: '' });
    const answer = await fetch(`http://${ready.endpoint?.host}:${ready.endpoint?.port}/`);
    expect(await answer.text()).toBe('hello');
    await driver.stop('hello-1');
    await log.phase('hello-1', 'gone');
    expect(log.phases('hello-1')).toEqual(['starting', 'ready', 'stopping', 'gone']);
    expect(await driver.list()).toEqual([]);
    await expect(fetch(`http://127.0.0.1:${ready.endpoint?.port}/`)).rejects.toThrow();
  });

  it('is measured by stages that add up', async () => {
    const { driver, log } = await begin();
    const askedUs = Number(process.hrtime.bigint() / 1000n);
    await driver.ensure(startOf('a', ['node', agents.script(worker({ listenAfterMs: 30, readyAfterMs: 60 }))]));
    const { stagesUs, readyAtUs, askedAtMs, readyAtMs } = await log.phase('a', 'ready');
    const { askToSpawn, spawnToListen, listenToReady } = stagesUs;
    expect(spawnToListen).toBeGreaterThan(30_000);
    expect(listenToReady).toBeGreaterThan(0);
    expect((spawnToListen ?? 0) + (listenToReady ?? 0)).toBeGreaterThan(88_000);
    const sumUs = (askToSpawn ?? 0) + (spawnToListen ?? 0) + (listenToReady ?? 0);
    expect(Math.abs((readyAtUs ?? 0) - askedUs - sumUs)).toBeLessThan(20_000);
    expect(Math.abs((readyAtMs ?? 0) - askedAtMs - sumUs / 1000)).toBeLessThan(5);
  });

  it('gets exactly the environment its document names', async () => {
    await agents.startAgent({ SECRET: 'not for replicas', HOST_TOKEN: 'wanted', PATH: '/usr/bin:/bin' });
    const driver = await agents.connect();
    const log = new EventLog(driver);
    const script = agents.script(`console.log(JSON.stringify([process.env, process.argv.slice(2)]));${worker()}`);
    const command = ['node', script, '--port=$(PORT)', '$$(PORT)', '$(UNKNOWN)', '$(GREETING)'];
    const env = { GREETING: 'hi', URL: 'http://127.0.0.1:$(PORT)/$(GREETING)', PORT: '1', LONG: 'a b"c$d' };
    await driver.ensure(startOf('env-1', command, { env, envFromHost: ['HOST_TOKEN', 'MISSING'] }));
    const { endpoint } = await log.phase('env-1', 'ready');
    const lines = driver.logs({ workload: startOf('', []).workload, tailLines: 100, follow: false });
    const output = (await allLines(lines)).find(({ text }) => text.startsWith('['));
    const [environment, args] = JSON.parse(output?.text ?? '') as [Record<string, string>, string[]];
    const port = String(endpoint?.port);
    expect(environment).toEqual({
      GREETING: 'hi',
      URL: `http://127.0.0.1:${port}/hi`,
      LONG: 'a b"c$d',
      HOST_TOKEN: 'wanted',
      PORT: port,
      EBB_REPLICA: 'env-1',
      EBB_WORKLOAD: 'local/default/hello',
      PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    });
    expect(args).toEqual([`--port=${port}`, '$(PORT)', '$(UNKNOWN)', 'hi']);
  });

  it('turns unready and ready again by its readiness probe, and is started again by its liveness probe', async () => {
    const { driver, log } = await begin();
    const script = agents.script(`
      import { createServer } from 'node:http';
      const status = { '/ready': 200, '/alive': 200 };
      createServer((request, response) => {
        const turn = /^\\/set(\\/\\w+)\\/(\\d+)$/.exec(request.url);
        if (turn) status[turn[1]] = Number(turn[2]);
        response.writeHead(status[request.url] ?? 200).end();
      }).listen(process.env.PORT, '127.0.0.1');
    `);
    const often = { periodMs: 20, timeoutMs: 500, successThreshold: 2, failureThreshold: 2 };
    const action = { type: 'http', path: '/ready', headers: {} } as const;
    const startup = { action: { type: 'tcp' as const }, timeoutMs: 500, budgetMs: 20_000 };
    const probes = {
      startup,
      readiness: { ...often, action },
      liveness: { ...often, action: { ...action, path: '/alive' } },
    };
    await driver.ensure(startOf('p', ['node', script], { probes }));
    const { endpoint, pid } = await log.phase('p', 'ready');
    await fetch(`http://127.0.0.1:${endpoint?.port}/set/ready/500`);
    const unready = await log.phase('p', 'unready');
    expect(unready.message).toBe('readiness probe: GET /ready answered 500');
    await fetch(`http://127.0.0.1:${endpoint?.port}/set/ready/200`);
    await log.phase('p', 'ready', log.events.length);
    await fetch(`http://127.0.0.1:${endpoint?.port}/set/alive/500`);
    const backoff = await log.phase('p', 'backoff');
    expect(backoff).toMatchObject({ failure: 'liveness', restarts: 1, endpoint: null });
    expect(backoff.message).toBe('liveness probe failed: GET /alive answered 500');
    const again = await log.phase('p', 'ready', log.events.length);
    expect(again.pid).not.toBe(pid);
  });

  it('is probed by a command too', async () => {
    const { driver, log } = await begin();
    const flag = join(agents.directory, 'flag');
    const action = { type: 'exec' as const, command: ['/bin/sh', '-c', `test "$EBB_REPLICA" = x && test -e ${flag}`] };
    const startup = { action, timeoutMs: 1000, budgetMs: 20_000 };
    const readiness = { action, periodMs: 50, timeoutMs: 1000, successThreshold: 1, failureThreshold: 1 };
    const script = agents.script(`import { writeFileSync, rmSync } from 'node:fs';
      setTimeout(() => writeFileSync('${flag}', ''), 100);${worker()}
      process.on('SIGUSR2', () => rmSync('${flag}'));`);
    await driver.ensure(startOf('x', ['node', script], { probes: { startup, readiness, liveness: null } }));
    const { pid } = await log.phase('x', 'ready');
    process.kill(pid ?? 0, 'SIGUSR2');
    expect((await log.phase('x', 'unready')).message).toBe('readiness probe: /bin/sh: exit code 1');
  });
});

describe('ports', () => {
  it('are never handed out twice: 20 replicas at once', async () => {
    const { driver, log } = await begin();
    const script = agents.script(worker());
    const ids = Array.from({ length: 20 }, (_, index) => `many-${index}`);
    await Promise.all(ids.map((id) => driver.ensure(startOf(id, ['node', script]))));
    const replicas = await Promise.all(ids.map((id) => log.phase(id, 'ready')));
    expect(new Set(replicas.map(({ endpoint }) => endpoint?.port)).size).toBe(20);
    expect(new Set(replicas.map(({ pid }) => pid)).size).toBe(20);
    expect(replicas.every(({ restarts }) => restarts === 0)).toBe(true);
    for (const id of ids) await driver.stop(id);
    await Promise.all(ids.map((id) => log.phase(id, 'gone')));
  });

  it('that are fixed and taken are refused by name of who has them', async () => {
    const { driver, log } = await begin();
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    const command = ['node', agents.script(worker())];
    await driver.ensure(startOf('fixed-1', command, { port }));
    const refused = await log.phase('fixed-1', 'failed');
    expect(refused).toMatchObject({ failure: 'port-taken', pid: null, endpoint: null });
    expect(refused.message).toContain(`port ${port} is taken by pid ${process.pid}`);
    await new Promise((resolve) => server.close(resolve));
    await driver.ensure(startOf('fixed-2', command, { port }));
    expect((await log.phase('fixed-2', 'ready')).endpoint?.port).toBe(port);
    await driver.ensure(startOf('fixed-3', command, { port }));
    expect((await log.phase('fixed-3', 'failed')).message).toContain(`port ${port} is taken by replica fixed-2`);
  });
});

describe('what cannot be started', () => {
  it.each([
    ['command-not-found', ['nodde'], {}, 'command not found: nodde (did you mean "node"?)'],
    ['command-not-found', ['./missing.sh'], { workingDirectory: '/' }, 'command not found: /missing.sh'],
    ['not-executable', ['/etc/passwd'], {}, 'cannot be executed: /etc/passwd'],
    ['not-executable', ['/'], {}, 'it is a directory'],
    [
      'working-directory',
      ['node'],
      { workingDirectory: '/no/such/folder' },
      'working directory not found: /no/such/folder',
    ],
  ])('is %s at once: %j', async (failure, command, change, message) => {
    const { driver, log } = await begin();
    await driver.ensure(startOf('bad', command, change));
    const failed = await log.phase('bad', 'failed');
    expect(failed).toMatchObject({ failure, restarts: 0, pid: null });
    expect(failed.message).toContain(message);
    await driver.stop('bad');
    await log.phase('bad', 'gone');
  });
});

describe('a replica that goes wrong', () => {
  it('is ended when it is not ready within its budget, and its last lines are in the message', async () => {
    const { driver, log } = await begin();
    const script = agents.script('echo loading; echo "no weights" >&2; while true; do sleep 0.05; done', 'stuck.sh');
    const start = startOf('stuck', ['/bin/sh', script]);
    await driver.ensure({ ...start, probes: { ...start.probes, startup: { ...start.probes.startup, budgetMs: 300 } } });
    const failed = await log.phase('stuck', 'failed');
    expect(failed.failure).toBe('startup-budget');
    expect(failed.message).toMatch(/^not ready within 300 ms: nothing listens on port \d+; last output: /);
    expect(failed.message).toContain('no weights');
    await log.event('replica', ({ replica }) => replica.phase === 'failed' && replica.pid === null);
    expect(agents.leftovers().filter(({ text }) => text.includes('stuck.sh'))).toEqual([]);
  });

  it('is started again with back-off, and given up after five starts', async () => {
    const { driver, log } = await begin();
    const script = agents.script('echo $$; echo broken >&2; exit 3', 'broken.sh');
    await driver.ensure(startOf('broken', ['/bin/sh', script]));
    const first = await log.phase('broken', 'backoff');
    expect(first).toMatchObject({ message: 'exit code 3', failure: 'crashed', restarts: 1 });
    const failed = await log.phase('broken', 'failed');
    expect(failed).toMatchObject({ failure: 'crashed', restarts: 4 });
    expect(failed.message).toContain('exit code 3; given up after 5 starts that never got ready; last output:');
    const starts = log.events.flatMap((event) => {
      return event.type === 'replica' && event.replica.phase === 'starting' && event.replica.pid
        ? [event.replica.askedAtMs]
        : [];
    });
    const gaps = [...new Set(starts)].map((atMs, index, all) => atMs - (all[index - 1] ?? atMs)).slice(1);
    [500, 1000, 2000, 4000].forEach((delay, index) => {
      expect(gaps[index]).toBeGreaterThanOrEqual(delay - 2);
      expect(gaps[index]).toBeLessThan(delay * 2 + 500);
    });
  });

  it('names the signal that ended it, and counts exit code 0 as a crash too', async () => {
    const { driver, log } = await begin();
    await driver.ensure(startOf('killed', ['/bin/sh', '-c', 'kill -SEGV $$$$']));
    expect((await log.phase('killed', 'backoff')).message).toBe('ended by SIGSEGV');
    await driver.ensure(startOf('done', ['/bin/sh', '-c', 'exit 0']));
    expect((await log.phase('done', 'backoff')).message).toBe('exit code 0');
  });

  it('is ended when its group holds more memory than its limit', async () => {
    const { driver, log } = await begin();
    const script = agents.script(`globalThis.held = Buffer.alloc(200 * 1024 * 1024, 1);${worker()}`);
    const resources = startOf('', []).resources;
    const limits = { memoryBytes: 120 * 1024 * 1024 };
    await driver.ensure(startOf('fat', ['node', script], { resources: { ...resources, limits } }));
    const ended = await log.phase('fat', 'backoff');
    expect(ended.failure).toBe('out-of-memory');
    expect(ended.message).toMatch(/^out of memory: used \d+ MiB of its limit of 120 MiB$/);
  });

  it('ends with all its children when it is stopped, also those that ignore SIGTERM', async () => {
    const { driver, log } = await begin();
    const stubborn = agents.script(
      `process.on('SIGTERM', () => {}); console.log('stubborn'); setInterval(() => {}, 1000);`,
    );
    const script = agents.script(`import { spawn } from 'node:child_process';
      spawn(process.execPath, ['${stubborn}'], { stdio: 'inherit' });
      process.on('SIGTERM', () => process.exit(0));${worker()}`);
    const start = startOf('family', ['node', script], { terminationGraceMs: 300 });
    await driver.ensure(start);
    await log.phase('family', 'ready');
    const running = () => agents.leftovers().filter(({ text }) => text.includes(stubborn)).length;
    await until(() =>
      readFileSync(join(agents.directory, 'logs/default/hello/family.stdout.log'), 'utf8').includes('stubborn'),
    );
    expect(running()).toBe(1);
    const stoppedMs = performance.now();
    await driver.stop('family');
    await log.phase('family', 'gone');
    expect(performance.now() - stoppedMs).toBeGreaterThanOrEqual(295);
    expect(running()).toBe(0);
    const lines = await allLines(driver.logs({ workload: start.workload, tailLines: 10, follow: false }));
    expect(lines.map(({ text }) => text)).toContain('SIGKILL after 300 ms');
  });

  it('takes its children along when it crashes', async () => {
    const { driver, log } = await begin();
    await driver.ensure(startOf('parent', ['/bin/sh', '-c', 'sleep 1000 & echo $! ; exit 1']));
    await log.event('replica', ({ replica }) => replica.phase === 'backoff' && replica.pid === null);
    const [child] = readFileSync(join(agents.directory, 'logs/default/hello/parent.stdout.log'), 'utf8').split('\n');
    expect(isRunning(Number(child), null)).toBe(false);
  });

  it('can be stopped at any moment', async () => {
    const { driver, log } = await begin();
    await driver.ensure(startOf('early', ['node', agents.script(worker({ listenAfterMs: 60_000 }))]));
    await driver.stop('early');
    await log.phase('early', 'gone');
    await driver.ensure(startOf('waiting', ['/bin/sh', '-c', 'exit 1']));
    await log.phase('waiting', 'backoff');
    await driver.stop('waiting');
    await log.phase('waiting', 'gone');
    const before = log.events.length;
    await driver.stop('never heard of');
    expect((await log.event('snapshot', () => true, before)).replicas).toEqual([]);
  });
});
