import { SeededRandom, VirtualSystem, workloadDocument } from '@ebb/testing';
import { expect, it } from 'vitest';

const web = 'local/default/web';
const key = { cluster: 'local', namespace: 'default', name: 'web' };
const minuteMs = 60_000;

const gpuSlots = 4;
const classes = [
  { name: 'cpu', command: ['serve'], concurrency: 1, pricePerHour: '0.10', accepts: { maxTokens: 256 } },
  { name: 'gpu', command: ['serve', 'fast'], concurrency: gpuSlots, pricePerHour: '0.40' },
];

async function started(scaling: object): Promise<VirtualSystem> {
  const system = new VirtualSystem({ seed: 5, plan: () => ({ spawnUs: 5_000, listenUs: 200_000, readyUs: 400_000 }) });
  await system.start();
  system.gateway.onAssign = (exchange, slots) => {
    if (slots === gpuSlots) exchange.serviceUs = Math.round(exchange.serviceUs / 10);
  };
  await system.apply(workloadDocument('web', { classes, scaling: { maxReplicas: 20, ...scaling } }));
  return system;
}

/** One request in ten is too long for the CPU; a GPU takes a tenth of the time. */
async function load(system: VirtualSystem, perSecond: number, minutes: number): Promise<void> {
  const random = new SeededRandom(7);
  const endMs = system.clock.nowMs() + minutes * minuteMs;
  for (let count = 1; system.clock.nowMs() < endMs; count++) {
    const maxTokens = count % 10 === 0 ? 1000 : 100;
    system.gateway.arrive(web, random.logNormal(20_000_000, 0.3), { maxTokens });
    await system.clock.advance(Math.ceil(random.exponential(1000 / perSecond)));
  }
}

it('learns both classes from the flow, tells the cheaper one as demand rises, and keeps it over a restart', async () => {
  const system = await started({ policy: { type: 'priced', onTime: '1s', share: 0.9 } });
  const hint = () => system.engine.status(key)?.classHint;
  expect(hint()).toMatchObject({ class: null, because: 'No hint yet: no request was seen.' });
  await load(system, 0.03, 50);
  expect(hint()).toMatchObject({ class: null, costPerHourMicro: {} });
  await load(system, 0.03, 30);
  const low = hint();
  expect(low?.class).toBe('cpu');
  expect(low?.because).toMatch(
    /^cpu \(gpu for what it does not accept\) would cost 0\.\d\d an hour instead of 0\.3\d .* above .* gpu is cheaper$/,
  );
  await load(system, 0.3, 110);
  const high = hint();
  const explained = await system.engine.explain(key);
  expect(high?.class).toBe('gpu');
  expect(high?.costPerHourMicro.gpu).toBeLessThanOrEqual(400_000);
  expect(high?.costPerHourMicro.cpu).toBeGreaterThan(460_000);
  expect(high?.because).toMatch(/(1\.\d|2|2\.\d) s instead of (19|2\d) s a service/);
  expect(explained?.lines.at(-1)).toEqual({ stage: 'hint', code: 'class-hint', sentence: high?.because });
  // It changes nothing: the CPU goes on serving what it accepts.
  expect(system.engine.status(key)?.classes.cpu?.ready).toBeGreaterThan(1);
  await system.stop();
  await system.start();
  expect(hint()).toEqual(high);
  await system.stop();
});

it('there is none for another policy, nor for a single class', async () => {
  const system = await started({ policy: { type: 'windows' } });
  await load(system, 1, 2);
  expect(system.engine.status(key)).not.toHaveProperty('classHint');
  await system.apply(workloadDocument('web', { scaling: { policy: { type: 'priced' } } }));
  await load(system, 1, 2);
  expect(system.engine.status(key)).not.toHaveProperty('classHint');
  expect((await system.engine.explain(key))?.lines.some(({ stage }) => stage === 'hint')).toBe(false);
  await system.stop();
});
