import { blockSize, type TraceBlock } from '../contract/trace.ts';

/** Fills blocks one request after the other. */
export class BlockBuilder {
  readonly #hasWorkloads: boolean;
  readonly #hasTokens: boolean;
  #block: TraceBlock | null = null;
  #full: TraceBlock[] = [];

  constructor(hasWorkloads: boolean, hasTokens: boolean) {
    this.#hasWorkloads = hasWorkloads;
    this.#hasTokens = hasTokens;
  }

  add(atUs: number, workload: number, inputTokens: number, outputTokens: number): void {
    this.#block ??= this.#empty();
    const block = this.#block;
    const index = block.count++;
    block.atUs[index] = atUs;
    if (block.workload) block.workload[index] = workload;
    if (block.inputTokens) block.inputTokens[index] = inputTokens;
    if (block.outputTokens) block.outputTokens[index] = outputTokens;
    if (block.count < blockSize) return;
    this.#full.push(block);
    this.#block = null;
  }

  /** The blocks that are full by now. */
  takeFull(): TraceBlock[] {
    const full = this.#full;
    if (full.length > 0) this.#full = [];
    return full;
  }

  /** All that is left. */
  takeRest(): TraceBlock[] {
    const rest = this.takeFull();
    if (this.#block) rest.push(this.#block);
    this.#block = null;
    return rest;
  }

  #empty(): TraceBlock {
    const tokens = () => (this.#hasTokens ? new Uint32Array(blockSize) : null);
    return {
      count: 0,
      atUs: new Float64Array(blockSize),
      workload: this.#hasWorkloads ? new Uint32Array(blockSize) : null,
      inputTokens: tokens(),
      outputTokens: tokens(),
    };
  }
}
