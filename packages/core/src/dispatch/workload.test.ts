import { describe, expect, it } from 'vitest';
import { chat, Desk, requestOf, workloadOf } from './dispatch.fixture.ts';

const unavailable = { code: 'startup-budget', message: 'no replica got ready within 30 s', retryAfterMs: 7_000 };

describe('a workload that is unavailable', () => {
  it('refuses what it holds, in order, with its reason', () => {
    const desk = new Desk();
    desk.arrive(1);
    desk.arrive(2);
    const events = desk.dispatcher.configure(0, workloadOf({ unavailable }));
    const refusal = { code: 'unavailable', status: 503, message: unavailable.message, retryAfterMs: 7_000 };
    expect(events).toEqual([
      { type: 'refused', id: 1, refusal },
      { type: 'refused', id: 2, refusal },
    ]);
    expect(desk.dispatcher.nextDeadlineUs()).toBeNull();
    expect(desk.arrive(3)).toEqual(['3 refused: unavailable']);
  });

  it('serves whatever has a free slot nevertheless', () => {
    const desk = new Desk({ unavailable });
    desk.endpoints('a');
    expect(desk.arrive(1)).toEqual(['1 → a']);
    expect(desk.arrive(2)).toEqual(['2 refused: unavailable']);
    desk.configure();
    expect(desk.arrive(3)).toEqual(['3 held at 1: no-free-slot']);
  });
});

describe('a workload that is not known', () => {
  it('is answered 404', () => {
    const desk = new Desk();
    expect(desk.dispatcher.arrive(0, requestOf(1, { workload: 'local/default/nope' }))).toEqual([
      {
        type: 'refused',
        id: 1,
        refusal: {
          code: 'unknown-workload',
          status: 404,
          message: 'there is no workload local/default/nope',
          retryAfterMs: null,
        },
      },
    ]);
    expect(desk.dispatcher.counts(0, 'local/default/nope')).toBeNull();
    expect(() => desk.dispatcher.takePeaks('local/default/nope')).not.toThrow();
  });
});

describe('a workload that is removed', () => {
  it('refuses what it holds; what is in flight goes on to its end', () => {
    const desk = new Desk();
    desk.endpoints('a');
    for (const id of [1, 2, 3]) desk.arrive(id);
    expect(desk.remove()).toEqual(['2 refused: workload-removed', '3 refused: workload-removed']);
    expect(desk.remove()).toEqual([]);
    expect(desk.arrive(4)).toEqual(['4 refused: unknown-workload']);
    expect(desk.counts()).toMatchObject({ replicas: { a: 1 }, requests: { total: 3, refused: 2 } });
    expect(desk.complete(1)).toEqual([]);
    expect(desk.dispatcher.counts(0, chat)).toBeNull();
    expect(desk.complete(1)).toEqual([]);
  });

  it('is forgotten at once if nothing is in flight', () => {
    const desk = new Desk();
    desk.arrive(1);
    desk.remove();
    expect(desk.dispatcher.counts(0, chat)).toBeNull();
  });

  it('does not take back what is retried', () => {
    const desk = new Desk();
    desk.endpoints('a', 'b');
    desk.arrive(1);
    desk.remove();
    expect(desk.retry(1)).toEqual(['1 refused: workload-removed']);
    expect(desk.dispatcher.counts(0, chat)).toBeNull();
  });

  it('may come back with its requests still in flight, and goes on counting', () => {
    const desk = new Desk();
    desk.endpoints('a');
    desk.arrive(1);
    desk.remove();
    desk.configure();
    expect(desk.arrive(2)).toEqual(['2 held at 1: no-replica']);
    expect(desk.endpoints('a')).toEqual([]);
    expect(desk.complete(1)).toEqual(['2 → a']);
    expect(desk.counts().requests).toMatchObject({ total: 2, succeeded: 1 });
  });
});
