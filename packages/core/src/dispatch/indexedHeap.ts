/** What stands in an `IndexedHeap`; −1: in none. One item is in at most one heap at a time. */
export interface Indexed {
  index: number;
}

/**
 * Binary heap whose items know their place, so that any of them is moved or removed in O(log n). Nothing stale stays
 * behind: an item that leaves early costs no memory until its turn would have come.
 */
export class IndexedHeap<T extends Indexed> {
  readonly #items: T[] = [];
  readonly #isBefore: (left: T, right: T) => boolean;

  /** `isBefore` must be a total order, or equal items come out in an order that depends on history. */
  constructor(isBefore: (left: T, right: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  first(): T | null {
    return this.#items[0] ?? null;
  }

  /** The first item that is not among `excluded`; looks at no more than 2 · excluded + 1 items. */
  firstExcept(excluded: readonly T[]): T | null {
    return excluded.length === 0 ? this.first() : this.#firstExcept(0, excluded);
  }

  add(item: T): void {
    item.index = this.#items.length;
    this.#items.push(item);
    this.#rise(item);
  }

  remove(item: T): void {
    const { index } = item;
    const last = this.#items.pop();
    item.index = -1;
    if (last === undefined || last === item) return;
    this.#put(last, index);
    this.update(last);
  }

  /** Restores the order after the item's key changed. */
  update(item: T): void {
    const { index } = item;
    this.#rise(item);
    if (item.index === index) this.#sink(item);
  }

  #firstExcept(index: number, excluded: readonly T[]): T | null {
    const item = this.#items[index];
    if (item === undefined) return null;
    if (!excluded.includes(item)) return item;
    const left = this.#firstExcept(2 * index + 1, excluded);
    const right = this.#firstExcept(2 * index + 2, excluded);
    if (left === null || right === null) return left ?? right;
    return this.#isBefore(right, left) ? right : left;
  }

  #rise(item: T): void {
    let { index } = item;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#items[parentIndex];
      if (parent === undefined || !this.#isBefore(item, parent)) break;
      this.#put(parent, index);
      index = parentIndex;
    }
    this.#put(item, index);
  }

  #sink(item: T): void {
    let { index } = item;
    for (;;) {
      let child = this.#items[2 * index + 1];
      if (child === undefined) break;
      const right = this.#items[2 * index + 2];
      if (right !== undefined && this.#isBefore(right, child)) child = right;
      if (!this.#isBefore(child, item)) break;
      const childIndex = child.index;
      this.#put(child, index);
      index = childIndex;
    }
    this.#put(item, index);
  }

  #put(item: T, index: number): void {
    this.#items[index] = item;
    item.index = index;
  }
}
