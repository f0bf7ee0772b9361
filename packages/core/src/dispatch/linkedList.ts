/** What stands in a `LinkedList`. One item is in at most one list at a time. */
export interface Linked<T> {
  previous: T | null;
  next: T | null;
}

/** Doubly linked list whose links live in the items: every operation is O(1) and allocates nothing. */
export class LinkedList<T extends Linked<T>> {
  head: T | null = null;
  tail: T | null = null;
  size = 0;

  pushBack(item: T): void {
    item.previous = this.tail;
    item.next = null;
    if (this.tail) this.tail.next = item;
    else this.head = item;
    this.tail = item;
    this.size++;
  }

  pushFront(item: T): void {
    item.previous = null;
    item.next = this.head;
    if (this.head) this.head.previous = item;
    else this.tail = item;
    this.head = item;
    this.size++;
  }

  remove(item: T): void {
    if (item.previous) item.previous.next = item.next;
    else this.head = item.next;
    if (item.next) item.next.previous = item.previous;
    else this.tail = item.previous;
    item.previous = null;
    item.next = null;
    this.size--;
  }
}
