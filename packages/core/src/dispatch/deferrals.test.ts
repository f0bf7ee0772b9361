import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Desk, requestOf } from './dispatch.fixture.ts';
import type { DispatchEvent } from './types.ts';

const second = 1_000_000;
const deferrable = { maxDelayMs: 3_600_000, reserve: 0, maxRequests: 10 };
const hour = { deferUntilUs: 3_600 * second };

describe('a deferrable request', () => {
  it('waits apart: it is not held, and no demand', () => {
    const desk = new Desk({ deferrable });
    expect(desk.arrive(1, hour)).toEqual(['1 deferred at 1']);
    expect(desk.arrive(2, hour)).toEqual(['2 deferred at 2']);
    desk.nowUs = 5 * second;
    expect(desk.counts()).toMatchObject({
      classes: { default: { inFlight: 0, held: 0, arrivals: 0, demandIntegralUs: 0, peak: 0 } },
      requests: { total: 2, held: 0 },
      oldestHeldUs: null,
      lastActiveUs: null,
      deferred: { waiting: 2, inFlight: 0, arrivals: 2, begun: 0, turned: 0, oldestUs: 0, replicas: {} },
    });
  });

  it('takes a free slot, which is one less for others, and is no demand there either', () => {
    const desk = new Desk({ deferrable });
    desk.endpoints('a:2');
    expect(desk.arrive(1, hour)).toEqual(['1 → a']);
    desk.arrive(2);
    expect(desk.arrive(3)).toEqual(['3 held at 1: no-free-slot']);
    desk.nowUs = second;
    expect(desk.counts()).toMatchObject({
      classes: { default: { inFlight: 1, held: 1, arrivals: 2, demandIntegralUs: 2 * second } },
      replicas: { a: 2 },
      deferred: { inFlight: 1, begun: 1, replicas: { a: 1 } },
    });
    expect(desk.complete(1)).toEqual(['3 → a']);
    expect(desk.counts().classes.default?.answered).toBeUndefined();
    expect(desk.counts().requests.succeeded).toBe(1);
    expect(desk.counts().deferred).toMatchObject({ inFlight: 0, replicas: {} });
  });

  it('lets every other one go first', () => {
    const desk = new Desk({ deferrable });
    desk.endpoints('a');
    desk.arrive(1);
    desk.arrive(2, hour);
    desk.arrive(3, hour);
    expect(desk.arrive(4)).toEqual(['4 held at 1: no-free-slot']);
    expect(desk.complete(1)).toEqual(['4 → a']);
    expect(desk.arrive(5)).toEqual(['5 held at 1: no-free-slot']);
    expect(desk.complete(4)).toEqual(['5 → a']);
    expect(desk.complete(5)).toEqual(['2 → a']);
    expect(desk.complete(2)).toEqual(['3 → a']);
  });

  it('goes on when what it had to let pass is given up', () => {
    const classes = [
      { name: 'cpu', accepts: { maxBodyBytes: null, maxTokens: 10, models: [], headers: {} } },
      { name: 'gpu', accepts: null },
    ];
    const desk = new Desk({ deferrable, classes, holdMs: 1_000 });
    desk.arrive(1, { maxTokens: 100 });
    desk.arrive(2, { maxTokens: 100 });
    desk.arrive(3, hour);
    expect(desk.endpoints('c/cpu')).toEqual([]);
    expect(desk.cancel(1)).toEqual([]);
    desk.nowUs = second;
    expect(desk.tick()).toEqual(['2 refused: hold-timeout', '3 → c']);
  });

  it('leaves the reserve of each class free', () => {
    const desk = new Desk({ deferrable: { ...deferrable, reserve: 0.25 } });
    desk.endpoints('a:4', 'b:4');
    for (let id = 1; id <= 7; id++) desk.arrive(id, hour);
    expect(desk.counts()).toMatchObject({ replicas: { a: 3, b: 3 }, deferred: { inFlight: 6, waiting: 1 } });
    expect(desk.arrive(8)).toEqual(['8 → a']);
    expect(desk.complete(1)).toEqual([]);
    expect(desk.complete(8)).toEqual(['7 → a']);
    expect(desk.endpoints('a:4', 'b:4!')).toEqual([]);
    expect(desk.arrive(9, hour)).toEqual(['9 deferred at 1']);
    expect(desk.endpoints('a:8', 'b:4!')).toEqual(['9 → a']);
  });

  it('is turned into an ordinary one a cold start and a margin before its deadline, and served in order then', () => {
    const desk = new Desk({ deferrable, coldStartMs: 20_000, holdMs: 100_000 });
    desk.arrive(1, { deferUntilUs: 60 * second });
    expect(desk.dispatcher.nextDeadlineUs()).toBe(30 * second);
    desk.nowUs = 20 * second;
    desk.arrive(2);
    desk.nowUs = 30 * second;
    expect(desk.tick()).toEqual(['1 held at 2: no-replica']);
    desk.arrive(3);
    expect(desk.counts()).toMatchObject({
      classes: { default: { held: 3, arrivals: 3 } },
      oldestHeldUs: 20 * second,
      deferred: { waiting: 0, turned: 1, begun: 0 },
    });
    desk.nowUs = 50 * second;
    expect(desk.dispatcher.setEndpoints(desk.nowUs, 'local/default/chat', [])).toEqual([]);
    expect(desk.endpoints('a:2')).toEqual(['2 → a', '1 → a']);
    desk.nowUs = 51 * second;
    desk.complete(1);
    // Its answer counts from the moment it was an ordinary request.
    expect(desk.counts().classes.default?.answered).toEqual({
      requests: 1,
      responseUs: 21 * second,
      waitUs: 20 * second,
    });
  });

  it('tells how much of its wait was a deferral', () => {
    const desk = new Desk({ deferrable });
    desk.arrive(1, { deferUntilUs: 5 * second });
    desk.arrive(2, hour);
    desk.nowUs = 4 * second;
    desk.tick();
    desk.nowUs = 4.5 * second;
    const assigned = (events: DispatchEvent[]) => events.filter(({ type }) => type === 'assigned');
    const endpoints = [{ replica: 'a', class: 'default', slots: 2, draining: false }];
    expect(assigned(desk.dispatcher.setEndpoints(desk.nowUs, 'local/default/chat', endpoints))).toMatchObject([
      { id: 1, waitedUs: 4.5 * second, deferredUs: 4 * second },
      { id: 2, waitedUs: 4.5 * second, deferredUs: 4.5 * second },
    ]);
    desk.complete(1);
    expect(assigned(desk.dispatcher.arrive(desk.nowUs, requestOf(3)))[0]).not.toHaveProperty('deferredUs');
  });

  it('is refused at its deadline, and not before', () => {
    const desk = new Desk({ deferrable, holdMs: 1_000 });
    desk.arrive(1, { deferUntilUs: 10 * second });
    desk.nowUs = 9 * second;
    expect(desk.tick()).toEqual(['1 held at 1: no-replica']);
    expect(desk.dispatcher.nextDeadlineUs()).toBe(10 * second);
    expect(desk.dispatcher.tick(10 * second)).toMatchObject([
      {
        refusal: {
          code: 'deadline-passed',
          status: 504,
          message:
            'no replica of local/default/chat was free within 10000 ms, the longest that the request may be deferred',
        },
      },
    ]);
  });

  it('waits no longer than the workload allows, nor than the client does', () => {
    const desk = new Desk({ deferrable: { ...deferrable, maxDelayMs: 8_000 } });
    desk.arrive(1, hour);
    expect(desk.dispatcher.nextDeadlineUs()).toBe(7 * second);
    desk.arrive(2, { ...hour, deadlineUs: 4 * second });
    expect(desk.dispatcher.nextDeadlineUs()).toBe(3 * second);
    desk.nowUs = 4 * second;
    expect(desk.tick()).toEqual(['2 refused: deadline-passed']);
  });

  it('is an ordinary one at once where its deadline is near, or the workload takes no deferrable ones', () => {
    const desk = new Desk({ deferrable, coldStartMs: 60_000 });
    expect(desk.arrive(1, { deferUntilUs: 90 * second })).toEqual(['1 held at 1: no-replica']);
    expect(desk.counts().deferred).toBeUndefined();
    desk.configure({ deferrable: null });
    expect(desk.arrive(2, hour)).toEqual(['2 held at 2: no-replica']);
  });

  it('is turned at once where the workload stops taking them, and earlier where cold starts get longer', () => {
    const desk = new Desk({ deferrable });
    desk.arrive(1, { deferUntilUs: 100 * second });
    desk.configure({ deferrable, coldStartMs: 10_000 });
    expect(desk.dispatcher.nextDeadlineUs()).toBe(85 * second);
    desk.nowUs = second;
    desk.configure({ deferrable: null });
    expect(desk.dispatcher.nextDeadlineUs()).toBe(second);
    expect(desk.tick()).toEqual(['1 held at 1: no-replica']);
  });

  it('waits on while no replica can be had, until it is turned', () => {
    const unavailable = { code: 'startup-budget', message: 'no', retryAfterMs: 5 };
    const desk = new Desk({ deferrable });
    desk.arrive(1, { deferUntilUs: 10 * second });
    expect(desk.configure({ deferrable, unavailable })).toEqual([]);
    expect(desk.arrive(2, hour)).toEqual(['2 deferred at 2']);
    desk.nowUs = 9 * second;
    expect(desk.tick()).toEqual(['1 refused: unavailable']);
  });

  it('has bounds of its own, and takes at most half of the buffer', () => {
    const desk = new Desk({ deferrable: { ...deferrable, maxRequests: 2 }, buffer: { maxRequests: 1 } });
    desk.arrive(1, hour);
    desk.arrive(2, { deferUntilUs: 5 * second });
    expect(desk.arrive(3, hour)).toEqual(['3 refused: queue-full']);
    desk.nowUs = 4 * second;
    expect(desk.arrive(4)).toEqual(['2 held at 1: no-replica', '4 held at 2: no-replica']);
    expect(desk.arrive(5)).toEqual(['5 refused: queue-full']);
    // The one that was turned waits still.
    expect(desk.arrive(6, hour)).toEqual(['6 refused: queue-full']);
    const bytes = new Desk({ deferrable, buffer: { maxBodyBytes: 60, maxTotalBytes: 100 } });
    expect(bytes.arrive(1, { ...hour, bufferedBytes: 50 })).toEqual(['1 deferred at 1']);
    expect(bytes.arrive(2, { ...hour, bufferedBytes: 1 })).toEqual(['2 refused: buffer-full']);
    expect(bytes.arrive(3, { ...hour, bufferedBytes: 61 })).toEqual(['3 refused: buffer-full']);
    expect(bytes.arrive(4, { bufferedBytes: 50 })).toEqual(['4 held at 1: no-replica']);
    expect(bytes.arrive(5, { bufferedBytes: 1 })).toEqual(['5 refused: buffer-full']);
  });

  it('can be cancelled in every state', () => {
    const desk = new Desk({ deferrable });
    desk.arrive(1, hour);
    desk.cancel(1);
    desk.arrive(2, { deferUntilUs: 5 * second });
    desk.nowUs = 4 * second;
    desk.tick();
    desk.cancel(2);
    desk.endpoints('a');
    desk.arrive(3, hour);
    desk.arrive(4, hour);
    expect(desk.cancel(3)).toEqual(['4 → a']);
    desk.cancel(4);
    expect(desk.counts()).toMatchObject({
      requests: { total: 4, cancelled: 4 },
      replicas: { a: 0 },
      classes: { default: { inFlight: 0, held: 0 } },
      deferred: { waiting: 0, inFlight: 0 },
    });
    expect(desk.dispatcher.nextDeadlineUs()).toBeNull();
  });

  it('goes back to the head of its queue where a replica could not take it', () => {
    const desk = new Desk({ deferrable });
    desk.endpoints('a');
    desk.arrive(1, hour);
    desk.arrive(2, hour);
    expect(desk.retry(1)).toEqual(['1 deferred at 1', '2 → a']);
    expect(desk.endpoints('a', 'b')).toEqual(['1 → b']);
  });

  it('keeps a draining replica like any other, and tells when that is drained', () => {
    const desk = new Desk({ deferrable });
    desk.endpoints('a');
    desk.arrive(1, hour);
    desk.arrive(2, hour);
    expect(desk.endpoints('a!')).toEqual([]);
    expect(desk.complete(1)).toEqual(['a drained']);
    expect(desk.counts().deferred).toMatchObject({ waiting: 1 });
  });

  it('is refused with its workload', () => {
    const desk = new Desk({ deferrable });
    desk.endpoints('a');
    for (const id of [1, 2, 3]) desk.arrive(id, hour);
    expect(desk.remove()).toEqual(['2 refused: workload-removed', '3 refused: workload-removed']);
    expect(desk.counts().deferred).toMatchObject({ inFlight: 1 });
    desk.complete(1);
    expect(desk.dispatcher.counts(0, 'local/default/chat')).toBeNull();
  });
});

describe('ordinary requests', () => {
  // A second dispatcher sees them alone; while no deferrable one runs, both must do the same at the same moments.
  it('are given a slot whenever one is free, however many deferrable ones wait', () => {
    const step = fc.record({ isDeferrable: fc.boolean(), ends: fc.boolean(), afterUs: fc.nat(1_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.constantFrom(0, 0.25, 1), (steps, reserve) => {
        const desk = new Desk({ deferrable: { ...deferrable, reserve, maxRequests: 100 } });
        desk.endpoints('a:3', 'b:2');
        const open: number[] = [];
        const held = new Set<number>();
        const apply = (texts: string[]) => {
          for (const text of texts) {
            const id = Number(text.split(' ', 1)[0]);
            if (text.includes(' → ')) open.push(id);
            if (text.includes('held')) held.add(id);
            else held.delete(id);
          }
        };
        for (const [index, one] of steps.entries()) {
          desk.nowUs += one.afterUs;
          apply(desk.arrive(index, one.isDeferrable ? hour : {}));
          const first = one.ends ? open.shift() : undefined;
          if (first !== undefined) apply(desk.complete(first));
          const { a = 0, b = 0 } = desk.counts().replicas;
          expect(a).toBeLessThanOrEqual(3);
          expect(b).toBeLessThanOrEqual(2);
          if (held.size > 0) expect(a + b).toBe(5);
        }
      }),
      { numRuns: 200 },
    );
  });
});
