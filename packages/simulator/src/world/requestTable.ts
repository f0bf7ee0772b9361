const firstCapacity = 1024;

/**
 * The requests that are held or in service, as columns: a request is a row, and rows are used again. So memory follows what
 * is in the system at once, not what has passed through it.
 */
export class RequestTable {
  /** First arrival of the client, and this try's. */
  originUs = new Float64Array(firstCapacity);
  enteredUs = new Float64Array(firstCapacity);
  /** Begin of service; −1: it waits. */
  beganUs = new Float64Array(firstCapacity);
  serviceUs = new Float64Array(firstCapacity);
  workload = new Int32Array(firstCapacity);
  /** Of the client's request among all, from 0. */
  number = new Float64Array(firstCapacity);
  /** Number of the replica that serves it; −1: none. */
  replica = new Int32Array(firstCapacity);
  /** Tries so far. */
  tries = new Uint16Array(firstCapacity);
  isHeld = new Uint8Array(firstCapacity);
  tokens = new Int32Array(firstCapacity);
  bytes = new Float64Array(firstCapacity);
  /** Rises whenever what was planned for the row is void. */
  life = new Int32Array(firstCapacity);
  /** It may wait for slack until then, microseconds; −1: it may not. */
  deferUntilUs = new Float64Array(firstCapacity).fill(-1);
  /** It waits for slack, or fills it: no demand. */
  isDeferred = new Uint8Array(firstCapacity);
  #free: number[] = [];
  #rows = 0;
  /** Rows in use. */
  open = 0;

  take(): number {
    this.open++;
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#rows === this.originUs.length) this.#grow();
    return this.#rows++;
  }

  release(row: number): void {
    this.open--;
    this.life[row] = (this.life[row] as number) + 1;
    this.replica[row] = -1;
    this.isHeld[row] = 0;
    this.isDeferred[row] = 0;
    this.#free.push(row);
  }

  /** Rows that a replica serves. Linear in the rows: for ends of replicas, which are few. */
  servedBy(replica: number): number[] {
    const rows: number[] = [];
    for (let row = 0; row < this.#rows; row++) if (this.replica[row] === replica) rows.push(row);
    return rows;
  }

  #grow(): void {
    const capacity = 2 * this.originUs.length;
    const floats = (column: Float64Array) => {
      const wider = new Float64Array(capacity);
      wider.set(column);
      return wider;
    };
    const whole = (column: Int32Array) => {
      const wider = new Int32Array(capacity);
      wider.set(column);
      return wider;
    };
    this.originUs = floats(this.originUs);
    this.enteredUs = floats(this.enteredUs);
    this.beganUs = floats(this.beganUs);
    this.serviceUs = floats(this.serviceUs);
    this.bytes = floats(this.bytes);
    this.number = floats(this.number);
    this.workload = whole(this.workload);
    this.replica = whole(this.replica);
    this.tokens = whole(this.tokens);
    this.life = whole(this.life);
    const tries = new Uint16Array(capacity);
    tries.set(this.tries);
    this.tries = tries;
    this.deferUntilUs = floats(this.deferUntilUs);
    const isDeferred = new Uint8Array(capacity);
    isDeferred.set(this.isDeferred);
    this.isDeferred = isDeferred;
    const isHeld = new Uint8Array(capacity);
    isHeld.set(this.isHeld);
    this.isHeld = isHeld;
  }
}
