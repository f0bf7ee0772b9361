import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { idleStatus, replicaStatus, systemStatus } from '../live/status.fixture.ts';
import { isRunning, killNow, waitUntilGone } from './processes.ts';
import { forceStop, processesOf, stopEbb, stopText } from './stop.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A process that lives until it is ended; the leader of a group of its own, as replicas are. */
async function start(script = 'setInterval(() => {}, 1000)'): Promise<{ child: ChildProcess; pid: number }> {
  const child = spawn(process.execPath, ['-e', script], { detached: true, stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  return { child, pid: child.pid ?? 0 };
}

test('a process is there, then gone', async () => {
  const { child, pid } = await start();
  expect(isRunning(pid)).toBe(true);
  expect(await waitUntilGone([pid], 30)).toBe(false);
  child.kill('SIGKILL');
  expect(await waitUntilGone([pid], 10_000)).toBe(true);
  expect(isRunning(pid)).toBe(false);
  expect(killNow([pid])).toEqual([]);
});

test('killing does not ask', async () => {
  const { pid } = await start("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)");
  expect(killNow([pid])).toEqual([pid]);
  expect(await waitUntilGone([pid], 10_000)).toBe(true);
});

async function someEbb() {
  const [controlPlane, gateway, agent, replica] = await Promise.all([start(), start(), start(), start()]);
  const status = {
    ...systemStatus([
      { ...idleStatus('hello'), replicaList: [replicaStatus({ pid: replica.pid }), replicaStatus({ pid: null })] },
    ]),
    gateway: { connected: true, url: '', pid: gateway.pid },
    agent: { connected: true, pid: agent.pid },
  };
  return { status, controlPlane, all: [replica, gateway, agent, controlPlane] };
}

test('stopping asks, waits for every process, and says what it was', async () => {
  const { status, controlPlane, all } = await someEbb();
  const outcome = await stopEbb(
    {
      controlPlanePid: controlPlane.pid,
      status: async () => status,
      shutdown: async () => {
        for (const { child } of all) child.kill('SIGTERM');
      },
    },
    () => {},
  );
  expect(outcome).toEqual({ replicas: 1, processes: ['gateway', 'agent', 'control plane'], left: [] });
  expect(stopText(outcome)).toBe('stopped 1 replica, the gateway, the agent and the control plane');
});

test('a control plane that cannot be asked any more: its process is what counts', async () => {
  const { child, pid } = await start();
  const refuse = async () => {
    child.kill('SIGKILL');
    throw new Error('nobody answers');
  };
  const outcome = await stopEbb({ controlPlanePid: pid, status: refuse, shutdown: refuse }, () => {});
  expect(outcome.left).toEqual([]);
});

test('force kills all that is known', async () => {
  const { status, controlPlane, all } = await someEbb();
  expect(processesOf(controlPlane.pid, status).map(({ what }) => what)).toEqual([
    'replica',
    'gateway',
    'agent',
    'control plane',
  ]);
  expect(forceStop(controlPlane.pid, status)).toEqual(all.map(({ pid }) => pid));
  expect(
    await waitUntilGone(
      all.map(({ pid }) => pid),
      10_000,
    ),
  ).toBe(true);
});

test('nothing to stop', () => {
  expect(stopText({ replicas: 0, processes: [], left: [] })).toBe('stopped nothing');
  expect(stopText({ replicas: 0, processes: ['control plane'], left: [] })).toBe('stopped the control plane');
});
