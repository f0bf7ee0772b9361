import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexedHeap } from './indexedHeap.ts';

interface Item {
  key: number;
  name: number;
  index: number;
}

const isBefore = (left: Item, right: Item) =>
  left.key < right.key || (left.key === right.key && left.name < right.name);

describe('IndexedHeap', () => {
  it('moves the item that fills a gap up as well as down', () => {
    const heap = new IndexedHeap<Item>(isBefore);
    const items = [1, 10, 2, 11, 12, 3, 4, 20, 21, 22, 23, 5, 6].map((key, name) => ({ key, name, index: -1 }));
    for (const item of items) heap.add(item);
    for (const item of items) if (item.key === 11) heap.remove(item);
    const keys: number[] = [];
    for (let first = heap.first(); first; first = heap.first()) {
      keys.push(first.key);
      heap.remove(first);
    }
    expect(keys).toEqual([1, 2, 3, 4, 5, 6, 10, 12, 20, 21, 22, 23]);
  });

  it('always has the same first item as a sorted list, with and without some excluded', () => {
    const step = fc.record({
      action: fc.constantFrom('add', 'add', 'add', 'remove', 'update'),
      key: fc.nat(40),
      pick: fc.nat(1000),
      excluded: fc.array(fc.nat(1000), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const heap = new IndexedHeap<Item>(isBefore);
        const list: Item[] = [];
        for (const [name, { action, key, pick, excluded }] of steps.entries()) {
          const chosen = list[pick % Math.max(1, list.length)];
          if (action === 'add') {
            const item = { key, name, index: -1 };
            list.push(item);
            heap.add(item);
          } else if (chosen && action === 'remove') {
            list.splice(list.indexOf(chosen), 1);
            heap.remove(chosen);
            expect(chosen.index).toBe(-1);
          } else if (chosen) {
            chosen.key = key;
            heap.update(chosen);
          }
          list.sort((left, right) => (isBefore(left, right) ? -1 : 1));
          const barred = list.filter((_, at) => excluded.some((one) => one % list.length === at));
          expect(heap.size).toBe(list.length);
          expect(heap.first()).toBe(list[0] ?? null);
          expect(heap.firstExcept(barred)).toBe(list.find((item) => !barred.includes(item)) ?? null);
        }
      }),
    );
  });
});
