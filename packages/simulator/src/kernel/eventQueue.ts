const firstCapacity = 1024;

/**
 * Events by time, those of one moment in the order in which they were put in. A 4-ary heap whose entries are columns of
 * typed arrays: putting in and taking out allocate nothing. Times are whole microseconds, payloads 32-bit integers.
 */
export class EventQueue {
  #atUs = new Float64Array(firstCapacity);
  #order = new Float64Array(firstCapacity);
  #kinds = new Uint8Array(firstCapacity);
  #subjects = new Int32Array(firstCapacity);
  #lives = new Int32Array(firstCapacity);
  #size = 0;
  #orders = 0;
  /** Of the event that `take` took. */
  kind = 0;
  subject = 0;
  life = 0;

  get size(): number {
    return this.#size;
  }

  /** Time of the first event; infinity: there is none. */
  nextUs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#atUs[0] as number);
  }

  /** `life` tells the handler whether the subject is still the one that was meant. */
  put(atUs: number, kind: number, subject: number, life: number): void {
    if (this.#size === this.#atUs.length) this.#grow();
    const order = this.#orders++;
    let index = this.#size++;
    // The newest of its moment: only a later time makes a parent give way.
    while (index > 0) {
      const parent = (index - 1) >> 2;
      if ((this.#atUs[parent] as number) <= atUs) break;
      this.#move(parent, index);
      index = parent;
    }
    this.#set(index, atUs, order, kind, subject, life);
  }

  /** Takes the first event out; its kind, subject and life are then in the fields. There must be one. */
  take(): void {
    this.kind = this.#kinds[0] as number;
    this.subject = this.#subjects[0] as number;
    this.life = this.#lives[0] as number;
    const last = --this.#size;
    if (last > 0) this.#sink(last);
  }

  /** Puts the entry at `from`, which is behind the end, in at the root. */
  #sink(from: number): void {
    const atUs = this.#atUs;
    const size = this.#size;
    const lastUs = atUs[from] as number;
    const lastOrder = this.#order[from] as number;
    let index = 0;
    for (;;) {
      const first = 4 * index + 1;
      if (first >= size) break;
      let best = first;
      let bestUs = atUs[first] as number;
      const end = Math.min(first + 4, size);
      for (let child = first + 1; child < end; child++) {
        const childUs = atUs[child] as number;
        if (childUs > bestUs) continue;
        if (childUs === bestUs && (this.#order[child] as number) > (this.#order[best] as number)) continue;
        best = child;
        bestUs = childUs;
      }
      if (bestUs > lastUs || (bestUs === lastUs && (this.#order[best] as number) > lastOrder)) break;
      this.#move(best, index);
      index = best;
    }
    this.#move(from, index);
  }

  #move(from: number, to: number): void {
    this.#atUs[to] = this.#atUs[from] as number;
    this.#order[to] = this.#order[from] as number;
    this.#kinds[to] = this.#kinds[from] as number;
    this.#subjects[to] = this.#subjects[from] as number;
    this.#lives[to] = this.#lives[from] as number;
  }

  #set(index: number, atUs: number, order: number, kind: number, subject: number, life: number): void {
    this.#atUs[index] = atUs;
    this.#order[index] = order;
    this.#kinds[index] = kind;
    this.#subjects[index] = subject;
    this.#lives[index] = life;
  }

  #grow(): void {
    const capacity = 2 * this.#atUs.length;
    const wider = <Column extends Float64Array | Int32Array | Uint8Array>(column: Column, into: Column): Column => {
      into.set(column);
      return into;
    };
    this.#atUs = wider(this.#atUs, new Float64Array(capacity));
    this.#order = wider(this.#order, new Float64Array(capacity));
    this.#kinds = wider(this.#kinds, new Uint8Array(capacity));
    this.#subjects = wider(this.#subjects, new Int32Array(capacity));
    this.#lives = wider(this.#lives, new Int32Array(capacity));
  }
}
