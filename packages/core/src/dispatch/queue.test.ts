import { describe, expect, it } from 'vitest';
import { chat, Desk, requestOf } from './dispatch.fixture.ts';

describe('a free slot', () => {
  it('is given away at once', () => {
    const desk = new Desk();
    expect(desk.endpoints('a:2')).toEqual([]);
    expect(desk.dispatcher.arrive(5, requestOf(1))).toEqual([
      { type: 'assigned', id: 1, replica: 'a', class: 'default', waitedUs: 0 },
    ]);
    expect(desk.arrive(2)).toEqual(['2 → a']);
    expect(desk.arrive(3)).toEqual(['3 held at 1: no-free-slot']);
  });

  it('is never short where slots are not limited', () => {
    const desk = new Desk();
    desk.endpoints('a:0');
    for (let id = 1; id <= 100; id++) expect(desk.arrive(id)).toEqual([`${id} → a`]);
    expect(desk.counts().replicas).toEqual({ a: 100 });
  });
});

describe('a request that finds no free slot', () => {
  it('waits, and goes first come first served', () => {
    const desk = new Desk();
    expect(desk.arrive(1)).toEqual(['1 held at 1: no-replica']);
    expect(desk.arrive(2)).toEqual(['2 held at 2: no-replica']);
    expect(desk.arrive(3)).toEqual(['3 held at 3: no-replica']);
    desk.nowUs = 70;
    expect(
      desk.dispatcher.setEndpoints(70, chat, [{ replica: 'a', class: 'default', slots: 1, draining: false }]),
    ).toEqual([{ type: 'assigned', id: 1, replica: 'a', class: 'default', waitedUs: 70 }]);
    expect(desk.complete(1)).toEqual(['2 → a']);
    expect(desk.complete(2, 'failed')).toEqual(['3 → a']);
    expect(desk.complete(3)).toEqual([]);
  });

  it('leaves the queue when its client goes away, wherever it stands', () => {
    const desk = new Desk();
    for (const id of [1, 2, 3, 4, 5]) desk.arrive(id);
    for (const id of [3, 1, 5]) expect(desk.cancel(id)).toEqual([]);
    expect(desk.arrive(6)).toEqual(['6 held at 3: no-replica']);
    expect(desk.endpoints('a:0')).toEqual(['2 → a', '4 → a', '6 → a']);
  });

  it('makes room for the next one when a request in flight is cancelled', () => {
    const desk = new Desk();
    desk.endpoints('a');
    desk.arrive(1);
    desk.arrive(2);
    expect(desk.cancel(1)).toEqual(['2 → a']);
  });

  it('gets the slots that an endpoint gains', () => {
    const desk = new Desk();
    desk.endpoints('a');
    for (const id of [1, 2, 3, 4]) desk.arrive(id);
    expect(desk.endpoints('a:3')).toEqual(['2 → a', '3 → a']);
    expect(desk.endpoints('a:1')).toEqual([]);
    expect(desk.complete(1)).toEqual([]);
    expect(desk.complete(2)).toEqual([]);
    expect(desk.complete(3)).toEqual(['4 → a']);
  });
});

describe('the buffer', () => {
  it('holds at most maxRequests', () => {
    const desk = new Desk({ buffer: { maxRequests: 2 } });
    desk.arrive(1);
    desk.arrive(2);
    const [refused] = desk.dispatcher.arrive(0, requestOf(3));
    expect(refused).toMatchObject({ refusal: { code: 'queue-full', status: 503, retryAfterMs: 1000 } });
    desk.cancel(1);
    expect(desk.arrive(4)).toEqual(['4 held at 2: no-replica']);
  });

  it('holds nothing when maxRequests is 0, but gives away free slots', () => {
    const desk = new Desk({ buffer: { maxRequests: 0 } });
    expect(desk.arrive(1)).toEqual(['1 refused: queue-full']);
    desk.endpoints('a');
    expect(desk.arrive(2)).toEqual(['2 → a']);
  });

  it('holds no single body above maxBodyBytes, and says that waiting is no use', () => {
    const desk = new Desk({ buffer: { maxBodyBytes: 100, maxTotalBytes: 1000 } });
    const [refused] = desk.dispatcher.arrive(0, requestOf(1, { bufferedBytes: 101 }));
    expect(refused).toMatchObject({ refusal: { code: 'buffer-full', status: 413, retryAfterMs: null } });
    expect(desk.arrive(2, { bufferedBytes: 100 })).toEqual(['2 held at 1: no-replica']);
    desk.endpoints('a:0');
    expect(desk.arrive(3, { bufferedBytes: 101 })).toEqual(['3 → a']);
  });

  it('holds at most maxTotalBytes', () => {
    const desk = new Desk({ buffer: { maxBodyBytes: 100, maxTotalBytes: 150 } });
    desk.arrive(1, { bufferedBytes: 100 });
    const [refused] = desk.dispatcher.arrive(0, requestOf(2, { bufferedBytes: 51 }));
    expect(refused).toMatchObject({ refusal: { code: 'buffer-full', status: 503, retryAfterMs: 1000 } });
    expect(desk.arrive(3, { bufferedBytes: 50 })).toEqual(['3 held at 2: no-replica']);
    desk.cancel(1);
    expect(desk.arrive(4, { bufferedBytes: 100 })).toEqual(['4 held at 2: no-replica']);
  });

  it('keeps what it holds when its bounds shrink', () => {
    const desk = new Desk();
    desk.arrive(1);
    desk.arrive(2);
    expect(desk.configure({ buffer: { maxRequests: 1 } })).toEqual([]);
    expect(desk.arrive(3)).toEqual(['3 refused: queue-full']);
    expect(desk.endpoints('a:0')).toEqual(['1 → a', '2 → a']);
  });
});

describe('ids', () => {
  it.each(['complete', 'retry', 'cancel'] as const)('%s of an id that is not known does nothing', (call) => {
    const desk = new Desk();
    desk.endpoints('a');
    desk.arrive(1);
    desk.complete(1);
    expect(desk[call](1)).toEqual([]);
    expect(desk[call](99)).toEqual([]);
    expect(desk.counts().requests).toEqual({ total: 1, succeeded: 1, failed: 0, refused: 0, cancelled: 0, held: 0 });
  });

  it('may not arrive again before their end', () => {
    const desk = new Desk();
    desk.arrive(1);
    expect(() => desk.arrive(1)).toThrow('request 1 arrived a second time');
    desk.cancel(1);
    expect(desk.arrive(1)).toEqual(['1 held at 1: no-replica']);
  });

  it('retry of a held request does nothing', () => {
    const desk = new Desk();
    desk.arrive(1);
    expect(desk.retry(1)).toEqual([]);
    expect(desk.counts().classes.default).toMatchObject({ held: 1 });
  });

  it('complete of a held request takes it out of the queue', () => {
    const desk = new Desk();
    desk.arrive(1);
    expect(desk.complete(1, 'failed')).toEqual([]);
    expect(desk.endpoints('a')).toEqual([]);
    expect(desk.counts().requests).toMatchObject({ total: 1, failed: 1 });
  });
});
