/** A binary heap whose top is the item that comes before all others. */
export class MinHeap<Item> {
  readonly items: Item[];
  readonly #before: (a: Item, b: Item) => boolean;

  constructor(items: Item[], before: (a: Item, b: Item) => boolean) {
    this.items = items;
    this.#before = before;
    for (let i = (items.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  top(): Item | undefined {
    return this.items[0];
  }

  /** Finds the place of the top again after it was changed so that it comes later. */
  topChanged(): void {
    this.#sink(0);
  }

  removeTop(): void {
    const last = this.items.pop();
    if (last === undefined || this.items.length === 0) return;
    this.items[0] = last;
    this.#sink(0);
  }

  #sink(start: number): void {
    const { items } = this;
    const item = items[start];
    if (item === undefined) return;
    let at = start;
    for (;;) {
      let next = 2 * at + 1;
      let child = items[next];
      if (child === undefined) break;
      const right = items[next + 1];
      if (right !== undefined && this.#before(right, child)) {
        child = right;
        next++;
      }
      if (!this.#before(child, item)) break;
      items[at] = child;
      at = next;
    }
    items[at] = item;
  }
}
