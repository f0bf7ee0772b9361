import { type StartPlan, VirtualSystem, workloadDocument } from '@ebb/testing';
import { expect, it } from 'vitest';

const key = { cluster: 'local', namespace: 'default', name: 'both' };
const quick: StartPlan = { spawnUs: 20_000, listenUs: 50_000, readyUs: 130_000 };
const classes = [
  { name: 'gpu', command: ['serve'], pricePerHour: 0.1, resources: { requests: { gpu: 1 } } },
  { name: 'cpu', command: ['serve'], pricePerHour: 0.2 },
];

/** A machine that gets its GPU, and loses it, when the test says so. */
async function machineWith(hasGpu: boolean) {
  const machine = { hasGpu };
  const system = new VirtualSystem({
    plan: () => quick,
    cannotRun: ({ gpuMilli }) => (gpuMilli > 0 && !machine.hasGpu ? 'needs a GPU, and this machine has none' : null),
  });
  await system.start();
  const started = () => system.driver.started.map((one) => one.class);
  const condition = () => system.engine.status(key)?.conditions.find(({ type }) => type === 'ClassesUsable');
  return { machine, system, started, condition };
}

it('a class that the machine can never run gives way to one that it can, and comes back', async () => {
  const { machine, system, started, condition } = await machineWith(false);
  await system.apply(
    workloadDocument('both', { classes, scaling: { maxReplicas: 2, keepAlive: '1s', policy: { type: 'windows' } } }),
  );
  await system.clock.advance(1000);
  const held = system.gateway.arrive('local/default/both', 1000);
  await system.clock.advance(2000);
  expect(held.outcome).toBe('succeeded');
  expect(started()).toEqual(['cpu']);
  expect(condition()).toMatchObject({
    status: 'False',
    reason: 'ClassLeftOut',
    message: 'class gpu is left out: needs a GPU, and this machine has none',
  });

  await system.clock.advance(120_000);
  machine.hasGpu = true;
  system.engine.machineChanged?.();
  await system.clock.advance(1000);
  const next = system.gateway.arrive('local/default/both', 1000);
  await system.clock.advance(2000);
  expect(next.outcome).toBe('succeeded');
  expect(started()).toEqual(['cpu', 'gpu']);
  expect(condition()).toBeUndefined();

  // What runs on it is not taken away because the driver does not answer; once it has gone, the other class serves.
  const long = system.gateway.arrive('local/default/both', 60_000_000);
  await system.clock.advance(2000);
  machine.hasGpu = false;
  system.engine.machineChanged?.();
  expect(condition()).toBeUndefined();
  await system.clock.advance(60_000);
  expect(long.outcome).toBe('succeeded');
});

it('after a restart it is left out again, and where no class is left the driver refuses', async () => {
  const { system, condition } = await machineWith(false);
  await system.apply(workloadDocument('both', { classes }));
  expect(condition()?.reason).toBe('ClassLeftOut');
  system.kill();
  await system.start();
  expect(condition()?.reason).toBe('ClassLeftOut');
  await system.apply(workloadDocument('both', { classes: classes.slice(0, 1) }));
  expect(condition()).toBeUndefined();
});
