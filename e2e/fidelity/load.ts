import type { Trace, TraceBlock } from '@ebb/simulator';

/** One request: its moment from the beginning and the length of its service, whole milliseconds. */
export interface LoadRequest {
  atMs: number;
  serviceMs: number;
}

export interface Load {
  seed: number;
  /** Until the last replica should be gone, whatever the policy. */
  spanMs: number;
  requests: LoadRequest[];
}

/** Quiet enough for zero, a burst, silence, then on and off: every edge that a policy has. */
const parts: readonly { fromMs: number; toMs: number; perSecond: number }[] = [
  { fromMs: 500, toMs: 18_000, perSecond: 0.3 },
  { fromMs: 18_000, toMs: 26_000, perSecond: 16 },
  { fromMs: 34_000, toMs: 38_000, perSecond: 8 },
  { fromMs: 44_000, toMs: 48_000, perSecond: 8 },
  { fromMs: 54_000, toMs: 58_000, perSecond: 8 },
];
const spanMs = 74_000;
const shortestServiceMs = 200;
const longestServiceMs = 400;

/** The same for the same seed: Poisson arrivals in each part, services drawn evenly between both lengths. */
export function makeLoad(seed: number): Load {
  const draw = mulberry32(seed);
  const requests: LoadRequest[] = [];
  for (const { fromMs, toMs, perSecond } of parts) {
    let atMs = fromMs;
    for (;;) {
      atMs += (-Math.log(1 - draw()) * 1000) / perSecond;
      if (atMs >= toMs) break;
      const serviceMs = Math.round(shortestServiceMs + draw() * (longestServiceMs - shortestServiceMs));
      requests.push({ atMs: Math.round(atMs), serviceMs });
    }
  }
  return { seed, spanMs, requests };
}

/** The same requests for a rehearsal, `leadMs` later; their output tokens are the milliseconds of their services. */
export function traceOf({ requests, spanMs }: Load, leadMs: number): Trace {
  return {
    name: 'fidelity',
    description: 'The load of the live run',
    workloads: ['fidelity'],
    spanUs: (leadMs + spanMs) * 1000,
    arrivals: 'recorded',
    hasTokens: true,
    *blocks(): Generator<TraceBlock> {
      yield {
        count: requests.length,
        atUs: Float64Array.from(requests, ({ atMs }) => (leadMs + atMs) * 1000),
        workload: null,
        inputTokens: null,
        outputTokens: Uint32Array.from(requests, ({ serviceMs }) => serviceMs),
      };
    },
  };
}

/** Source: https://github.com/bryc/code/blob/master/jshash/PRNGs.md (public domain). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
