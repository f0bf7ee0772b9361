import type { ClassAcceptance } from '@ebb/documents';
import { describe, expect, it } from 'vitest';
import { Desk, requestOf } from './dispatch.fixture.ts';
import type { DispatchRequest } from './types.ts';

const anything: ClassAcceptance = { maxBodyBytes: null, maxTokens: null, models: [], headers: {} };

/** What a class with this acceptance does with a request: takes it, or the refusal. */
function answer(accepts: ClassAcceptance | null, request: Partial<DispatchRequest>) {
  const desk = new Desk({ classes: [{ name: 'default', accepts }] });
  desk.endpoints('a');
  const [event] = desk.dispatcher.arrive(0, requestOf(1, request));
  if (event?.type === 'assigned') return 'taken';
  return event?.type === 'refused' ? `${event.refusal.status} ${event.refusal.message}` : event;
}

describe('what a class accepts', () => {
  const no = 'no class of local/default/chat accepts the request: class default';
  it.each<[string, ClassAcceptance | null, Partial<DispatchRequest>, string]>([
    ['everything', null, { bodyBytes: null, maxTokens: 1e9 }, 'taken'],
    ['everything, written out', anything, { bodyBytes: null, maxTokens: 1e9 }, 'taken'],
    ['a body as large as allowed', { ...anything, maxBodyBytes: 10 }, { bodyBytes: 10 }, 'taken'],
    [
      'no larger body',
      { ...anything, maxBodyBytes: 10 },
      { bodyBytes: 11 },
      `413 ${no} takes bodies of at most 10 bytes, not 11`,
    ],
    [
      'no body of unknown length where there is a limit',
      { ...anything, maxBodyBytes: 10 },
      { bodyBytes: null },
      `413 ${no} takes bodies of at most 10 bytes, not one of unknown length`,
    ],
    ['as many tokens as allowed', { ...anything, maxTokens: 256 }, { maxTokens: 256 }, 'taken'],
    ['a request that names no tokens', { ...anything, maxTokens: 256 }, { maxTokens: null }, 'taken'],
    [
      'no more tokens',
      { ...anything, maxTokens: 256 },
      { maxTokens: 257 },
      `413 ${no} gives at most 256 tokens, not 257`,
    ],
    ['one of its models', { ...anything, models: ['s', 'm'] }, { model: 'm' }, 'taken'],
    ['no other model', { ...anything, models: ['s', 'm'] }, { model: 'l' }, `404 ${no} serves the models s, m, not l`],
    [
      'no request without a model',
      { ...anything, models: ['s'] },
      {},
      `404 ${no} serves the models s, not a request without one`,
    ],
    ['its header', { ...anything, headers: { 'X-Tier': 'gold' } }, { headers: { 'x-tier': 'gold' } }, 'taken'],
    [
      'no other value of it',
      { ...anything, headers: { 'X-Tier': 'gold' } },
      { headers: { 'x-tier': 'Gold' } },
      `404 ${no} wants the header x-tier: gold`,
    ],
    [
      'a smaller body only if the rest fits as well',
      { ...anything, maxBodyBytes: 10, models: ['s'] },
      { bodyBytes: 11, model: 'l' },
      `404 ${no} serves the models s, not l`,
    ],
  ])('is %s', (_, accepts, request, expected) => {
    expect(answer(accepts, request)).toBe(expected);
  });

  it('is told for each class', () => {
    const desk = new Desk({
      classes: [
        { name: 'small', accepts: { ...anything, maxTokens: 10 } },
        { name: 'large', accepts: { ...anything, models: ['l'] } },
      ],
    });
    expect(desk.dispatcher.arrive(0, requestOf(1, { maxTokens: 20, model: 's' }))).toMatchObject([
      {
        refusal: {
          code: 'no-class-accepts',
          status: 413,
          message:
            'no class of local/default/chat accepts the request: class small gives at most 10 tokens, not 20; ' +
            'class large serves the models l, not s',
        },
      },
    ]);
    expect(desk.counts().requests).toMatchObject({ total: 1, refused: 1 });
  });
});

describe('several classes', () => {
  const classes = [
    { name: 'cpu', accepts: { ...anything, maxTokens: 100 } },
    { name: 'gpu', accepts: null },
  ];
  const heavy = { maxTokens: 1000 };

  it('the cheapest that accepts and has a free slot gets the request; it spills over to the next', () => {
    const desk = new Desk({ classes });
    desk.endpoints('g:2/gpu', 'c:1/cpu');
    expect(desk.arrive(1)).toEqual(['1 → c']);
    expect(desk.arrive(2)).toEqual(['2 → g']);
    expect(desk.arrive(3, heavy)).toEqual(['3 → g']);
    expect(desk.arrive(4)).toEqual(['4 held at 1: no-free-slot']);
  });

  it('a held request goes to the first slot of any class that accepts it, the oldest first', () => {
    const desk = new Desk({ classes });
    desk.endpoints('c/cpu', 'g/gpu');
    desk.arrive(1);
    desk.arrive(2, heavy);
    for (const id of [3, 5]) desk.arrive(id, heavy);
    for (const id of [4, 6]) desk.arrive(id);
    expect(desk.complete(1)).toEqual(['4 → c']);
    expect(desk.complete(2)).toEqual(['3 → g']);
    expect(desk.complete(3)).toEqual(['5 → g']);
    expect(desk.complete(5)).toEqual(['6 → g']);
  });

  it('says whether a class that accepts has a replica', () => {
    const desk = new Desk({ classes });
    desk.endpoints('c/cpu');
    desk.arrive(1);
    expect(desk.arrive(2)).toEqual(['2 held at 1: no-free-slot']);
    expect(desk.arrive(3, heavy)).toEqual(['3 held at 2: no-replica']);
  });

  it('an endpoint of a class that is removed takes nothing new; what it has goes on', () => {
    const desk = new Desk({ classes });
    desk.endpoints('c:2/cpu');
    desk.arrive(1);
    expect(desk.configure({ classes: [{ name: 'gpu', accepts: null }] })).toEqual([]);
    expect(desk.arrive(2)).toEqual(['2 held at 1: no-replica']);
    expect(desk.counts().classes).toMatchObject({ cpu: { inFlight: 1 }, gpu: { held: 1 } });
    expect(desk.configure({ classes })).toEqual(['2 → c']);
    desk.configure({ classes: [{ name: 'gpu', accepts: null }] });
    desk.complete(1);
    desk.complete(2);
    desk.endpoints();
    expect(Object.keys(desk.counts().classes)).toEqual(['gpu']);
  });

  it('held requests follow new rules, in their order', () => {
    const desk = new Desk({ classes });
    desk.arrive(1, heavy);
    desk.arrive(2);
    desk.arrive(3, { maxTokens: 500 });
    desk.arrive(4);
    expect(desk.configure({ classes: [{ name: 'cpu', accepts: { ...anything, maxTokens: 500 } }] })).toEqual([
      '1 refused: no-class-accepts',
    ]);
    expect(desk.counts().classes).toMatchObject({ cpu: { held: 3 } });
    expect(desk.endpoints('c:9/cpu')).toEqual(['2 → c', '3 → c', '4 → c']);
  });

  it('a retried request follows them as well', () => {
    const desk = new Desk({ classes });
    desk.endpoints('g/gpu', 'c/cpu');
    desk.arrive(1, heavy);
    desk.configure({ classes: [{ name: 'cpu', accepts: { ...anything, maxTokens: 2000 } }] });
    expect(desk.retry(1)).toEqual(['1 → c']);
    desk.configure({ classes: [{ name: 'cpu', accepts: { ...anything, maxTokens: 5 } }] });
    expect(desk.retry(1)).toEqual(['1 refused: no-class-accepts']);
  });

  it('an endpoint may change its class', () => {
    const desk = new Desk({ classes });
    desk.endpoints('a:2/cpu');
    desk.arrive(1);
    desk.arrive(2, heavy);
    expect(desk.endpoints('a:2/gpu')).toEqual(['2 → a']);
    expect(desk.counts().classes).toMatchObject({ cpu: { inFlight: 1 }, gpu: { inFlight: 1 } });
    desk.complete(1);
    expect(desk.counts().classes).toMatchObject({ cpu: { inFlight: 0 }, gpu: { inFlight: 1 } });
  });
});
