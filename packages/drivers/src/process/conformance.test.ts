import { describeDriverConformance, describeRunsConformance } from '@ebb/testing/conformance';
import { expect } from 'vitest';
import { readProcesses } from './agent/processTable.ts';
import { AgentUnderTest, EventLog, runOf, startOf, until, worker } from './testing/agentUnderTest.ts';

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

describeRunsConformance('the process driver', async () => {
  const agents = new AgentUnderTest();
  let agent = await agents.startAgent();
  const driver = await agents.connect();
  const log = new EventLog(driver);
  return {
    driver,
    ending: (id, exitCode) => runOf(id, ['/bin/sh', '-c', `exit ${exitCode}`]),
    held: (id) => runOf(id, agents.held(id)),
    async release(id, exitCode) {
      const { pid } = await log.run(id, 'running');
      agents.release(id, exitCode);
      await until(() => !readProcesses().some(({ group, ended }) => group === pid && !ended));
    },
    impossible: (id) => runOf(id, ['no-such-command']),
    async kill(id) {
      const { pid: group } = await log.run(id, 'running');
      const command = () => readProcesses().filter((entry) => entry.group === group && entry.pid !== group);
      // One of them may end by itself between the list and the signal.
      await until(() => command().filter(({ pid }) => isSignalled(pid)).length > 0);
    },
    async away(meanwhile) {
      agent.process.kill('SIGKILL');
      await agent.exited;
      await meanwhile?.();
      agent = await agents.startAgent();
    },
    until: (condition) => until(condition),
    async close() {
      expect(await agents.end()).toEqual([]);
    },
  };
});

function isSignalled(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
