import { expect, it } from 'vitest';
import { deployment } from '../fake/fakeCluster.fixture.ts';
import { fakeOperators } from '../fake/fakeOperators.fixture.ts';
import { scaledObject } from '../fake/operator.fixture.ts';
import { numberAt, textAt } from '../client/values.ts';

const deployments = 'apps/v1/deployments';
const objects = 'keda.sh/v1alpha1/scaledobjects';
const world = fakeOperators({ podsReadyAfterMs: 5, shown: () => events().join('\n') });
const events = () =>
  world.cluster.server
    .list('events.k8s.io/v1/events')
    .map((event) => `${textAt(event, 'type')} ${textAt(event, 'reason')} ${textAt(event, 'note')}`);
const { start, within } = world;
const told = (text: string) => within(() => events().some((one) => one.includes(text)), text);

it('tells of a ScaledObject what was scaled and why, and what is wrong with it', async () => {
  const { server } = world.cluster;
  server.put(deployments, deployment('web', 0));
  server.put(objects, scaledObject('jobs'));
  await (await start()).operator.ready;
  world.triggers.say('jobs', 30);
  await told('Normal KEDAScaleTargetActivated scaled Deployment web from 0 to 3: ');
  world.triggers.say('jobs', null);
  await told('Warning TriggerFailing trigger s0-redis (redis): the source is away');
  world.triggers.say('jobs', 0);
  await told('Normal ScaledObjectReady');
  await told('Normal KEDAScaleTargetDeactivated scaled Deployment web from');
  const [event] = server.list('events.k8s.io/v1/events');
  expect(event).toMatchObject({
    reportingController: 'ebb.dev/operator',
    reportingInstance: 'a',
    regarding: { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', namespace: 'default', name: 'jobs' },
  });
  expect(textAt(event, 'regarding', 'uid')).toBe(textAt(server.get(objects, 'default', 'jobs'), 'metadata', 'uid'));
});

it('counts what happens again in the event that is there, and says nothing when it begins anew', async () => {
  const { server } = world.cluster;
  server.put(deployments, deployment('web', 0));
  server.put(objects, scaledObject('jobs'));
  const first = await start();
  await first.operator.ready;
  for (const round of [1, 2]) {
    world.triggers.say('jobs', 10);
    await within(() => numberAt(server.get(deployments, 'default', 'web'), 'spec', 'replicas') === 1, 'one');
    world.triggers.say('jobs', 0);
    await within(() => numberAt(server.get(deployments, 'default', 'web'), 'spec', 'replicas') === 0, 'zero');
    const rounds = () =>
      server
        .list('events.k8s.io/v1/events')
        .filter((event) => textAt(event, 'reason') === 'KEDAScaleTargetDeactivated')
        .reduce((sum, event) => sum + (numberAt(event, 'series', 'count') ?? 1), 0);
    await within(() => rounds() === round, `round ${round}`);
  }
  const before = events().length;
  await first.stop();
  const second = await start({ identity: 'b' });
  await second.operator.ready;
  world.triggers.say('jobs', 20);
  await told('from 0 to 2');
  expect(events().filter((one) => one.includes('ScaledObjectReady'))).toHaveLength(0);
  expect(events().length).toBe(before + 1);
});
