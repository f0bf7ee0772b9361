import type { GatewayEvent, GatewayPort, GatewayWorkload } from '@ebb/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

export interface Answer {
  /** HTTP status. */
  status: number;
  /** Replica that answered; null when the gateway did. */
  replica: string | null;
}

export interface GatewayUnderTest {
  /** Connected, or about to be. */
  port: GatewayPort;
  /** A workload with these routes' worth of defaults, endpoints to be filled in. */
  workload(key: string): GatewayWorkload;
  /** A replica that answers after `holdMs`; gives where it is reached. */
  replica(id: string, answerAfterMs: number): Promise<{ host: string; port: number }>;
  /** Nothing listens here. */
  dead(): Promise<{ host: string; port: number }>;
  /** Sends a request for the workload and gives its outcome. */
  request(key: string): Promise<Answer>;
  until(condition: () => boolean, what: string): Promise<void>;
  close?(): Promise<void>;
}

/** What the engine relies on in a gateway behind its port. */
export function describeGatewayConformance(
  name: string,
  create: () => Promise<GatewayUnderTest> | GatewayUnderTest,
): void {
  describe(`${name} is a Gateway`, () => {
    const key = 'local/default/conformance';
    let under: GatewayUnderTest;
    let events: GatewayEvent[];
    beforeEach(async () => {
      under = await create();
      events = [];
      under.port.watch((event) => events.push(event));
    });
    afterEach(async () => under.close?.());

    const of = <Type extends GatewayEvent['type']>(type: Type) =>
      events.filter((event): event is Extract<GatewayEvent, { type: Type }> => event.type === type);
    const seen = (type: GatewayEvent['type'], what: string) => under.until(() => of(type).length > 0, what);
    const counts = () =>
      of('counts')
        .flatMap((event) => event.counts)
        .filter((one) => one.workload === key)
        .at(-1);
    const endpoint = async (id: string, answerAfterMs: number, more: { slots?: number; draining?: boolean } = {}) => ({
      replica: id,
      class: 'default',
      ...(await under.replica(id, answerAfterMs)),
      slots: more.slots ?? 1,
      draining: more.draining ?? false,
    });
    const settled = (answers: Promise<Answer>[]) => {
      const done: Answer[] = [];
      for (const answer of answers) void answer.then((one) => done.push(one));
      return done;
    };

    it('wakes its control plane when a request is held, and gives it to the first replica', async () => {
      const workload = under.workload(key);
      under.port.configure(workload);
      const done = settled([under.request(key)]);
      await seen('wake', 'a wake');
      expect(of('wake')[0]).toMatchObject({ workload: key, class: 'default', held: 1 });
      expect(done).toEqual([]);
      under.port.configure({ ...workload, endpoints: [await endpoint('a', 1)] });
      await under.until(() => done.length === 1, 'the answer');
      expect(done[0]).toEqual({ status: 200, replica: 'a' });
      await under.until(() => of('routed').some((event) => event.replica === 'a'), 'routed');
    });

    it('counts what is in flight and what came of it, absolutely', async () => {
      const workload = under.workload(key);
      under.port.configure({ ...workload, endpoints: [await endpoint('a', 30, { slots: 2 })] });
      const done = settled([under.request(key), under.request(key), under.request(key)]);
      await under.until(() => done.length === 3, 'three answers');
      await under.until(() => (counts()?.requests.succeeded ?? 0) === 3, 'the counts');
      const last = counts();
      expect(last?.requests).toMatchObject({ total: 3, succeeded: 3, failed: 0, refused: 0, cancelled: 0, held: 1 });
      expect(last?.classes.default).toMatchObject({ inFlight: 0, held: 0, arrivals: 3 });
      // Three requests of 30 ms at least, one of which waited for a slot.
      expect(last?.classes.default?.demandIntegralUs).toBeGreaterThan(100_000);
      expect(last?.lastActiveUs).toBeGreaterThan(0);
    });

    it('says when a draining replica has nothing in flight, and gives it nothing new', async () => {
      const workload = under.workload(key);
      const a = await endpoint('a', 60);
      under.port.configure({ ...workload, endpoints: [a] });
      const done = settled([under.request(key)]);
      await under.until(() => (counts()?.replicas.a ?? 0) === 1, 'a request on a');
      const b = await endpoint('b', 1);
      under.port.configure({ ...workload, endpoints: [{ ...a, draining: true }, b] });
      const later = settled([under.request(key)]);
      await under.until(() => later.length === 1, 'the second answer');
      expect(later[0]?.replica).toBe('b');
      await under.until(() => of('drained').some((event) => event.replica === 'a'), 'drained');
      await under.until(() => done.length === 1, 'the first answer');
      expect(done[0]).toEqual({ status: 200, replica: 'a' });
    });

    it('says of an idle replica at once that it is drained', async () => {
      const workload = under.workload(key);
      const a = await endpoint('a', 1);
      under.port.configure({ ...workload, endpoints: [a] });
      await under.until(() => of('routed').length > 0, 'routed');
      under.port.configure({ ...workload, endpoints: [{ ...a, draining: true, drain: 7 }] });
      await under.until(() => of('drained').some((event) => event.replica === 'a'), 'drained');
      expect(of('drained').map(({ drain }) => drain)).toEqual([7]);
      under.port.configure({ ...workload, endpoints: [{ ...a, draining: true, drain: 8 }] });
      await under.until(() => of('drained').some(({ drain }) => drain === 8), 'the next drain');
    });

    it('refuses what is held and what comes, with the reason, while no replica can be had', async () => {
      const workload = under.workload(key);
      under.port.configure(workload);
      const done = settled([under.request(key)]);
      await seen('wake', 'a wake');
      const unavailable = { code: 'command-not-found', message: 'command not found: nodde', retryAfterMs: 1000 };
      under.port.configure({ ...workload, unavailable });
      await under.until(() => done.length === 1, 'the refusal');
      expect(done[0]).toEqual({ status: 503, replica: null });
      const next = settled([under.request(key)]);
      await under.until(() => next.length === 1, 'the next refusal');
      expect(next[0]?.status).toBe(503);
    });

    it('tells of a replica that cannot be reached, and serves from another', async () => {
      const workload = under.workload(key);
      const dead = { replica: 'dead', class: 'default', ...(await under.dead()), slots: 1, draining: false };
      under.port.configure({ ...workload, endpoints: [dead] });
      const done = settled([under.request(key)]);
      await under.until(() => of('endpoint-failed').some((event) => event.replica === 'dead'), 'endpoint-failed');
      under.port.configure({ ...workload, endpoints: [await endpoint('a', 1)] });
      await under.until(() => done.length === 1, 'the answer');
      expect(done[0]).toEqual({ status: 200, replica: 'a' });
    });

    it('refuses what is held when the workload is removed', async () => {
      under.port.configure(under.workload(key));
      const done = settled([under.request(key)]);
      await seen('wake', 'a wake');
      under.port.remove(key);
      await under.until(() => done.length === 1, 'the refusal');
      expect(done[0]).toEqual({ status: 503, replica: null });
    });

    it('lets what is in flight end after the workload is removed, and says when its replica is drained', async () => {
      const workload = under.workload(key);
      const a = await endpoint('a', 60);
      under.port.configure({ ...workload, endpoints: [a] });
      const done = settled([under.request(key)]);
      await under.until(() => (counts()?.replicas.a ?? 0) === 1, 'a request on a');
      under.port.configure({ ...workload, endpoints: [{ ...a, draining: true }] });
      under.port.remove(key);
      await under.until(() => done.length === 1, 'the answer');
      expect(done[0]).toEqual({ status: 200, replica: 'a' });
      await under.until(() => of('drained').some((event) => event.replica === 'a'), 'drained');
    });

    it('says that it lives though nothing happens', async () => {
      under.port.configure(under.workload(key));
      await seen('counts', 'counts');
      const heard = of('counts').length;
      await under.until(() => of('counts').length > heard, 'more counts');
    });
  });
}
