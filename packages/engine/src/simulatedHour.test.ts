import { decide } from '@ebb/core';
import { virtualEpochMs, VirtualSystem, workloadDocument } from '@ebb/testing';
import { expect, it } from 'vitest';
import { observationsOf, type ReadingBody } from './decisionRun.ts';
import { replayJournal } from './replay.ts';
import { simulatedHour, web } from './simulatedHour.fixture.ts';

const key = { cluster: 'local', namespace: 'default', name: 'web' };

/** The second load is the stronger one. */
const hour = (seed: number) => simulatedHour(seed, { perSecond: [2, 8] });

it('plays an hour of 0 → 1 → N → 0 without losing a request', async () => {
  const begunAt = performance.now();
  const system = await hour(7);
  const { exchanges } = system.gateway;
  const status = system.engine.status(key);
  expect(exchanges.length).toBeGreaterThan(4000);
  expect(exchanges.every((exchange) => exchange.outcome === 'succeeded')).toBe(true);
  expect(status?.requests).toMatchObject({
    total: exchanges.length,
    succeeded: exchanges.length,
    failed: 0,
    refused: 0,
  });
  expect(status?.replicas).toEqual({ wanted: 0, starting: 0, ready: 0, draining: 0, failed: 0 });
  // 8 a second of 0.79 s each keep 6.3 requests in flight, on replicas that take two: between 4 and 8 of them.
  const rows = [...system.store.rows.values()];
  const most = Math.max(
    ...rows.map((row) => rows.filter((one) => one.fromMs <= row.fromMs && (one.toMs ?? 0) > row.fromMs).length),
  );
  expect(most).toBeGreaterThanOrEqual(4);
  expect(most).toBeLessThanOrEqual(8);
  // Only those who came to a cold start, or to a load that was growing, waited long.
  const waits = exchanges.map((exchange) => (exchange.assignedUs ?? 0) - exchange.arrivedUs).sort((a, b) => a - b);
  expect(waits[Math.floor(waits.length * 0.95)]).toBeLessThan(500_000);
  expect(performance.now() - begunAt).toBeLessThan(20_000);
});

it('keeps the last replica for exactly the keep-alive time after the last request', async () => {
  const system = await hour(8);
  const lastUs = Math.max(...system.gateway.exchanges.map((exchange) => exchange.endedUs ?? 0));
  const lastMs = virtualEpochMs + Math.floor(lastUs / 1000);
  await system.stop();
  const drains = system.store.records.filter((record) => (record.body as { type?: string }).type === 'drain');
  expect(drains.at(-1)?.atMs).toBeGreaterThanOrEqual(lastMs + 90_000);
  expect(drains.at(-1)?.atMs).toBeLessThanOrEqual(lastMs + 90_001);
});

it('asks for the first replica in the turn in which the request is held', async () => {
  const system = new VirtualSystem();
  await system.start();
  await system.apply(workloadDocument('web'));
  // Neither the journal nor any other part of the store answers.
  system.store.faults.delay = () => new Promise(() => {});
  await system.clock.advance(1000);
  const exchange = system.gateway.arrive(web, 1000);
  await system.clock.runUntilTrue(() => exchange.outcome !== null, 10_000);
  const { coldStarts } = system.engine.status(key) ?? {};
  expect(exchange.outcome).toBe('succeeded');
  // The 200 µs are the way from the gateway.
  expect(coldStarts?.last?.arrivalToAskUs).toBe(200);
  const { arrivalToAskUs = 0, ...stages } = coldStarts?.last ?? {};
  const sum = Object.values(stages).reduce((total: number, stage) => total + (stage ?? 0), arrivalToAskUs ?? 0);
  expect(sum).toBe((exchange.assignedUs ?? 0) - exchange.arrivedUs);
});

it('replays its journal to the same decisions, bit for bit', async () => {
  const system = await hour(9);
  await system.stop();
  const { records } = system.store;
  expect(records.map((record) => record.sequence)).toEqual(records.map((_, index) => index + 1));
  const observations = records
    .filter((record) => record.kind === 'reading')
    .flatMap((record) => observationsOf(record.body as ReadingBody));
  const replayed = replayJournal(records, decide);
  expect(replayed.length).toBe(observations.length);
  expect(replayed.length).toBeGreaterThan(1500);
  expect(replayed.filter((one) => one.matches !== true)).toEqual([]);
  // Another rule gives other decisions, and the comparison notices.
  const other = replayJournal(records, (spec, memory, observation) => {
    const result = decide(spec, memory, observation);
    const reasons = result.decision.reasons.slice(1);
    return observation.nowMs % 7 === 0 ? { ...result, decision: { ...result.decision, reasons } } : result;
  });
  expect(other.some((one) => one.matches === false)).toBe(true);
});

it('writes a journal that stays small', async () => {
  const system = await hour(10);
  await system.stop();
  const bytes = JSON.stringify(system.store.records).length;
  // An hour with twenty minutes of traffic.
  expect(bytes).toBeLessThan(1_500_000);
  const decisions = system.store.records.filter((record) => record.kind === 'decision').length;
  expect(decisions).toBeLessThan(1500);
});

it('adds up what the replicas cost, beside always-on', async () => {
  const system = await hour(11);
  const rows = [...system.store.rows.values()];
  const { cost } = system.engine.status(key) ?? {};
  const seconds = rows.reduce((sum, row) => sum + ((row.toMs ?? Number.NaN) - row.fromMs) / 1000, 0);
  expect(cost?.replicaSeconds).toBeCloseTo(seconds, 6);
  expect(cost?.soFarMicro).toBe(String(Math.round((seconds * 360_000) / 3600)));
  expect(cost?.alwaysOnReplicaSeconds).toBeGreaterThan(seconds * 2);
  expect(cost?.ratePerHourMicro).toBe(0);
});
