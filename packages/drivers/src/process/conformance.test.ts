import { describeDriverConformance } from '@ebb/testing/conformance';
import { expect } from 'vitest';
import { AgentUnderTest, startOf, until, worker } from './testing/agentUnderTest.ts';

describeDriverConformance('the process driver', async () => {
  const agents = new AgentUnderTest();
  await agents.startAgent();
  const driver = await agents.connect();
  const healthy = (id: string) => startOf(id, ['node', agents.script(worker())]);
  return {
    driver,
    healthy,
    impossible: (id) => startOf(id, ['no-such-command']),
    neverReady(id) {
      const start = startOf(id, ['/bin/sh', '-c', 'sleep 1000']);
      return { ...start, probes: { ...start.probes, startup: { ...start.probes.startup, budgetMs: 200 } } };
    },
    async crash(id) {
      const replica = (await driver.list()).find((seen) => seen.id === id);
      if (replica?.pid) process.kill(replica.pid, 'SIGKILL');
    },
    until: (condition) => until(condition),
    async close() {
      expect(await agents.end()).toEqual([]);
    },
  };
});
