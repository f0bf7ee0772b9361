import { describe, expect, it } from 'vitest';
import { Desk } from './dispatch.fixture.ts';

describe('a draining endpoint', () => {
  it('gets nothing new, keeps what it has, and is drained once when that is over', () => {
    const desk = new Desk();
    desk.endpoints('a:3');
    desk.arrive(1);
    desk.arrive(2);
    expect(desk.endpoints('a:3!')).toEqual([]);
    expect(desk.arrive(3)).toEqual(['3 held at 1: no-replica']);
    expect(desk.complete(1)).toEqual([]);
    expect(desk.complete(2)).toEqual(['a drained']);
    expect(desk.endpoints('a:3!')).toEqual([]);
    expect(desk.endpoints('a:3!', 'b')).toEqual(['3 → b']);
  });

  it('is drained at once if it is idle, also when it is new', () => {
    const desk = new Desk();
    desk.endpoints('a');
    expect(desk.endpoints('a!', 'b!')).toEqual(['a drained', 'b drained']);
    expect(desk.endpoints('a!', 'b!')).toEqual([]);
  });

  it.each(['complete', 'cancel', 'retry'] as const)('is drained by the last %s', (call) => {
    const desk = new Desk();
    desk.endpoints('a', 'b');
    desk.arrive(1);
    desk.endpoints('a!', 'b');
    expect(desk[call](1)[0]).toBe('a drained');
  });

  it('may come back to serving, and drain again', () => {
    const desk = new Desk();
    desk.endpoints('a');
    expect(desk.endpoints('a!')).toEqual(['a drained']);
    desk.arrive(1);
    expect(desk.endpoints('a')).toEqual(['1 → a']);
    expect(desk.endpoints('a!')).toEqual([]);
    expect(desk.endpoints('a')).toEqual([]);
    expect(desk.complete(1)).toEqual([]);
    expect(desk.endpoints('a!')).toEqual(['a drained']);
  });

  it('is told of with the number of its drain, and anew when that is another one', () => {
    const desk = new Desk();
    desk.endpoints('a:2');
    expect(desk.endpoints('a:2!7')).toEqual(['a drained 7']);
    expect(desk.endpoints('a:2!7')).toEqual([]);
    expect(desk.endpoints('a:2!8')).toEqual(['a drained 8']);
    desk.endpoints('a:2');
    desk.arrive(1);
    expect(desk.endpoints('a:2!8')).toEqual([]);
    expect(desk.endpoints('a:2!9')).toEqual([]);
    expect(desk.endpoints()).toEqual([]);
    expect(desk.complete(1)).toEqual(['a drained 9']);
  });

  it('is drained also if it is not listed any more by then', () => {
    const desk = new Desk();
    desk.endpoints('a');
    desk.arrive(1);
    desk.endpoints('a!');
    expect(desk.endpoints()).toEqual([]);
    expect(desk.complete(1)).toEqual(['a drained']);
    expect(desk.counts().replicas).toEqual({});
  });
});

describe('an endpoint that is not listed any more', () => {
  it('gets nothing new, and is counted until its requests end', () => {
    const desk = new Desk();
    desk.endpoints('a:2', 'b:0');
    desk.arrive(1);
    desk.arrive(2);
    desk.endpoints('b:0');
    expect(desk.arrive(3)).toEqual(['3 → b']);
    expect(desk.counts()).toMatchObject({ replicas: { a: 1, b: 2 }, classes: { default: { inFlight: 3 } } });
    expect(desk.complete(1)).toEqual([]);
    expect(desk.counts().replicas).toEqual({ b: 2 });
  });

  it('keeps its taken slots if it comes back', () => {
    const desk = new Desk();
    desk.endpoints('a:2');
    desk.arrive(1);
    desk.endpoints();
    desk.arrive(2);
    desk.arrive(3);
    expect(desk.endpoints('a:2')).toEqual(['2 → a']);
    expect(desk.complete(1)).toEqual(['3 → a']);
  });

  it('lets a retried request go elsewhere', () => {
    const desk = new Desk();
    desk.endpoints('a');
    desk.arrive(1);
    desk.endpoints();
    expect(desk.retry(1)).toEqual(['1 held at 1: no-replica']);
    expect(desk.endpoints('a')).toEqual(['1 → a']);
  });
});

describe('slots', () => {
  it.each([-1, 0.5, Number.NaN])('cannot be %s', (slots) => {
    const desk = new Desk();
    desk.arrive(1);
    const endpoint = { replica: 'a', class: 'default', draining: false };
    expect(() =>
      desk.dispatcher.setEndpoints(0, 'local/default/chat', [
        { ...endpoint, slots: 1 },
        { ...endpoint, slots },
      ]),
    ).toThrow(`a has ${slots} slots; 0, 1, 2, … are allowed`);
    expect(desk.counts().classes.default).toMatchObject({ held: 1, inFlight: 0 });
  });
});

describe('endpoints of a workload that is not known', () => {
  it('are passed over', () => {
    const desk = new Desk();
    expect(desk.dispatcher.setEndpoints(0, 'local/default/other', [])).toEqual([]);
    desk.remove();
    expect(desk.endpoints('a')).toEqual([]);
  });
});
