import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gpuId, installNvidiaSmi, machines, migId, type NvidiaMachine } from '../gpu/testing/machines.ts';
import { AgentUnderTest, EventLog, runOf, startOf, until, worker } from './testing/agentUnderTest.ts';

let agents: AgentUnderTest;

beforeEach(() => {
  agents = new AgentUnderTest();
});

afterEach(async () => {
  expect(await agents.end()).toEqual([]);
});

/** The agent's environment on such a machine. */
const on = (machine: NvidiaMachine) => ({
  PATH: `${installNvidiaSmi(agents.directory, machine)}:${process.env['PATH']}`,
});
const resources = (requests: object) => ({
  requests: { cpuMilli: 100, memoryBytes: 0, gpuMilli: 0, ...requests },
  limits: {},
});

/** A worker that first writes its environment down, one file each start. */
function telling(): string[] {
  const text = `import { appendFileSync } from 'node:fs';
    const { EBB_REPLICA, CUDA_VISIBLE_DEVICES = null } = process.env;
    appendFileSync('${agents.directory}/told-' + EBB_REPLICA, JSON.stringify(CUDA_VISIBLE_DEVICES) + '\\n');
    ${worker()}`;
  return ['node', agents.script(text)];
}

const told = (id: string): unknown[] =>
  readFileSync(join(agents.directory, `told-${id}`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('replicas that need a GPU', () => {
  it('see the devices they were given, keep them over restarts of replica and agent, and give them back', async () => {
    const env = on(machines.oneT4);
    const first = await agents.startAgent(env);
    const driver = await agents.connect();
    const log = new EventLog(driver);
    await driver.ensure(startOf('half', telling(), { resources: resources({ gpuMilli: 500 }) }));
    await driver.ensure(startOf('cpu', telling()));
    const half = await log.phase('half', 'ready');
    await log.phase('cpu', 'ready');
    expect(told('half')).toEqual([gpuId(0)]);
    expect(told('cpu')).toEqual([null]);
    await until(() => driver.machine() !== null);
    expect(driver.machine()).toMatchObject({ state: 'ok', message: '1 × Tesla T4' });

    const before = log.events.length;
    first.process.kill('SIGKILL');
    await first.exited;
    await agents.startAgent(env);
    await log.event('snapshot', () => true, before);
    await driver.ensure(startOf('other', telling(), { resources: resources({ gpuMilli: 600 }) }));
    const busy = await log.phase('other', 'failed', before);
    expect(busy).toMatchObject({
      failure: 'gpu-busy',
      message: 'needs 600m of a GPU: not enough is free on 1 Tesla T4',
    });
    process.kill(half.pid ?? 0, 'SIGKILL');
    await log.phase('half', 'backoff', before);
    await log.phase('half', 'ready', log.events.length);
    expect(told('half')).toEqual([gpuId(0), gpuId(0)]);

    await driver.stop('other');
    await log.phase('other', 'gone', before);
    // Asked for while the first one is about to end.
    await driver.stop('half');
    await driver.ensure(startOf('next', telling(), { resources: resources({ gpuMilli: 1000 }) }));
    await log.phase('next', 'ready', before);
    expect(told('next')).toEqual([gpuId(0)]);
  });

  it('get whole GPUs and MIG instances', async () => {
    await agents.startAgent(on(machines.eightA100Mixed));
    const log = new EventLog(await agents.connect());
    const driver = await agents.connect();
    await driver.ensure(startOf('two', telling(), { resources: resources({ gpuMilli: 2000 }) }));
    const gpuMig = { profile: '2g.10gb', count: 1 };
    await driver.ensure(startOf('cut', telling(), { resources: resources({ gpuMilli: 285, gpuMig }) }));
    await log.phase('two', 'ready');
    await log.phase('cut', 'ready');
    expect(told('two')).toEqual([`${gpuId(0)},${gpuId(1)}`]);
    expect(told('cut')).toEqual([migId(6, 0)]);
  });

  it.each<[keyof typeof machines, string, string]>([
    ['noDevices', 'no-gpu', 'needs a GPU, and this machine has none'],
    ['brokenDriver', 'gpu-driver', 'needs a GPU, and GPUs do not work here: NVIDIA-SMI has failed'],
  ])('%s: is refused with the reason, and nothing is started', async (name, failure, message) => {
    await agents.startAgent(on(machines[name]));
    const driver = await agents.connect();
    const log = new EventLog(driver);
    await driver.ensure(startOf('none', telling(), { resources: resources({ gpuMilli: 1000 }) }));
    const failed = await log.phase('none', 'failed');
    expect(failed).toMatchObject({ failure, message: expect.stringContaining(message), pid: null });
    expect(existsSync(join(agents.directory, 'told-none'))).toBe(false);
  });
});

describe('a Job that needs a GPU', () => {
  it('has it as long as it runs, also under the next agent', async () => {
    const env = on(machines.oneT4);
    const first = await agents.startAgent(env);
    const driver = await agents.connect();
    const log = new EventLog(driver);
    const gpu = resources({ gpuMilli: 1000 });
    await driver.run?.(runOf('long', agents.held('long'), { resources: gpu }));
    await log.run('long', 'running');
    const before = log.events.length;
    first.process.kill('SIGKILL');
    await first.exited;
    await agents.startAgent(env);
    await log.event('snapshot', () => true, before);
    await driver.run?.(runOf('late', ['true'], { resources: gpu }));
    expect(await log.run('late', 'failed', before)).toMatchObject({ failure: 'gpu-busy' });
    agents.release('long', 0);
    await log.run('long', 'succeeded', before);
    const show = ['/bin/sh', '-c', `test "$CUDA_VISIBLE_DEVICES" = "${gpuId(0)}"`];
    await driver.run?.(runOf('after', show, { resources: gpu }));
    expect(await log.run('after', 'succeeded', before)).toMatchObject({ exitCode: 0 });
  });
});
