import { afterEach, beforeEach, expect, it } from 'vitest';
import { AgentUnderTest, EventLog, startOf, worker } from './testing/agentUnderTest.ts';

let agents: AgentUnderTest;

beforeEach(() => {
  agents = new AgentUnderTest();
});

afterEach(async () => {
  expect(await agents.end()).toEqual([]);
});

const mebibyte = 1024 * 1024;

it('a replica is measured when it is asked to end, before its last word', async () => {
  await agents.startAgent();
  const driver = await agents.connect();
  const log = new EventLog(driver);
  await driver.ensure(startOf('measured', ['node', agents.script(worker())]));
  const ready = await log.phase('measured', 'ready');
  await driver.stop('measured');
  await log.phase('measured', 'gone');
  const { samples } = await log.event('usage');
  const [sample] = samples;
  expect(sample?.id).toBe('measured');
  expect(sample?.cpuMs).toBeGreaterThanOrEqual(10);
  expect(sample?.memoryBytes).toBeGreaterThan(20 * mebibyte);
  expect(sample?.startedAtMs).toBeGreaterThanOrEqual(ready.askedAtMs);
  expect(sample?.startedAtMs).toBeLessThanOrEqual(ready.readyAtMs ?? 0);
  expect(sample?.atMs).toBeGreaterThanOrEqual(ready.readyAtMs ?? Number.POSITIVE_INFINITY);
  const types = log.events.map((event) => (event.type === 'replica' ? event.replica.phase : event.type));
  expect(types.indexOf('usage')).toBeLessThan(types.indexOf('gone'));
});

it('running out of memory is told with what was used', async () => {
  await agents.startAgent();
  const driver = await agents.connect();
  const log = new EventLog(driver);
  const script = agents.script(`globalThis.held = Buffer.alloc(200 * ${mebibyte}, 1);${worker()}`);
  const limits = { memoryBytes: 120 * mebibyte };
  const { requests } = startOf('', []).resources;
  await driver.ensure(startOf('fat', ['node', script], { resources: { requests, limits } }));
  const { samples } = await log.event('usage', (event) => event.samples.some(({ outOfMemory }) => outOfMemory));
  expect(samples[0]?.memoryBytes).toBeGreaterThan(limits.memoryBytes);
});
