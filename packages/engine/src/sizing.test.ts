import { type VirtualDriver, VirtualSystem, workloadDocument } from '@ebb/testing';
import type { WorkloadInput } from '@ebb/documents';
import { describe, expect, it } from 'vitest';

const key = { cluster: 'local', namespace: 'default', name: 'web' };
const mebibyte = 1024 * 1024;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

async function running(usage: NonNullable<VirtualDriver['usage']>, replicas = 2): Promise<VirtualSystem> {
  const system = new VirtualSystem({ seed: 3 });
  system.driver.usage = usage;
  await system.start();
  await system.apply(
    workloadDocument('web', {
      classes: [
        {
          name: 'small',
          command: ['serve'],
          pricePerHour: 0.1,
          resources: { requests: { cpu: '1', memory: '64Mi' }, limits: { memory: '128Mi' } },
        },
        { name: 'large', command: ['serve', '--large'], pricePerHour: 1, accepts: { models: ['large'] } },
      ],
      scaling: { minReplicas: replicas, maxReplicas: 4 },
    }),
  );
  return system;
}

const steady = () => ({ cpuMilli: 300, memoryBytes: 200 * mebibyte });
const ofSmall = (system: VirtualSystem) => {
  const small = system.engine.recommendation(key)?.classes.find((one) => one.class === 'small');
  if (!small) throw new Error('no such class');
  return small;
};

it('recommends what two days of steady use ask for, and narrows its bounds with time', async () => {
  const system = await running(steady);
  await system.clock.advance(30 * 60_000);
  const early = ofSmall(system);
  expect(early).toMatchObject({ suggested: null, confidence: { enough: false } });
  expect(early.confidence.sentence).toMatch(/^Too little to go by: \d+ samples over (28|29|30) min; /);
  await system.clock.advance(2 * dayMs);
  const late = ofSmall(system);
  // A sample a minute from each of two replicas.
  expect(late.confidence.samples).toBeGreaterThan(2 * 2 * 1440);
  expect(late.confidence.samples).toBeLessThan(2 * 2 * 1440 + 70);
  expect(late.confidence.enough).toBe(true);
  // 300m and 200 MiB, up to a histogram bucket (5 % at most) and 15 % margin.
  const target = late.amounts?.target ?? { cpuMilli: 0, memoryBytes: 0 };
  expect(target.cpuMilli).toBeGreaterThanOrEqual(345);
  expect(target.cpuMilli).toBeLessThanOrEqual(Math.ceil(300 * 1.15 * 1.06) + 12);
  expect(target.memoryBytes).toBeGreaterThanOrEqual(200 * mebibyte * 1.15);
  expect(target.memoryBytes).toBeLessThanOrEqual(200 * mebibyte * 1.15 * 1.12);
  const width = ({ amounts }: typeof late) =>
    (amounts?.upperBound.cpuMilli ?? Number.NaN) / (amounts?.lowerBound.cpuMilli ?? Number.NaN);
  expect(width(late)).toBeLessThan(width(early) / 2);
  // The memory limit is below the target: as it was twice the request, it becomes twice the target.
  expect(late.suggested?.requests.cpuMilli).toBe(target.cpuMilli);
  expect(late.suggested?.requests.memoryBytes).toBe(Math.ceil(target.memoryBytes / mebibyte) * mebibyte);
  expect(late.suggested?.limits).toEqual({ memoryBytes: 2 * (late.suggested?.requests.memoryBytes ?? 0) });
  expect(late.reasons.map(({ sentence }) => sentence).join('\n')).toContain('of cpu 90 % of the time');
  const large = system.engine.recommendation(key)?.classes.find((one) => one.class === 'large');
  expect(large).toMatchObject({ amounts: null, suggested: null, confidence: { samples: 0 } });
});

it('survives a restart and a kill of the control plane without counting anything twice', async () => {
  const system = await running(steady);
  await system.clock.advance(6 * hourMs);
  const before = ofSmall(system);
  await system.stop();
  const saved = JSON.stringify(await system.store.state.load('sizing/local/default/web'));
  expect(saved.length).toBeLessThan(16_384);
  await system.clock.advance(10 * 60_000);
  await system.start();
  expect(ofSmall(system)).toEqual({ ...before, reasons: ofSmall(system).reasons });
  await system.clock.advance(3 * 60_000);
  system.kill();
  await system.start();
  await system.clock.advance(6 * hourMs);
  const after = ofSmall(system);
  expect(after.amounts?.target).toEqual(before.amounts?.target);
  // Two replicas a minute each; the first minute after a start only tells where they stand.
  expect(after.confidence.samples).toBeGreaterThan(2 * 12 * 60 - 30);
  expect(after.confidence.samples).toBeLessThanOrEqual(2 * (12 * 60 + 4));
});

it('counts a replica that lives for less than a minute', async () => {
  const system = await running(steady, 1);
  await system.clock.advance(25_000);
  expect(ofSmall(system).confidence.samples).toBe(0);
  const [replica] = system.driver.replicas();
  await system.apply(
    workloadDocument('web', {
      classes: [{ name: 'small', command: ['other'], pricePerHour: 0.1 }],
      scaling: { minReplicas: 1, maxReplicas: 4 },
      update: {},
    }),
  );
  await system.clock.advance(20_000);
  expect(system.driver.replicas().map(({ id }) => id)).not.toContain(replica?.id);
  const { confidence, amounts } = ofSmall(system);
  expect(confidence.samples).toBe(1);
  expect(amounts?.lowerBound.cpuMilli).toBeLessThanOrEqual(345);
  expect(amounts?.upperBound.cpuMilli).toBeGreaterThan(300);
});

it('takes running out of memory for a need of more, and says so', async () => {
  const system = await running(steady, 1);
  await system.clock.advance(2 * hourMs);
  const before = ofSmall(system);
  const [replica] = system.driver.replicas();
  system.driver.runOutOfMemory(replica?.id ?? '');
  await system.clock.advance(10_000);
  const after = ofSmall(system);
  // 300 MiB: 100 MiB more than it had.
  expect(after.amounts?.target.memoryBytes).toBeGreaterThanOrEqual(300 * mebibyte * 1.15);
  expect(after.amounts?.target.memoryBytes).toBeGreaterThan(before.amounts?.target.memoryBytes ?? 0);
  expect(after.reasons[0]).toMatchObject({ code: 'sizing-oom' });
  await system.stop();
  await system.start();
  expect(ofSmall(system).reasons[0]?.sentence).toContain('small ran out of memory 1 time');
});

it('forgets a deleted workload, and answers for none that is not there', async () => {
  const system = await running(steady, 1);
  await system.clock.advance(2 * hourMs);
  await system.await(system.engine.remove('Workload', key));
  await system.clock.advance(60_000);
  expect(system.engine.recommendation(key)).toBeNull();
  expect(await system.store.state.load('sizing/local/default/web')).toBeNull();
});

describe('applied on the next roll-out', () => {
  const sizedDocument = (command: string, sizing: WorkloadInput['spec']['sizing'], memoryRequest = '64Mi') =>
    workloadDocument('web', {
      classes: [
        {
          name: 'small',
          command: [command],
          pricePerHour: 0.1,
          resources: { requests: { cpu: '1', memory: memoryRequest }, limits: { memory: '128Mi' } },
        },
      ],
      scaling: { minReplicas: 2, maxReplicas: 4 },
      ...(sizing ? { sizing } : {}),
    });
  const follows = { apply: 'nextRollout' } as const;
  const askedOf = (system: VirtualSystem) => {
    return system.driver.started.map(({ revision, resources }) => ({ revision, ...resources }));
  };
  async function learned(sizing: WorkloadInput['spec']['sizing'], hours = 3): Promise<VirtualSystem> {
    const system = new VirtualSystem({ seed: 4 });
    system.driver.usage = steady;
    await system.start();
    await system.apply(sizedDocument('serve', sizing));
    await system.clock.advance(hours * hourMs);
    return system;
  }

  it('nothing is restarted for it, and nothing changes until the template does', async () => {
    const system = await learned(follows);
    const before = system.driver.replicas().map(({ id }) => id);
    await system.clock.advance(dayMs);
    expect(system.driver.replicas().map(({ id }) => id)).toEqual(before);
    // Another start of the same template asks for what the others have.
    system.driver.crash(before[0] ?? '');
    await system.clock.advance(60_000);
    const [first, ...others] = askedOf(system);
    for (const one of others) expect(one).toEqual(first);
    expect(system.engine.status(key)?.sized).toBeUndefined();
  });

  it.each(['nextRollout', 'inPlace'] as const)(
    '%s: new replicas of a new template ask for what is recommended, all alike, and it is told',
    async (apply) => {
      const follows = { apply };
      const system = await learned(follows);
      const suggested = ofSmall(system).suggested;
      await system.apply(sizedDocument('serve-2', follows));
      await system.clock.advance(60_000);
      const own = askedOf(system).slice(-2);
      for (const { requests, limits } of own) {
        expect(requests).toMatchObject(suggested?.requests ?? { cpuMilli: -1 });
        expect(limits).toEqual(suggested?.limits);
      }
      const status = system.engine.status(key);
      expect(status?.sized?.['small']).toMatchObject({
        ...suggested,
        revision: own[0]?.revision,
        documentRequests: { cpuMilli: 1000, memoryBytes: 64 * mebibyte },
        documentLimits: { memoryBytes: 128 * mebibyte },
      });
      expect(status?.conditions.find(({ type }) => type === 'Progressing')?.status).not.toBe('True');
      const { lines = [], actions = [] } = (await system.await(system.engine.explain(key))) ?? {};
      expect(lines.find(({ code }) => code === 'sizing-applied')?.sentence).toContain(
        'and not for 1 of cpu and 64Mi of memory',
      );
      expect(actions.map(({ body }) => body)).toContainEqual(
        expect.objectContaining({ type: 'size', class: 'small', ...suggested }),
      );
      expect(ofSmall(system)).toMatchObject({
        requests: { cpuMilli: 1000, memoryBytes: 64 * mebibyte },
        applied: { requests: suggested?.requests },
      });
    },
  );

  it('stays as it was settled while the recommendation moves, over scaling, a restart and documents without a new template', async () => {
    const system = await learned(follows);
    await system.apply(sizedDocument('serve-2', follows));
    await system.clock.advance(60_000);
    const settled = system.engine.status(key)?.sized;
    const ids = system.driver.replicas().map(({ id }) => id);
    system.driver.usage = () => ({ cpuMilli: 900, memoryBytes: 900 * mebibyte });
    await system.clock.advance(2 * dayMs);
    expect(ofSmall(system).suggested?.requests).not.toEqual(settled?.['small']?.requests);
    await system.stop();
    await system.start();
    const document = sizedDocument('serve-2', follows);
    await system.apply({ ...document, spec: { ...document.spec, scaling: { minReplicas: 3, maxReplicas: 4 } } });
    await system.clock.advance(60_000);
    expect(system.engine.status(key)?.sized).toEqual(settled);
    expect(system.driver.replicas().map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
    const last = askedOf(system).at(-1);
    expect(last?.requests).toMatchObject(settled?.['small']?.requests ?? { cpuMilli: -1 });
    expect(system.driver.replicas()).toHaveLength(3);
    // The next roll-out takes what is recommended by then.
    await system.apply(sizedDocument('serve-3', follows));
    await system.clock.advance(60_000);
    expect(system.engine.status(key)?.sized?.['small']?.requests.memoryBytes).toBeGreaterThan(900 * mebibyte);
  });

  it.each([
    ['never', undefined, {}],
    ['too early', follows, { hours: 0.5 }],
  ])('the document counts: %s', async (_name, sizing, { hours = 3 }: { hours?: number }) => {
    const system = await learned(sizing, hours);
    await system.apply(sizedDocument('serve-2', sizing));
    await system.clock.advance(60_000);
    expect(askedOf(system).at(-1)?.requests).toMatchObject({ cpuMilli: 1000, memoryBytes: 64 * mebibyte });
    expect(system.engine.status(key)?.sized).toBeUndefined();
  });

  it('turned on without a new template it waits; turned off the document counts for what starts then', async () => {
    const system = await learned(undefined);
    await system.apply(sizedDocument('serve', follows));
    await system.clock.advance(60_000);
    expect(system.engine.status(key)?.sized).toBeUndefined();
    await system.apply(sizedDocument('serve-2', follows));
    await system.clock.advance(60_000);
    const ids = system.driver.replicas().map(({ id }) => id);
    expect(system.engine.status(key)?.sized).toBeDefined();
    await system.apply(sizedDocument('serve-2', { apply: 'never' }));
    await system.clock.advance(60_000);
    expect(system.engine.status(key)?.sized).toBeUndefined();
    expect(system.driver.replicas().map(({ id }) => id)).toEqual(ids);
  });

  it('keeps to its bounds, and to limits where only requests are controlled', async () => {
    const bounds = { minAllowed: { cpu: '500m' }, maxAllowed: { memory: '150Mi' } };
    const system = await learned({ ...follows, bounds });
    expect(ofSmall(system).suggested).toMatchObject({ requests: { cpuMilli: 500, memoryBytes: 150 * mebibyte } });
    expect(ofSmall(system).reasons.map(({ code }) => code)).toContain('sizing-max-allowed');
    const within = await learned({ ...follows, controlledValues: 'RequestsOnly' });
    expect(ofSmall(within).suggested).toMatchObject({ requests: { memoryBytes: 128 * mebibyte }, limits: {} });
  });

  it('replicas that an older version started by the document get no other beside them', async () => {
    const system = await learned(follows);
    await system.stop();
    const name = 'engine/workload/local/default/web';
    const { sized, ...older } = Object(await system.store.state.load(name));
    expect(sized).toHaveProperty('small.amounts', null);
    await system.store.state.save(name, older, 1);
    await system.start();
    const document = sizedDocument('serve', follows);
    await system.apply({ ...document, spec: { ...document.spec, scaling: { minReplicas: 3, maxReplicas: 4 } } });
    await system.clock.advance(60_000);
    expect(system.driver.replicas()).toHaveLength(3);
    expect(askedOf(system).at(-1)?.requests).toMatchObject({ cpuMilli: 1000, memoryBytes: 64 * mebibyte });
  });
});
