import { describe, expect, it } from 'vitest';
import { Desk } from './dispatch.fixture.ts';

describe('retry', () => {
  it('goes to another replica at once where one has a free slot, and waits since its arrival', () => {
    const desk = new Desk();
    desk.endpoints('a', 'b');
    desk.arrive(1);
    desk.nowUs = 300;
    expect(desk.dispatcher.retry(300, 1)).toEqual([
      { type: 'assigned', id: 1, replica: 'b', class: 'default', waitedUs: 300 },
    ]);
    expect(desk.counts()).toMatchObject({ replicas: { a: 0, b: 1 }, requests: { total: 1, held: 0 } });
  });

  it('goes to the head of the queue, and leaves its replica to the others', () => {
    const desk = new Desk();
    desk.endpoints('a', 'b');
    for (const id of [1, 2, 3, 4]) desk.arrive(id);
    expect(desk.retry(1)).toEqual(['1 held at 1: no-free-slot', '3 → a']);
    expect(desk.complete(3)).toEqual(['4 → a']);
    expect(desk.complete(2)).toEqual(['1 → b']);
  });

  it('does not go back to the only replica', () => {
    const desk = new Desk();
    desk.endpoints('a');
    desk.arrive(1);
    expect(desk.retry(1)).toEqual(['1 held at 1: no-replica']);
    expect(desk.arrive(2)).toEqual(['2 → a']);
    expect(desk.complete(2)).toEqual([]);
    expect(desk.endpoints('a', 'b!')).toEqual(['b drained', '1 → a']);
  });

  it('tries each replica once between two updates of the endpoints', () => {
    const desk = new Desk();
    desk.endpoints('a', 'b', 'c');
    expect(desk.arrive(1)).toEqual(['1 → a']);
    expect(desk.retry(1)).toEqual(['1 → b']);
    expect(desk.retry(1)).toEqual(['1 → c']);
    expect(desk.retry(1)).toEqual(['1 held at 1: no-replica']);
    expect(desk.endpoints('a', 'b', 'c')).toEqual(['1 → a']);
    expect(desk.retry(1)).toEqual(['1 → b']);
  });

  it('forgets exclusions from before an update that came while it was in flight', () => {
    const desk = new Desk();
    desk.endpoints('a', 'b');
    desk.arrive(1);
    expect(desk.retry(1)).toEqual(['1 → b']);
    desk.endpoints('a', 'b');
    expect(desk.retry(1)).toEqual(['1 → a']);
  });

  it('keeps its place before the others when its exclusions are forgotten', () => {
    const desk = new Desk();
    desk.endpoints('a', 'b', 'c');
    for (const id of [1, 2, 3, 4, 5]) desk.arrive(id);
    desk.endpoints('a:1!', 'b:1!', 'c:1!');
    expect(desk.retry(1)).toEqual(['a drained', '1 held at 1: no-replica']);
    expect(desk.retry(3)).toEqual(['c drained', '3 held at 1: no-replica']);
    expect(desk.endpoints()).toEqual([]);
    expect(desk.retry(2)).toEqual(['b drained', '2 held at 1: no-replica']);
    expect(desk.endpoints('d:0')).toEqual(['2 → d', '3 → d', '1 → d', '4 → d', '5 → d']);
  });

  it('is let in again though the queue is full', () => {
    const desk = new Desk({ buffer: { maxRequests: 1 } });
    desk.endpoints('a');
    desk.arrive(1);
    desk.arrive(2);
    expect(desk.retry(1)).toEqual(['1 held at 1: no-replica', '2 → a']);
    expect(desk.arrive(3)).toEqual(['3 refused: queue-full']);
  });

  it('is refused where it would have to wait for what cannot be had', () => {
    const desk = new Desk();
    desk.endpoints('a', 'b');
    desk.arrive(1);
    desk.configure({ unavailable: { code: 'startup-budget', message: 'no', retryAfterMs: 5 } });
    expect(desk.retry(1)).toEqual(['1 → b']);
    expect(desk.retry(1)).toEqual(['1 refused: unavailable']);
  });
});
