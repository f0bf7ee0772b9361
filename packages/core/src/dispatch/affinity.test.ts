import { describe, expect, it } from 'vitest';
import { Desk } from './dispatch.fixture.ts';

const affinity = { header: 'x-session' };
const fleet = (size: number, slots = 0) => Array.from({ length: size }, (_, index) => `r${index}:${slots}`);

/** The replica of each session. */
function homes(endpoints: string[], sessions: number): string[] {
  const desk = new Desk({ affinity });
  desk.endpoints(...endpoints);
  return Array.from({ length: sessions }, (_, index) => {
    const [text] = desk.arrive(index, { affinityKey: `session-${index}` });
    return text?.replace(/.* → /, '') ?? '';
  });
}

describe('affinity', () => {
  it('sends a session to the same replica each time, whatever its load and the order of the list', () => {
    const desk = new Desk({ affinity });
    desk.endpoints(...fleet(10));
    const first = desk.arrive(1, { affinityKey: 's' })[0]?.slice(4);
    desk.endpoints(...fleet(10).reverse());
    for (let id = 2; id < 20; id++) expect(desk.arrive(id, { affinityKey: 's' })[0]?.slice(-2)).toBe(first);
  });

  it('spreads sessions evenly', () => {
    const counts = new Map<string, number>();
    for (const home of homes(fleet(10), 10_000)) counts.set(home, (counts.get(home) ?? 0) + 1);
    expect(counts.size).toBe(10);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  it('moves only the sessions of the replica that goes', () => {
    const before = homes(fleet(10), 1_000);
    const after = homes(
      fleet(10).filter((one) => one !== 'r3:0'),
      1_000,
    );
    for (const [session, home] of before.entries()) {
      if (home === 'r3') expect(after[session]).not.toBe('r3');
      else expect(after[session]).toBe(home);
    }
  });

  it('goes to the next best replica while its own is full or could not take it', () => {
    const desk = new Desk({ affinity });
    desk.endpoints('a', 'b', 'c');
    const order = [1, 2, 3].map((id) => desk.arrive(id, { affinityKey: 's' })[0]?.slice(4));
    expect([...order].sort()).toEqual(['a', 'b', 'c']);
    expect(desk.arrive(4, { affinityKey: 's' })).toEqual(['4 held at 1: no-free-slot']);
    desk.cancel(4);
    for (const id of [1, 2, 3]) desk.complete(id);
    expect(desk.arrive(5, { affinityKey: 's' })).toEqual([`5 → ${order[0]}`]);
    expect(desk.retry(5)).toEqual([`5 → ${order[1]}`]);
  });

  it('leaves requests without a session, and workloads without affinity, to the balancing', () => {
    const desk = new Desk({ affinity });
    desk.endpoints('a:0', 'b:0');
    for (let id = 1; id <= 10; id++) desk.arrive(id);
    expect(desk.counts().replicas).toEqual({ a: 5, b: 5 });
    desk.configure({});
    for (let id = 11; id <= 20; id++) desk.arrive(id, { affinityKey: 's' });
    expect(desk.counts().replicas).toEqual({ a: 10, b: 10 });
  });
});
