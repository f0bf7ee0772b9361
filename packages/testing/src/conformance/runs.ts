import type { Driver, DriverEvent, RunObservation, RunStart } from '@ebb/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

export interface RunsUnderTest {
  driver: Driver;
  /** A run that ends by itself soon, with that exit code. Each call with an id of its own, all of one owner. */
  ending(id: string, exitCode: number): RunStart;
  /** A run that goes on until it is released, or ended by SIGTERM. */
  held(id: string): RunStart;
  release(id: string, exitCode: number): Promise<void> | void;
  /** A run whose command does not exist. */
  impossible(id: string): RunStart;
  /** Ends the run's process by SIGKILL, from outside. */
  kill(id: string): Promise<void> | void;
  /** What runs the processes goes away (by SIGKILL, where it is a process) and comes back; they live on. */
  away(meanwhile?: () => Promise<void> | void): Promise<void>;
  /** Resolves once the condition holds; rejects after a bounded while. Lets time pass. */
  until(condition: () => boolean, what: string): Promise<void>;
  close?(): Promise<void>;
}

/** What the engine relies on in a Driver that runs Jobs. */
export function describeRunsConformance(name: string, create: () => Promise<RunsUnderTest> | RunsUnderTest): void {
  describe(`${name} runs Jobs`, () => {
    let under: RunsUnderTest;
    let events: DriverEvent[];
    beforeEach(async () => {
      under = await create();
      events = [];
      under.driver.watch((event) => events.push(event));
    });
    afterEach(async () => under.close?.());

    const run = (start: RunStart) => void under.driver.run?.(start);
    const observations = (id: string): RunObservation[] =>
      events.flatMap((event) => {
        const runs = event.type === 'run' ? [event.run] : event.type === 'snapshot' ? (event.runs ?? []) : [];
        return runs.filter((seen) => seen.id === id);
      });
    const last = (id: string) => observations(id).at(-1);
    const phases = (id: string) =>
      observations(id)
        .map((seen) => seen.phase)
        .filter((phase, index, all) => phase !== all[index - 1]);
    const reaches = (id: string, phase: RunObservation['phase']) =>
      under.until(() => last(id)?.phase === phase, `${id} gets ${phase}; it went through ${phases(id).join(', ')}`);
    const pids = (id: string) => new Set(observations(id).flatMap(({ pid }) => (pid === null ? [] : [pid])));
    /** The snapshot that follows a time away. */
    const afterAway = async (meanwhile?: () => Promise<void> | void): Promise<RunObservation[]> => {
      const before = events.length;
      await under.away(meanwhile);
      const snapshot = () => events.slice(before).find((event) => event.type === 'snapshot');
      await under.until(() => snapshot() !== undefined, 'a snapshot');
      return snapshot()?.runs ?? [];
    };

    it('brings a run to its end: starting, running, succeeded', async () => {
      const start = under.ending('run-a', 0);
      run(start);
      await reaches(start.id, 'succeeded');
      expect(phases(start.id)).toEqual(['starting', 'running', 'succeeded']);
      expect(last(start.id)).toMatchObject({ owner: start.owner, exitCode: 0, failure: null, pid: null });
      const running = observations(start.id).find(({ phase }) => phase === 'running');
      expect(running).toMatchObject({ exitCode: null, failure: null, endedAtMs: null });
      expect(running?.pid).toBeGreaterThan(0);
      const { startedAtMs = Number.NaN, endedAtMs } = last(start.id) ?? {};
      expect(endedAtMs).toBeGreaterThanOrEqual(startedAtMs);
      expect(running?.startedAtMs).toBe(startedAtMs);
      expect(events.some((event) => event.type === 'replica')).toBe(false);
    });

    it('tells the exit code of a run that fails', async () => {
      const start = under.ending('run-b', 3);
      run(start);
      await reaches(start.id, 'failed');
      expect(last(start.id)).toMatchObject({ exitCode: 3, failure: 'exit', message: 'exit code 3', pid: null });
    });

    it('makes one process of all requests for the same id, also once it has ended', async () => {
      const start = under.held('run-c');
      run(start);
      run(start);
      await reaches(start.id, 'running');
      run(start);
      await under.release(start.id, 0);
      await reaches(start.id, 'succeeded');
      run(start);
      // What is asked later is done later: the first one would have been started again by now.
      run(under.ending('run-c-later', 0));
      await reaches('run-c-later', 'succeeded');
      expect(phases(start.id)).toEqual(['starting', 'running', 'succeeded']);
      expect(pids(start.id).size).toBe(1);
    });

    it('ends a run that goes on: stopping, then gone, then unknown', async () => {
      const start = under.held('run-d');
      run(start);
      await reaches(start.id, 'running');
      void under.driver.stop(start.id);
      void under.driver.stop(start.id);
      await reaches(start.id, 'gone');
      expect(phases(start.id)).toEqual(['starting', 'running', 'stopping', 'gone']);
      expect(observations(start.id).filter(({ phase }) => phase === 'gone')).toHaveLength(1);
      expect((await afterAway()).map(({ id }) => id)).not.toContain(start.id);
    });

    it('keeps the result of an ended run until it is stopped, and forgets it then', async () => {
      const start = under.ending('run-e', 0);
      run(start);
      await reaches(start.id, 'succeeded');
      const ended = last(start.id);
      expect((await afterAway()).find(({ id }) => id === start.id)).toEqual(ended);
      void under.driver.stop(start.id);
      await reaches(start.id, 'gone');
      expect(phases(start.id)).not.toContain('stopping');
      expect((await afterAway()).map(({ id }) => id)).not.toContain(start.id);
    });

    it('says why a run cannot be started', async () => {
      const start = under.impossible('run-f');
      run(start);
      await reaches(start.id, 'failed');
      expect(last(start.id)).toMatchObject({ failure: 'command-not-found', exitCode: null, pid: null });
      expect(last(start.id)?.message).toMatch(/^command not found: /);
      expect(last(start.id)?.endedAtMs).not.toBeNull();
      void under.driver.stop(start.id);
      await reaches(start.id, 'gone');
    });

    it('tells a run that was killed from one that exited', async () => {
      const start = under.held('run-g');
      run(start);
      await reaches(start.id, 'running');
      await under.kill(start.id);
      await reaches(start.id, 'failed');
      expect(last(start.id)).toMatchObject({ failure: 'signal', exitCode: null, message: 'ended by SIGKILL' });
    });

    it('does not lose how a run ended while nobody was there', async () => {
      const well = under.held('run-h');
      const badly = under.held('run-i');
      run(well);
      run(badly);
      await reaches(well.id, 'running');
      await reaches(badly.id, 'running');
      const { startedAtMs = Number.NaN } = last(well.id) ?? {};
      await afterAway(async () => {
        await under.release(well.id, 0);
        await under.release(badly.id, 7);
      });
      await reaches(well.id, 'succeeded');
      await reaches(badly.id, 'failed');
      expect(last(well.id)).toMatchObject({ exitCode: 0, startedAtMs });
      expect(last(well.id)?.endedAtMs).toBeGreaterThanOrEqual(startedAtMs);
      expect(last(badly.id)).toMatchObject({ exitCode: 7, failure: 'exit', message: 'exit code 7' });
    });

    it('goes on with a run that still runs when it comes back, and can still stop it', async () => {
      const kept = under.held('run-j');
      const stopped = under.held('run-k');
      run(kept);
      run(stopped);
      await reaches(kept.id, 'running');
      await reaches(stopped.id, 'running');
      const before = last(kept.id);
      expect((await afterAway()).find(({ id }) => id === kept.id)).toEqual(before);
      run(kept);
      await under.release(kept.id, 4);
      await reaches(kept.id, 'failed');
      expect(last(kept.id)).toMatchObject({ exitCode: 4, startedAtMs: before?.startedAtMs });
      expect(pids(kept.id).size).toBe(1);
      void under.driver.stop(stopped.id);
      await reaches(stopped.id, 'gone');
    });

    it('takes a stop of what it does not know', async () => {
      let answered = false;
      void under.driver.stop('run-never-seen').then(() => {
        answered = true;
      });
      await under.until(() => answered, 'the answer');
    });

    it('has runs neither in its list of replicas nor in the logs of others', async () => {
      const start = under.ending('run-l', 0);
      run(start);
      run(under.ending('run-m', 0));
      await reaches(start.id, 'succeeded');
      await reaches('run-m', 'succeeded');
      let replicas: unknown[] | null = null;
      const names = new Set<string>();
      let isRead = false;
      void under.driver.list().then((list) => {
        replicas = list;
      });
      void (async () => {
        const query = { workload: start.owner, replica: start.id, tailLines: 100, follow: false };
        for await (const { replica } of under.driver.logs(query)) names.add(replica);
        isRead = true;
      })();
      await under.until(() => isRead && replicas !== null, 'the list and the logs');
      expect(replicas).toEqual([]);
      expect([...names]).toEqual([start.id]);
    });
  });
}
