import { decide, type FlowObservation, type Observation } from '@ebb/core';
import type { WorkloadInput } from '@ebb/documents';
import { poisson, SeededRandom, startLoad, VirtualSystem, workloadDocument } from '@ebb/testing';
import { expect, it } from 'vitest';
import { observationsOf, type ReadingBody } from './decisionRun.ts';
import { explainFromJournal } from './explain.ts';
import { replayJournal } from './replay.ts';

const web = 'local/default/web';
const key = { cluster: 'local', namespace: 'default', name: 'web' };
const minuteMs = 60_000;

type Scaling = NonNullable<WorkloadInput['spec']['scaling']>;
const prices: Scaling = { maxReplicas: 8, policy: { type: 'priced', onTime: '300ms' } };

/** Half a minute of nothing, five minutes of load, five of nothing. */
async function played(scaling: Scaling): Promise<VirtualSystem> {
  const system = new VirtualSystem({ seed: 3, plan: () => ({ spawnUs: 5_000, listenUs: 200_000, readyUs: 400_000 }) });
  await system.start();
  const classes = [{ name: 'default', command: ['serve'], concurrency: 2, pricePerHour: 0.36 }];
  await system.apply(workloadDocument('web', { classes, scaling }));
  await system.clock.advance(minuteMs / 2);
  const random = new SeededRandom(3);
  startLoad({
    clock: system.clock,
    gateway: system.gateway,
    workload: web,
    arrivals: poisson(random, 5),
    serviceUs: () => random.logNormal(600_000, 0.5),
    forMs: 5 * minuteMs,
  });
  await system.clock.advance(10 * minuteMs);
  return system;
}

function observations(system: VirtualSystem): Observation[] {
  return system.store.records
    .filter((record) => record.kind === 'reading')
    .flatMap((record) => observationsOf(record.body as ReadingBody));
}

it('is decided from a flow that has every request once, and a learned cold start', async () => {
  const system = await played(prices);
  const status = system.engine.status(key);
  await system.stop();
  const { exchanges } = system.gateway;
  const waits = exchanges.map((one) => (one.assignedUs ?? 0) - one.arrivedUs);
  const late = waits.filter((us) => us > 300_000).length;
  expect(exchanges.length).toBeGreaterThan(1200);
  expect(late).toBeGreaterThan(0);
  const flows = observations(system).flatMap(({ flow }) => flow?.default ?? []);
  const sum = (of: (flow: FlowObservation) => number) => flows.reduce((total, flow) => total + of(flow), 0);
  expect(sum((flow) => flow.arrivals)).toBe(exchanges.length);
  expect(sum((flow) => flow.answered)).toBe(exchanges.length);
  expect(sum((flow) => flow.late)).toBe(late);
  const waitedMs = waits.reduce((total, us) => total + us, 0) / 1000;
  expect(Math.abs(sum((flow) => flow.waitMs) - waitedMs)).toBeLessThanOrEqual(1);
  const servedMs = exchanges.reduce((total, one) => total + (one.endedUs ?? 0) - (one.assignedUs ?? 0), 0) / 1000;
  expect(Math.abs(sum((flow) => flow.serviceMs) - servedMs)).toBeLessThanOrEqual(1);
  expect(flows.every((flow) => Object.values(flow).every((value) => value === null || Number.isInteger(value)))).toBe(
    true,
  );
  expect(flows[0]?.coldStartMs).toBeNull();
  const learned = status?.coldStarts.learned?.default;
  expect(flows.at(-1)?.coldStartMs).toBe(Math.round((learned?.totalUs ?? 0) / 1000));
  expect(learned?.starts).toBe(status?.coldStarts.count);
  expect(status?.onTime).toMatchObject({ withinMs: 300, requests: exchanges.length, late });
});

it('replays to the same decisions, bit for bit, and is explained from its journal', async () => {
  const system = await played(prices);
  const atMs = system.clock.nowMs();
  await system.stop();
  const replayed = replayJournal(system.store.records, decide);
  expect(replayed.length).toBeGreaterThan(300);
  expect(replayed.filter((one) => one.matches !== true)).toEqual([]);
  // It does hang on the flow: without it something else is decided.
  const blind = replayJournal(system.store.records, (spec, memory, observation) => {
    const seen = { ...observation };
    delete seen.flow;
    return decide(spec, memory, seen);
  });
  expect(blind.some((one) => one.matches === false)).toBe(true);
  const explanation = await explainFromJournal(system.store.journal, web, atMs - 7 * minuteMs);
  expect(explanation?.lines.length).toBeGreaterThan(0);
});

it('no other policy has a flow; what is on time is known of all', async () => {
  const system = await played({ policy: { type: 'windows' }, maxReplicas: 8 });
  const { onTime } = system.engine.status(key) ?? {};
  await system.stop();
  expect(observations(system).some((one) => 'flow' in one)).toBe(false);
  const { exchanges } = system.gateway;
  const late = exchanges.filter((one) => (one.assignedUs ?? 0) - one.arrivedUs > 5_000_000).length;
  expect(onTime).toMatchObject({ withinMs: 5000, requests: exchanges.length, late });
});

it('a document that turns to prices begins with a flow of its own', async () => {
  const system = await played({ policy: { type: 'windows' }, maxReplicas: 8 });
  await system.apply(workloadDocument('web', { scaling: prices }));
  await system.clock.advance(minuteMs);
  const exchange = system.gateway.arrive(web, 1000);
  await system.clock.advance(minuteMs);
  expect(exchange.outcome).toBe('succeeded');
  await system.stop();
  const flows = observations(system).flatMap(({ flow }) => flow?.default ?? []);
  expect(flows.reduce((total, flow) => total + flow.arrivals, 0)).toBe(1);
});

it.each(['killed', 'stopped'] as const)(
  'what was learned of cold starts outlives a control plane that is %s',
  async (how) => {
    const system = await played(prices);
    const before = system.engine.status(key);
    await system.clock.advance(minuteMs);
    await (how === 'killed' ? system.kill() : system.stop());
    await system.start();
    await system.clock.advance(minuteMs);
    const after = system.engine.status(key);
    expect(before?.coldStarts.learned?.default?.starts).toBeGreaterThan(0);
    expect(after?.coldStarts).toEqual(before?.coldStarts);
    expect(after?.onTime).toMatchObject({ requests: before?.onTime?.requests, late: before?.onTime?.late });
    await system.stop();
  },
);
