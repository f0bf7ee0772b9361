import type { Trace, TraceBlock } from '../contract/trace.ts';
import type { Arrivals } from '../kernel/kernel.ts';
import type { ServiceTime } from '../world/serviceTime.ts';

/** About four bytes of text to a token: what a class that looks at the size of a body is told. */
const bytesPerToken = 4;

export type Arrive = (workload: number, serviceUs: number, outputTokens: number, bodyBytes: number) => void;

/** The requests of a trace as they come in, a block at a time. */
export class Load implements Arrivals {
  readonly #blocks: AsyncIterator<TraceBlock> | Iterator<TraceBlock>;
  readonly #trace: Trace;
  readonly #service: ServiceTime;
  readonly #arrive: Arrive;
  #block: TraceBlock | null = null;
  #row = 0;
  #request = 0;
  nextUs = Number.POSITIVE_INFINITY;

  constructor(trace: Trace, service: ServiceTime, arrive: Arrive) {
    const blocks = trace.blocks();
    this.#blocks = Symbol.asyncIterator in blocks ? blocks[Symbol.asyncIterator]() : blocks[Symbol.iterator]();
    this.#trace = trace;
    this.#service = service;
    this.#arrive = arrive;
  }

  arrive(): boolean {
    const block = this.#block as TraceBlock;
    const row = this.#row++;
    const tokens = block.outputTokens ? (block.outputTokens[row] as number) : null;
    const serviceUs = this.#service(this.#request++, tokens);
    const bodyBytes = block.inputTokens ? bytesPerToken * (block.inputTokens[row] as number) : 0;
    this.#arrive(block.workload ? (block.workload[row] as number) : 0, serviceUs, tokens ?? -1, bodyBytes);
    const isLast = this.#row >= block.count;
    if (!isLast) this.nextUs = block.atUs[this.#row] as number;
    return isLast;
  }

  async refill(): Promise<void> {
    const lastUs = this.#block ? (this.#block.atUs[this.#block.count - 1] as number) : 0;
    for (;;) {
      const { done, value } = await this.#blocks.next();
      if (done) {
        this.#block = null;
        this.nextUs = Number.POSITIVE_INFINITY;
        return;
      }
      if (value.count === 0) continue;
      this.#check(value, lastUs);
      this.#block = value;
      this.#row = 0;
      this.nextUs = value.atUs[0] as number;
      return;
    }
  }

  /** Leaves the trace before its end. */
  async close(): Promise<void> {
    await this.#blocks.return?.();
  }

  #check({ atUs, count, workload }: TraceBlock, lastUs: number): void {
    const { name, workloads } = this.#trace;
    let beforeUs = lastUs;
    for (let row = 0; row < count; row++) {
      const us = atUs[row] as number;
      if (!(us >= beforeUs)) {
        throw new RangeError(
          `trace ${name}: a request at ${us} µs comes after one at ${beforeUs} µs; order them by time`,
        );
      }
      beforeUs = us;
      if (workload && (workload[row] as number) >= workloads.length) {
        throw new RangeError(`trace ${name}: a request names workload ${workload[row]} of ${workloads.length}`);
      }
    }
  }
}
