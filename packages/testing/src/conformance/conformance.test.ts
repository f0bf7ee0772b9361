import type { ReplicaStart, RunStart } from '@ebb/core';
import { MemoryStore } from '../memoryStore.ts';
import { workloadSpec } from '../builders.ts';
import { settle, VirtualClock } from '../virtualClock.ts';
import { VirtualDriver } from '../virtualDriver.ts';
import { VirtualGateway } from '../virtualGateway.ts';
import { VirtualMetrics, type VirtualPage } from '../virtualMetrics.ts';
import { VirtualScaler } from '../virtualScaler.ts';
import {
  describeClockConformance,
  describeDriverConformance,
  describeGatewayConformance,
  describeMetricsScraperConformance,
  describeRunsConformance,
  describeScalerConformance,
  describeStoreConformance,
} from './index.ts';

const limitMs = 120_000;

describeClockConformance('VirtualClock', () => {
  const clock = new VirtualClock();
  return { clock, pass: (ms) => clock.advance(ms) };
});

describeStoreConformance('MemoryStore', () => ({ store: new MemoryStore() }));

describeScalerConformance('VirtualScaler', () => ({
  scaler: new VirtualScaler((atMs) => [
    { trigger: 'x', class: null, value: 3, peak: null, spanMs: 0, atMs, state: 'ok', nextChangeMs: atMs + 1 },
  ]),
  moments: [1000, 2000],
}));

describeDriverConformance('VirtualDriver', () => {
  const clock = new VirtualClock();
  const driver = new VirtualDriver({
    clock,
    plan: (start, random) => ({
      spawnUs: random.integer(1000, 9000),
      listenUs: 5000,
      readyUs: start.command[0] === 'never' ? Number.POSITIVE_INFINITY : 20_000,
      ...(start.command[0] === 'nodde'
        ? { failure: { code: 'command-not-found', message: 'command not found: nodde' } }
        : {}),
    }),
  });
  const spec = workloadSpec('conformance');
  const start = (id: string, command: string): ReplicaStart => ({
    id,
    workload: spec.key,
    class: 'default',
    revision: 'r1',
    node: 'local',
    command: [command],
    env: {},
    envFromHost: [],
    workingDirectory: '/',
    port: 'auto',
    resources: { requests: { cpuMilli: 0, memoryBytes: 0, gpuMilli: 0 }, limits: {} },
    probes: { ...spec.probes, startup: { ...spec.probes.startup, budgetMs: 500 } },
    terminationGraceMs: 1000,
  });
  return {
    driver,
    healthy: (id) => start(id, 'serve'),
    impossible: (id) => start(id, 'nodde'),
    neverReady: (id) => start(id, 'never'),
    crash: (id) => driver.crash(id),
    until: (condition, what) => clock.runUntilTrue(condition, limitMs, what),
  };
});

describeRunsConformance('VirtualDriver', () => {
  const clock = new VirtualClock();
  const driver = new VirtualDriver({
    clock,
    runPlan: ({ command: [name] }, random) => ({
      spawnUs: random.integer(1000, 9000),
      runUs: name === 'hold' ? Number.POSITIVE_INFINITY : 20_000,
      exitCode: Number(name === 'hold' ? 0 : name),
      ...(name === 'nodde' ? { failure: { code: 'command-not-found', message: 'command not found: nodde' } } : {}),
    }),
  });
  const start = (id: string, command: string): RunStart => ({
    id,
    owner: { cluster: 'local', namespace: 'default', name: 'conformance' },
    node: 'local',
    command: [command],
    env: {},
    envFromHost: [],
    workingDirectory: '/',
    resources: { requests: { cpuMilli: 0, memoryBytes: 0, gpuMilli: 0 }, limits: {} },
    terminationGraceMs: 1000,
  });
  return {
    driver,
    ending: (id, exitCode) => start(id, String(exitCode)),
    held: (id) => start(id, 'hold'),
    release: (id, exitCode) => driver.runs.end(id, exitCode),
    impossible: (id) => start(id, 'nodde'),
    kill: (id) => driver.runs.kill(id),
    async away(meanwhile) {
      driver.disconnect();
      await clock.advance(10);
      await meanwhile?.();
      await clock.advance(10);
      driver.reconnect();
    },
    until: (condition, what) => clock.runUntilTrue(condition, limitMs, what),
  };
});

describeGatewayConformance('VirtualGateway', async () => {
  const clock = new VirtualClock();
  const serving = new Map<string, number>();
  const gateway = new VirtualGateway({ clock, isServing: (replica) => serving.has(replica) });
  gateway.onAssign = (exchange) => {
    exchange.serviceUs = (serving.get(exchange.replica ?? '') ?? 0) * 1000 + 1;
  };
  const port = gateway.port();
  port.connect();
  const spec = workloadSpec('conformance');
  return {
    port,
    workload: (key) => ({
      key,
      classes: [{ name: 'default', accepts: null }],
      serving: spec.serving,
      endpoints: [],
      unavailable: null,
    }),
    replica: async (id, answerAfterMs) => {
      serving.set(id, answerAfterMs);
      return { host: '127.0.0.1', port: 20_000 + serving.size };
    },
    dead: async () => ({ host: '127.0.0.1', port: 1 }),
    request: (key) =>
      new Promise((resolve) => {
        // A little after what was configured has crossed the link.
        clock.afterUs(1000, () => {
          const exchange = gateway.arrive(key, 1);
          const answered = () => {
            if (exchange.outcome === null) return clock.afterUs(1000, answered);
            const succeeded = exchange.outcome === 'succeeded';
            return resolve({ status: succeeded ? 200 : 503, replica: succeeded ? exchange.replica : null });
          };
          answered();
        });
      }),
    until: async (condition, what) => {
      await clock.runUntilTrue(condition, limitMs, what);
      await settle();
    },
  };
});

describeMetricsScraperConformance('VirtualMetrics', () => {
  const clock = new VirtualClock();
  const scraper = new VirtualMetrics(clock);
  const answers = new Map<number, VirtualPage>();
  let port = 20_000;
  const nobody = scraper.page;
  scraper.page = (address) => (answers.get(address.port) ?? nobody)(address);
  const at = async (answer: VirtualPage) => {
    answers.set(++port, answer);
    return { host: '127.0.0.1', port, path: '/metrics' };
  };
  return {
    scraper,
    serving: (text) => at(() => text),
    refusing: (status) => at(({ host }) => ({ error: `http://${host} answered with status ${status}` })),
    silent: () => at(() => null),
    nobody: async () => ({ host: '127.0.0.1', port: 1, path: '/metrics' }),
    settled: async (promise) => {
      const results = Promise.allSettled([promise]);
      await clock.advance(1000);
      return (await results)[0];
    },
  };
});
