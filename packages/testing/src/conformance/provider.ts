import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeProviderFaults } from './providerFaults.ts';
import { isForward, type ProviderUnderTest, ProviderWitness } from './providerUnderTest.ts';

/** What the engine relies on in a Provider, and how it behaves when things go wrong: one list for all of them. */
export function describeProviderConformance(
  name: string,
  create: () => Promise<ProviderUnderTest> | ProviderUnderTest,
): void {
  describe(`${name} is a Provider`, () => {
    let under: ProviderUnderTest;
    let witness: ProviderWitness;
    beforeEach(async () => {
      under = await create();
      witness = new ProviderWitness(under);
    });
    afterEach(async () => {
      witness.stop();
      await under.provider.close();
      await under.other.close();
      await under.close?.();
    });

    it('begins with a snapshot, also for those who listen later', async () => {
      await under.until(() => witness.events.length > 0, 'the first event');
      expect(witness.events[0]).toEqual({ type: 'snapshot', nodes: [] });
      const launch = under.launch('conformance-a');
      await witness.launched(launch);
      await witness.reaches(launch.id, 'ready');
      const late = new ProviderWitness(under);
      await under.until(() => late.events.length > 0, "the later listener's first event");
      expect(late.events[0]).toMatchObject({ type: 'snapshot', nodes: [{ id: launch.id, phase: 'ready' }] });
      late.stop();
    });

    it('brings a machine through its phases in order, with what it was asked for', async () => {
      const launch = under.launch('conformance-b');
      await witness.launched(launch);
      await witness.reaches(launch.id, 'ready');
      expect(isForward(witness.phases(launch.id))).toBe(true);
      const seen = witness.seen(launch.id).at(-1);
      const { zone, ...asked } = launch.offering;
      expect(seen).toMatchObject({
        id: launch.id,
        cluster: launch.cluster,
        pool: launch.pool,
        offering: asked,
        notice: null,
        failure: null,
      });
      if (zone !== '*') expect(seen?.offering.zone).toBe(zone);
      expect(seen?.providerId).toBeTruthy();
      expect(Number.isSafeInteger(seen?.readyAtMs)).toBe(true);
      expect(seen?.readyAtMs).toBeGreaterThanOrEqual(seen?.askedAtMs ?? Number.POSITIVE_INFINITY);
      expect(await witness.listed(launch.id)).toMatchObject([{ phase: 'ready' }]);
    });

    it('makes one machine of several requests for one id', async () => {
      const launch = under.launch('conformance-c');
      const both = [under.provider.launch(launch), under.provider.launch(launch)];
      await witness.done(Promise.all(both), 'two launches at once');
      await witness.reaches(launch.id, 'ready');
      await witness.launched(launch);
      await under.pass();
      expect(new Set(witness.seen(launch.id).flatMap(({ providerId }) => providerId ?? [])).size).toBe(1);
      expect((await witness.done(under.provider.list(), 'the list')).length).toBe(1);
    });

    it('makes two machines of two ids', async () => {
      const launches = [under.launch('conformance-d1'), under.launch('conformance-d2')];
      await witness.done(Promise.all(launches.map((launch) => under.provider.launch(launch))), 'two launches');
      for (const { id } of launches) await witness.reaches(id, 'ready');
      const machines = launches.map(({ id }) => witness.seen(id).at(-1)?.providerId);
      expect(new Set(machines).size).toBe(2);
    });

    it('ends a machine by the id of the engine, once, however often it is told', async () => {
      const launch = under.launch('conformance-e');
      await witness.launched(launch);
      await witness.reaches(launch.id, 'ready');
      const both = [under.provider.terminate({ id: launch.id }), under.provider.terminate({ id: launch.id })];
      await witness.done(Promise.all(both), 'two ends');
      await witness.reaches(launch.id, 'gone');
      await witness.done(under.provider.terminate({ id: launch.id }), 'an end of what is gone');
      await under.pass();
      expect(witness.seen(launch.id).filter(({ phase }) => phase === 'gone').length).toBe(1);
      expect(await witness.isGone(launch.id)).toBe(true);
    });

    it('ends a machine that is still starting, and one by its own name', async () => {
      const starting = under.launch('conformance-f1');
      await witness.launched(starting);
      await witness.done(under.provider.terminate({ id: starting.id }), 'the end of what starts');
      const launch = under.launch('conformance-f2');
      await witness.launched(launch);
      await witness.reaches(launch.id, 'ready');
      const providerId = witness.seen(launch.id).at(-1)?.providerId ?? '';
      await witness.done(under.provider.terminate({ providerId }), 'the end by its own name');
      await witness.reaches(launch.id, 'gone');
      await under.pass();
      await under.pass();
      expect(await witness.isGone(starting.id)).toBe(true);
    });

    it('takes the end of what it does not know', async () => {
      await witness.done(under.provider.terminate({ id: 'conformance-never' }), 'an unknown id');
      await witness.done(under.provider.terminate({ providerId: 'i-0123456789abcdef0' }), 'an unknown machine');
    });

    it('buys nothing under an id whose machine has ended', async () => {
      const launch = under.launch('conformance-g');
      await witness.launched(launch);
      await witness.reaches(launch.id, 'ready');
      await witness.done(under.provider.terminate({ id: launch.id }), 'the end');
      await witness.reaches(launch.id, 'gone');
      await witness.settled(under.provider.launch(launch), 'a late launch');
      await under.pass();
      expect(await witness.isGone(launch.id)).toBe(true);
      expect(witness.phases(launch.id).at(-1)).toBe('gone');
    });

    it('refuses a kind of machine that does not exist, and the machine of another cluster', async ({ skip }) => {
      await witness.refused(under.provider.launch(under.launch('conformance-h', 'elsewhere')), ['refused']);
      const impossible = under.impossible('conformance-i');
      if (impossible === null) return skip('every name is taken for a machine here');
      await witness.refused(under.provider.launch(impossible), ['unknown-offering']);
      expect(await witness.isGone(impossible.id)).toBe(true);
    });

    it('marks machines with cluster, pool, id and labels', async ({ skip }) => {
      const launch = under.launch('conformance-j');
      await witness.launched(launch);
      await witness.reaches(launch.id, 'ready');
      const marks = await under.marksOf(launch.id);
      if (marks === null) return skip('nothing can be looked at without the provider');
      expect(marks).toMatchObject({
        'ebb.dev/cluster': launch.cluster,
        'ebb.dev/pool': launch.pool,
        'ebb.dev/node': launch.id,
      });
      for (const [key, value] of Object.entries(launch.labels)) expect(marks[key]).toBe(value);
    });

    it("keeps clusters apart: neither sees nor ends the other's machines", async () => {
      const launch = under.launch('conformance-k');
      await witness.launched(launch);
      await witness.reaches(launch.id, 'ready');
      const providerId = witness.seen(launch.id).at(-1)?.providerId ?? '';
      expect(await witness.done(under.other.list(), "the other's list")).toEqual([]);
      await witness.done(under.other.terminate({ id: launch.id }), "the other's end by id");
      await witness.done(under.other.terminate({ providerId }), "the other's end by name");
      await under.pass();
      expect(await witness.listed(launch.id)).toMatchObject([{ phase: 'ready' }]);
    });

    it('says nothing more to a listener that stopped, or once it is closed', async () => {
      await under.until(() => witness.events.length > 0, 'the first event');
      witness.stop();
      const until = witness.events.length;
      const launch = under.launch('conformance-l');
      await witness.launched(launch);
      const second = new ProviderWitness(under);
      await second.reaches(launch.id, 'ready');
      expect(witness.events.length).toBe(until);
      await under.provider.close();
      await under.provider.close();
      const told = second.events.length;
      await under.pass();
      expect(second.events.length).toBe(told);
      await witness.refused(under.provider.launch(under.launch('conformance-m')), ['unavailable']);
    });

    describeProviderFaults(() => ({ under, witness }));
  });
}
