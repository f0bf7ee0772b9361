import type { Driver, DriverEvent, ReplicaObservation, ReplicaStart } from '@ebb/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

export interface DriverUnderTest {
  driver: Driver;
  /** A replica that gets ready: a web server that answers its readiness probe. Each call with an id of its own. */
  healthy(id: string): ReplicaStart;
  /** A replica whose command does not exist. */
  impossible(id: string): ReplicaStart;
  /** A replica that runs and never gets ready within its start-up budget. */
  neverReady(id: string): ReplicaStart;
  /** Ends the replica's process from outside, as a crash would. */
  crash(id: string): Promise<void> | void;
  /** Resolves once the condition holds; rejects after a bounded while. Lets time pass. */
  until(condition: () => boolean, what: string): Promise<void>;
  /**
   * The replicas are another one's processes, which the driver only counts and watches: it has no process ids and no
   * stages, and ends or restarts none that fails. Left out: they are the driver's own.
   */
  watchesOnly?: boolean;
  close?(): Promise<void>;
}

/** What the engine relies on in a Driver. */
export function describeDriverConformance(
  name: string,
  create: () => Promise<DriverUnderTest> | DriverUnderTest,
): void {
  describe(`${name} is a Driver`, () => {
    let under: DriverUnderTest;
    let events: DriverEvent[];
    beforeEach(async () => {
      under = await create();
      events = [];
      under.driver.watch((event) => events.push(event));
    });
    afterEach(async () => under.close?.());

    const observations = (id: string): ReplicaObservation[] =>
      events.flatMap((event) => (event.type === 'replica' && event.replica.id === id ? [event.replica] : []));
    const phases = (id: string) => observations(id).map((seen) => seen.phase);
    const reaches = (id: string, phase: ReplicaObservation['phase']) =>
      under.until(() => phases(id).at(-1) === phase, `${id} gets ${phase}; it went through ${phases(id).join(', ')}`);
    const listed = async (id: string) => {
      let found: ReplicaObservation[] | null = null;
      const asked = under.driver.list();
      void asked.then((list) => {
        found = list;
      });
      await under.until(() => found !== null, 'the list');
      return (await asked).find((seen) => seen.id === id) ?? null;
    };

    it('brings a replica through its stages to ready, with an endpoint', async () => {
      const start = under.healthy('conformance-a');
      void under.driver.ensure(start);
      await reaches(start.id, 'ready');
      const seen = observations(start.id).at(-1);
      expect(seen).toMatchObject({
        id: start.id,
        workload: start.workload,
        class: start.class,
        revision: start.revision,
        restarts: 0,
        failure: null,
      });
      expect(seen?.endpoint?.port).toBeGreaterThan(0);
      if (!under.watchesOnly) expect(seen?.pid).toBeGreaterThan(0);
      expect(seen?.readyAtMs).toBeGreaterThanOrEqual(seen?.askedAtMs ?? Number.POSITIVE_INFINITY);
      for (const stage of Object.values(seen?.stagesUs ?? {}))
        if (stage !== null) expect(stage).toBeGreaterThanOrEqual(0);
      if (!under.watchesOnly) expect(Object.values(seen?.stagesUs ?? { none: null })).not.toContain(null);
      const order = phases(start.id).filter((phase, index, all) => phase !== all[index - 1]);
      expect(order).toEqual(['starting', 'ready']);
      expect((await listed(start.id))?.phase).toBe('ready');
    });

    it('makes one replica of two requests for the same id', async () => {
      const start = under.healthy('conformance-b');
      void under.driver.ensure(start);
      void under.driver.ensure(start);
      await reaches(start.id, 'ready');
      void under.driver.ensure(start);
      const pids = new Set(observations(start.id).flatMap((seen) => (seen.pid === null ? [] : [seen.pid])));
      expect(pids.size).toBe(under.watchesOnly ? 0 : 1);
      expect((await listed(start.id))?.pid).toBe([...pids][0] ?? null);
    });

    it('ends a replica: stopping, then gone, then unknown', async () => {
      const start = under.healthy('conformance-c');
      void under.driver.ensure(start);
      await reaches(start.id, 'ready');
      void under.driver.stop(start.id);
      void under.driver.stop(start.id);
      await reaches(start.id, 'gone');
      expect(phases(start.id).filter((phase) => phase === 'gone').length).toBe(1);
      expect(await listed(start.id)).toBeNull();
    });

    it('takes a stop of what it does not know', async () => {
      let answered = false;
      void under.driver.stop('conformance-never-seen').then(() => {
        answered = true;
      });
      await under.until(() => answered, 'the answer');
    });

    it('says why a replica cannot be started, keeps it until it is stopped', async ({ skip }) => {
      skip(under.watchesOnly === true, 'its processes are not its own');
      const start = under.impossible('conformance-d');
      void under.driver.ensure(start);
      await reaches(start.id, 'failed');
      const seen = observations(start.id).at(-1);
      expect(seen?.failure).toBe('command-not-found');
      expect(seen?.message).not.toBe('');
      expect((await listed(start.id))?.phase).toBe('failed');
      void under.driver.stop(start.id);
      await reaches(start.id, 'gone');
    });

    it('ends a replica that is not ready within its start-up budget', async ({ skip }) => {
      skip(under.watchesOnly === true, 'its processes are not its own');
      const start = under.neverReady('conformance-e');
      void under.driver.ensure(start);
      await reaches(start.id, 'failed');
      expect(observations(start.id).at(-1)?.failure).toBe('startup-budget');
      expect(phases(start.id)).not.toContain('ready');
    });

    it('notices a crash at once, and starts the replica again in place', async ({ skip }) => {
      skip(under.watchesOnly === true, 'its processes are not its own');
      const start = under.healthy('conformance-f');
      void under.driver.ensure(start);
      await reaches(start.id, 'ready');
      const before = observations(start.id).at(-1)?.pid;
      await under.crash(start.id);
      await under.until(() => phases(start.id).includes('backoff'), 'backoff');
      await reaches(start.id, 'ready');
      const after = observations(start.id).at(-1);
      expect(after?.restarts).toBe(1);
      expect(after?.pid).not.toBe(before);
    });

    it('can be told to stop a replica that waits for its next start', async ({ skip }) => {
      skip(under.watchesOnly === true, 'its processes are not its own');
      const start = under.healthy('conformance-g');
      void under.driver.ensure(start);
      await reaches(start.id, 'ready');
      await under.crash(start.id);
      await reaches(start.id, 'backoff');
      void under.driver.stop(start.id);
      await reaches(start.id, 'gone');
    });

    it('ends a follow of the logs at once when the reader returns', async () => {
      const start = under.healthy('conformance-h');
      void under.driver.ensure(start);
      await reaches(start.id, 'ready');
      const lines = under.driver.logs({ workload: start.workload, tailLines: 0, follow: true });
      let ended = false;
      void (async () => {
        for (let result = await lines.next(); !result.done; result = await lines.next())
          expect(result.value.replica).toBe(start.id);
        ended = true;
      })();
      void lines.return?.();
      await under.until(() => ended, 'the end of the follow');
    });
  });
}
