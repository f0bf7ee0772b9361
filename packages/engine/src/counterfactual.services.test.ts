import { decide, decisionSpecOf, type JournalRecord, type WorkloadDecisionSpec, windowsSpecOf } from '@ebb/core';
import type { WorkloadInput } from '@ebb/documents';
import { virtualEpochMs, VirtualSystem, workloadDocument, workloadSpec } from '@ebb/testing';
import { expect, it } from 'vitest';
import { coldStartOf, medianOf } from './coldStarts.ts';
import { Counterfactual } from './counterfactual.ts';
import { RecordedPolicy } from './recordedPolicy.ts';
import { type ComparedDecisions, Replayer, type ReplayStep } from './replayer.ts';
import { classes, minuteMs, simulatedHour, web } from './simulatedHour.fixture.ts';

function spec(scaling: NonNullable<WorkloadInput['spec']['scaling']>): WorkloadDecisionSpec {
  return windowsSpecOf(workloadSpec('web', { classes, scaling }));
}

const tried = (own: WorkloadDecisionSpec) => ({ spec: own, classes: own.classes });

/** An hour with two loads, in the middle of the first of which the control plane is ended, by SIGKILL or in good order. */
async function hour(seed: number, end: 'kill' | 'stop'): Promise<VirtualSystem> {
  const system = await simulatedHour(seed, {
    perSecond: [6, 3],
    policy: { type: 'windows' },
    async midway(running) {
      if (end === 'kill') running.kill();
      else await running.stop();
      await running.clock.advance(7_000);
      await running.start();
    },
  });
  await system.stop();
  return system;
}

function replay(records: readonly JournalRecord[], rule: typeof decide = decide) {
  const compared: ComparedDecisions[] = [];
  const steps: ReplayStep[] = [];
  const replayer = new Replayer(rule, { step: (step) => steps.push(step), compared: (one) => compared.push(one) });
  for (const record of records) replayer.take(record);
  return { compared, steps, unverified: replayer.end() };
}

it('gives an hour of decisions again bit for bit, over a restart of the control plane', async () => {
  const { records } = (await hour(3, 'stop')).store;
  const { compared, steps, unverified } = replay(records);
  expect(new Set(records.map((record) => record.segment)).size).toBeGreaterThanOrEqual(2);
  expect(compared.filter((one) => !one.matches)).toEqual([]);
  expect(unverified).toBe(0);
  expect(compared.reduce((sum, one) => sum + one.count, 0)).toBe(steps.length);
  expect(steps.length).toBeGreaterThan(1000);
  expect(compared.some((one) => one.count > 20)).toBe(true);
});

it('says of decisions whose record was lost with the control plane that nothing is known, not that they differ', async () => {
  const { records } = (await hour(4, 'kill')).store;
  expect(replay(records).compared.filter((one) => !one.matches)).toEqual([]);
  // Ends with readings of a run, of which nothing more was written.
  const cut = records.findLastIndex(({ kind }, index) => kind === 'reading' && records[index + 1]?.kind === 'reading');
  const { compared, steps, unverified } = replay(records.slice(0, cut + 1));
  expect(compared.filter((one) => !one.matches)).toEqual([]);
  expect(unverified).toBeGreaterThan(0);
  expect(compared.reduce((sum, one) => sum + one.count, 0) + unverified).toBe(steps.length);
});

it('finds the first decision that another rule makes otherwise, also inside of a repeated run', async () => {
  const { records } = (await hour(5, 'stop')).store;
  const run = replay(records).compared.find((one) => !one.isWhole && one.count > 20);
  const changeMs = (run?.fromMs ?? 0) + Math.floor(((run?.toMs ?? 0) - (run?.fromMs ?? 0)) / 2);
  const { compared } = replay(records, (workload, memory, observation) => {
    const result = decide(workload, memory, observation);
    if (observation.nowMs < changeMs) return result;
    const reasons = [...result.decision.reasons, { code: 'other', stage: 'bounds' as const, data: {} }];
    return { ...result, decision: { ...result.decision, reasons } };
  });
  const [first] = compared.filter((one) => !one.matches);
  expect(first?.sequence).toBe(run?.sequence);
  expect(first?.now.reasons.at(-1)?.code).toBe('other');
});

it('goes on with the next snapshot after a document that it cannot decide on', async () => {
  const { records } = (await hour(8, 'stop')).store;
  const failures: string[] = [];
  let decided = 0;
  const second = records.findLast(({ kind }) => kind === 'snapshot')?.segment ?? 0;
  const broken = records.map((record) => {
    return record.segment === second || !JSON.stringify(record.body).includes('"spec"')
      ? record
      : { ...record, body: { ...(record.body as object), spec: { policy: 'unheard-of' } } };
  });
  const replayer = new Replayer(decide, {
    failed: ({ workload }) => failures.push(workload),
    compared: ({ count, matches }) => {
      if (matches) decided += count;
    },
  });
  for (const record of broken) replayer.take(record);
  replayer.end();
  expect(failures).toContain(web);
  expect(decided).toBeGreaterThan(100);
});

/** One request of a second, five minutes after the start; observed for 20 minutes. */
async function oneRequest() {
  const system = new VirtualSystem({ seed: 1 });
  await system.start();
  await system.apply(
    workloadDocument('web', { classes, scaling: { policy: { type: 'windows' }, maxReplicas: 4, keepAlive: '90s' } }),
  );
  await system.clock.advance(5 * minuteMs);
  const exchange = system.gateway.arrive(web, 1_000_000);
  await system.clock.advance(15 * minuteMs);
  await system.stop();
  const endedMs = virtualEpochMs + (exchange.endedUs ?? 0) / 1000;
  const { records } = system.store;
  const { steps } = replay(records);
  const coldStartMs = medianOf(records.flatMap((record) => coldStartOf(record) ?? [])) ?? 0;
  return {
    steps,
    endMs: system.clock.nowMs(),
    arrivedMs: virtualEpochMs + exchange.arrivedUs / 1000,
    endedMs,
    coldStartMs,
  };
}

function through(policy: WorkloadDecisionSpec, recorded: Awaited<ReturnType<typeof oneRequest>>) {
  const { steps, coldStartMs, endMs } = recorded;
  const other = new Counterfactual(tried(policy), { coldStartMs, memory: steps[0]?.memoryBefore ?? null });
  for (const { observation } of steps) other.take(observation);
  return other.end(endMs);
}

it('counts what another keep-alive costs: figures that can be reckoned by hand', async () => {
  const recorded = await oneRequest();
  const { steps, endMs, arrivedMs, endedMs, coldStartMs } = recorded;
  expect(coldStartMs).toBeGreaterThan(100);

  const actual = new RecordedPolicy();
  for (const { spec: own, observation, decision } of steps) {
    if (own.policy === 'windows') actual.take(own.classes, observation, decision);
  }
  // From the arrival until 90 s after the end of the request.
  const aliveMs = endedMs + 90_000 - arrivedMs;
  expect(Math.abs((actual.end(endMs)?.replicaMs ?? 0) - aliveMs)).toBeLessThanOrEqual(3);

  const same = through(spec({ maxReplicas: 4, keepAlive: '90s' }), recorded);
  expect(Math.abs((same?.replicaMs ?? 0) - aliveMs)).toBeLessThanOrEqual(3);
  expect(same).toMatchObject({ mostReplicas: 1, starts: 1, shortfalls: 1, shortMs: coldStartMs });
  expect(same?.zeroMs).toBe((same?.spanMs ?? 0) - (same?.replicaMs ?? 0));

  // Five minutes instead of 90 s, though nobody asked anything of the recorded system in that time.
  const longer = through(spec({ maxReplicas: 4, keepAlive: '5m' }), recorded);
  expect((longer?.replicaMs ?? 0) - (same?.replicaMs ?? 0)).toBe(210_000);
  // 0.36 an hour is 0.0001 a second.
  expect(longer?.costMicro).toBe(BigInt(Math.round((longer?.replicaMs ?? 0) / 10)));

  const always = through(spec({ minReplicas: 1, maxReplicas: 4 }), recorded);
  expect(always).toMatchObject({ zeroMs: 0, mostReplicas: 1, starts: 1, shortfalls: 0, shortMs: 0 });
  expect(always?.replicaMs).toBe(always?.spanMs);

  const two = through(spec({ minReplicas: 2, maxReplicas: 4 }), recorded);
  expect(two?.replicaMs).toBe((two?.spanMs ?? 0) * 2);
  expect(two?.costMicro).toBe(BigInt(Math.round((two?.replicaMs ?? 0) / 10)));
});

it('comes near to what was, with the same policy, over an hour of load', async () => {
  const { records } = (await hour(6, 'stop')).store;
  const { steps } = replay(records);
  const [first] = steps;
  const endMs = records.at(-1)?.atMs ?? 0;
  const coldStartMs = medianOf(records.flatMap((record) => coldStartOf(record) ?? [])) ?? 0;
  const actual = new RecordedPolicy();
  const same = new Counterfactual(tried(spec({ maxReplicas: 8, keepAlive: '90s' })), {
    coldStartMs,
    memory: first?.memoryBefore ?? null,
  });
  for (const { spec: own, observation, decision } of steps) {
    if (own.policy === 'windows') actual.take(own.classes, observation, decision);
    same.take(observation);
  }
  const [was, would] = [actual.end(endMs), same.end(endMs)];
  expect(was?.spanMs).toBe(would?.spanMs);
  const ratio = (would?.replicaMs ?? 0) / (was?.replicaMs ?? 1);
  expect(ratio).toBeGreaterThan(0.97);
  expect(ratio).toBeLessThan(1.03);
  expect(would?.mostReplicas).toBe(was?.mostReplicas);
});

it('tries a policy of another origin on the same demand', async () => {
  const { records } = (await hour(7, 'stop')).store;
  const { steps } = replay(records);
  const document = workloadSpec('web', { classes, scaling: { maxReplicas: 8, policy: { type: 'knative' } } });
  const policy = { spec: decisionSpecOf(document), classes: document.classes };
  expect(policy.spec.policy).toBe('kpa');
  const other = new Counterfactual(policy, { coldStartMs: 600, memory: steps[0]?.memoryBefore ?? null });
  for (const { observation } of steps) other.take(observation);
  const totals = other.end(records.at(-1)?.atMs ?? 0);
  // Two loads with long quiet times: it woke for each, went to zero after each, and stayed within its bounds.
  expect(totals?.starts).toBeGreaterThanOrEqual(2);
  expect(totals?.mostReplicas).toBeGreaterThan(1);
  expect(totals?.mostReplicas).toBeLessThanOrEqual(8);
  expect(totals?.zeroMs).toBeGreaterThan(20 * minuteMs);
});
