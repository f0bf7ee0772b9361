import { blockSize, type Trace, type TraceBlock } from '../contract/trace.ts';

/** A trace as columns in shared memory: every thread reads the same bytes. */
export interface PackedTrace {
  about: Omit<Trace, 'blocks'>;
  requests: number;
  atUs: Float64Array;
  workload: Uint32Array | null;
  inputTokens: Uint32Array | null;
  outputTokens: Uint32Array | null;
}

/** Reads the whole trace: 8 to 20 bytes a request. */
export async function packTrace(trace: Trace): Promise<PackedTrace> {
  const blocks: TraceBlock[] = [];
  let requests = 0;
  for await (const block of trace.blocks()) {
    blocks.push({ ...block, atUs: block.atUs.slice(0, block.count) });
    requests += block.count;
  }
  const { name, description, workloads, spanUs, arrivals, hasTokens } = trace;
  const atUs = new Float64Array(new SharedArrayBuffer(8 * requests));
  let row = 0;
  for (const block of blocks) {
    atUs.set(block.atUs, row);
    row += block.count;
  }
  return {
    about: { name, description, workloads: [...workloads], spanUs, arrivals, hasTokens },
    requests,
    atUs,
    workload: column(blocks, requests, ({ workload }) => workload),
    inputTokens: column(blocks, requests, ({ inputTokens }) => inputTokens),
    outputTokens: column(blocks, requests, ({ outputTokens }) => outputTokens),
  };
}

function column(
  blocks: readonly TraceBlock[],
  requests: number,
  of: (block: TraceBlock) => Uint32Array | null,
): Uint32Array | null {
  if (blocks.every((block) => of(block) === null)) return null;
  const values = new Uint32Array(new SharedArrayBuffer(4 * requests));
  let row = 0;
  for (const block of blocks) {
    const part = of(block);
    if (part) values.set(part.subarray(0, block.count), row);
    row += block.count;
  }
  return values;
}

export function unpackTrace({ about, requests, atUs, workload, inputTokens, outputTokens }: PackedTrace): Trace {
  return {
    ...about,
    *blocks(): Generator<TraceBlock> {
      for (let from = 0; from < requests; from += blockSize) {
        const to = Math.min(requests, from + blockSize);
        yield {
          count: to - from,
          atUs: atUs.subarray(from, to),
          workload: workload && workload.subarray(from, to),
          inputTokens: inputTokens && inputTokens.subarray(from, to),
          outputTokens: outputTokens && outputTokens.subarray(from, to),
        };
      }
    },
  };
}
