import { expect, it } from 'vitest';
import { TakenWork } from './taken.ts';

const open = (taken: TakenWork, ...runs: string[]) => runs.filter((run) => taken.isOpen(run, 100, 10_000));

it('a run has taken its work once the queue has fallen by one for it, the oldest first', () => {
  const taken = new TakenWork();
  taken.seen(3);
  for (const run of ['a', 'b', 'c']) taken.began(run, 0);
  expect(open(taken, 'a', 'b', 'c')).toEqual(['a', 'b', 'c']);
  taken.seen(1);
  expect(open(taken, 'a', 'b', 'c')).toEqual(['c']);
  taken.seen(5);
  taken.seen(4);
  expect(open(taken, 'a', 'b', 'c')).toEqual([]);
});

it('a fall that an ended run has caused is not counted for another', () => {
  const taken = new TakenWork();
  taken.seen(2);
  taken.began('a', 0);
  taken.began('b', 0);
  taken.ended('a');
  taken.seen(1);
  expect(open(taken, 'b')).toEqual(['b']);
  taken.seen(0);
  expect(open(taken, 'b')).toEqual([]);
});

it('after a while it is taken for granted', () => {
  const taken = new TakenWork();
  taken.seen(1);
  taken.began('a', 0);
  expect(taken.isOpen('a', 10_001, 10_000)).toBe(false);
});
