import { expect, it } from 'vitest';
import { ApiServerError } from '../client/client.ts';
import { type KubernetesObject, objectName, readObject } from '../client/objects.ts';
import type { JsonObject } from '../client/values.ts';
import { half } from '../fake/fakeCluster.fixture.ts';
import { HandClock } from '../fake/handClock.fixture.ts';
import { KedaFinalizers } from './kedaFinalizers.ts';

const keda = 'finalizer.keda.sh';

function setup() {
  const clock = new HandClock(1_000_000);
  const objects = new Map<string, KubernetesObject>();
  const patches: JsonObject[] = [];
  const log: string[] = [];
  const state = { refuse: null as ApiServerError | null, isLeading: true, isInCharge: true };
  const of = (kind: string) => ({
    list: () => [...objects.values()].filter((one) => one.kind === kind),
    get: (at: { namespace: string; name: string }) => objects.get(`${kind} ${objectName(at)}`) ?? null,
  });
  const finalizers = new KedaFinalizers({
    client: {
      random: half,
      async mergePatch(resource, at, body) {
        patches.push({ path: `${resource.plural}/${objectName(at)}`, ...body });
        if (state.refuse) throw state.refuse;
        return put(resource.kind, body.metadata as JsonObject);
      },
    },
    clock,
    view: { scaledObjects: of('ScaledObject'), scaledJobs: of('ScaledJob') },
    isInCharge: () => state.isInCharge,
    mayWrite: () => state.isLeading,
    log: (_level, message, data) => log.push(`${message} ${JSON.stringify(data)}`),
  });
  function put(kind: string, metadata: JsonObject): KubernetesObject {
    const at = { name: 'web', namespace: 'default', uid: `uid-${kind}`, resourceVersion: '7' };
    const object = readObject(
      { metadata: { ...at, deletionTimestamp: '2026-01-01T00:00:00Z', ...metadata } },
      { apiVersion: 'keda.sh/v1alpha1', kind },
    );
    if (!object) throw new Error('no object');
    const before = objects.get(`${kind} default/web`) ?? null;
    objects.set(`${kind} default/web`, object);
    finalizers.onEvent({ type: 'put', object, before });
    return object;
  }
  return { clock, finalizers, patches, log, state, put };
}

it.each(['ScaledObject', 'ScaledJob'])(
  "takes KEDA's finalizer, and no other, off a %s that KEDA leaves to be deleted",
  async (kind) => {
    const { clock, patches, put } = setup();
    put(kind, { finalizers: ['other.example', keda] });
    await clock.pass(4900);
    expect(patches).toEqual([]);
    await clock.pass(200);
    await clock.pass(60_000);
    const path = `${kind.toLowerCase()}s/default/web`;
    expect(patches).toEqual([{ path, metadata: { finalizers: ['other.example'], resourceVersion: '7' } }]);
  },
);

it('leaves alone what stays, what KEDA has released by then, what others are in charge of, and everything where another one leads', async () => {
  const { clock, finalizers, patches, state, put } = setup();
  put('ScaledObject', { finalizers: [keda], deletionTimestamp: null });
  await clock.pass(10_000);
  const object = put('ScaledObject', { finalizers: [keda] });
  await clock.pass(1000);
  put('ScaledObject', { finalizers: [] });
  finalizers.onEvent({ type: 'delete', object });
  await clock.pass(10_000);
  for (const name of ['isInCharge', 'isLeading'] as const) {
    state[name] = false;
    put('ScaledJob', { finalizers: [keda], resourceVersion: '8' });
    await clock.pass(10_000);
    state[name] = true;
  }
  expect(patches).toEqual([]);
  // In charge from now on: its annotation has changed.
  put('ScaledJob', { finalizers: [keda], resourceVersion: '9' });
  await clock.pass(10_000);
  expect(patches).toHaveLength(1);
});

it('goes on where it was refused, and says what is missing', async () => {
  const { clock, finalizers, patches, log, state, put } = setup();
  state.refuse = new ApiServerError(403, 'Forbidden', 'may not patch');
  put('ScaledJob', { finalizers: [keda] });
  await clock.pass(6000);
  expect(patches).toHaveLength(1);
  expect(log.at(-1)).toContain('apply the manifests');
  state.refuse = new ApiServerError(409, 'Conflict', 'modified');
  await clock.pass(29_050);
  expect(patches).toHaveLength(2);
  state.refuse = null;
  await clock.pass(1000);
  expect(patches).toHaveLength(3);
  state.refuse = new ApiServerError(500, '', 'away');
  put('ScaledObject', { finalizers: [keda] });
  await clock.pass(5000);
  const before = patches.length;
  finalizers.close();
  await clock.pass(60_000);
  expect(patches).toHaveLength(before);
});
