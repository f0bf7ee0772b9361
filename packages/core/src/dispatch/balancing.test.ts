import { describe, expect, it } from 'vitest';
import { Desk } from './dispatch.fixture.ts';

const fleet = (size: number, slots: number) => Array.from({ length: size }, (_, index) => `r${index}:${slots}`);

/** Replicas that got the requests `from` to `to`, in order. */
function replicasOf(desk: Desk, from: number, to: number): string[] {
  const replicas: string[] = [];
  for (let id = from; id <= to; id++) replicas.push(desk.arrive(id)[0]?.replace(/.* → /, '') ?? '');
  return replicas;
}

describe('least connections', () => {
  it('picks the one with the fewest requests in flight', () => {
    const desk = new Desk();
    desk.endpoints('a:9', 'b:9', 'c:9');
    expect(replicasOf(desk, 1, 6)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    desk.complete(2);
    desk.complete(5);
    desk.complete(3);
    expect(replicasOf(desk, 7, 9)).toEqual(['b', 'c', 'b']);
  });

  it('takes turns among equals, so that an idle fleet shares the load', () => {
    const desk = new Desk();
    desk.endpoints('a', 'b', 'c');
    const replicas: string[] = [];
    for (let id = 1; id <= 6; id++) {
      replicas.push(...replicasOf(desk, id, id));
      desk.complete(id);
    }
    expect(replicas).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });
});

describe('round robin', () => {
  it('goes by the row whatever the load', () => {
    const desk = new Desk({ balancing: 'roundRobin' });
    desk.endpoints('a:9', 'b:9', 'c:9');
    expect(replicasOf(desk, 1, 4)).toEqual(['a', 'b', 'c', 'a']);
    desk.complete(3);
    expect(replicasOf(desk, 5, 7)).toEqual(['b', 'c', 'a']);
  });

  it('passes over those that are full or excluded', () => {
    const desk = new Desk({ balancing: 'roundRobin' });
    desk.endpoints('a:9', 'b:1', 'c:9');
    expect(replicasOf(desk, 1, 5)).toEqual(['a', 'b', 'c', 'a', 'c']);
    expect(desk.retry(4)).toEqual(['4 → c']);
  });
});

describe('a configuration with the same rule', () => {
  it('goes on where the row was', () => {
    const desk = new Desk({ balancing: 'roundRobin' });
    desk.endpoints('a:9', 'b:9', 'c:9');
    replicasOf(desk, 1, 2);
    desk.configure({ balancing: 'roundRobin', holdMs: 1 });
    desk.endpoints('a:9', 'b:9', 'c:9');
    expect(replicasOf(desk, 3, 5)).toEqual(['c', 'a', 'b']);
  });
});

describe('random', () => {
  it('gives every replica the same chance', () => {
    const desk = new Desk({ balancing: 'random' });
    desk.endpoints(...fleet(4, 0));
    replicasOf(desk, 1, 8_000);
    for (const count of Object.values(desk.counts().replicas)) expect(Math.abs(count - 2_000)).toBeLessThan(200);
  });

  it('gives every replica that is not excluded the same chance', () => {
    const desk = new Desk({ balancing: 'random' });
    desk.endpoints(...fleet(4, 0));
    replicasOf(desk, 1, 4_000);
    const before = desk.counts().replicas;
    for (let id = 1; id <= 4_000; id++) desk.retry(id);
    for (const [replica, count] of Object.entries(desk.counts().replicas)) {
      const expected = (4_000 - (before[replica] ?? 0)) / 3;
      expect(Math.abs(count - expected)).toBeLessThan(150);
    }
  });

  it('is the same for the same seed and another for another', () => {
    const [first, again, other] = [7, 7, 8].map((seed) => {
      const desk = new Desk({ balancing: 'random' }, seed);
      desk.endpoints(...fleet(10, 0));
      return replicasOf(desk, 1, 30);
    });
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });
});

describe('a change of the rule', () => {
  it.each(['leastConnections', 'roundRobin', 'random'] as const)('to %s keeps loads and slots', (balancing) => {
    for (const before of ['leastConnections', 'roundRobin', 'random'] as const) {
      const desk = new Desk({ balancing: before });
      desk.endpoints('a:2', 'b:2', 'c:2');
      replicasOf(desk, 1, 3);
      desk.configure({ balancing });
      expect(replicasOf(desk, 4, 6).every((replica) => /^[abc]$/.test(replica))).toBe(true);
      expect(desk.counts().replicas).toEqual({ a: 2, b: 2, c: 2 });
      expect(desk.arrive(7)).toEqual(['7 held at 1: no-free-slot']);
    }
  });
});
