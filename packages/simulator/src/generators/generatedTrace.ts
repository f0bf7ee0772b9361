import { blockSize, type Trace, type TraceBlock } from '../contract/trace.ts';
import { Draws } from '../kernel/draws.ts';
import { exp, normalQuantile } from '../kernel/mathematics.ts';

/** What all generated loads have in common. */
export interface GeneratedLoad {
  seed: number;
  /** Length of the trace, seconds. */
  spanSeconds: number;
  /** Output tokens of a request, log-normal; left out: requests have none. */
  tokens?: { median: number; sigma: number };
}

/** Gives the next arrival in seconds from the start, in order; a generator begins anew with each call of its factory. */
export type ArrivalTimes = (draws: Draws) => () => number;

const mostTokens = 1_000_000;

/** A trace that is made as it is read: its memory is one block, whatever its length. */
export function generatedTrace(name: string, description: string, load: GeneratedLoad, times: ArrivalTimes): Trace {
  const { tokens } = load;
  return {
    name,
    description,
    workloads: [name],
    spanUs: Math.round(load.spanSeconds * 1e6),
    arrivals: 'recorded',
    hasTokens: tokens !== undefined,
    blocks: () => blocksOf(load, times),
  };
}

function* blocksOf({ seed, spanSeconds, tokens }: GeneratedLoad, times: ArrivalTimes): Generator<TraceBlock> {
  const draws = new Draws(seed);
  const next = times(draws.fork('arrivals'));
  const tokenDraws = draws.fork('tokens');
  let block = emptyBlock(tokens !== undefined);
  for (let at = next(); at < spanSeconds; at = next()) {
    block.atUs[block.count] = Math.floor(at * 1e6);
    if (tokens && block.outputTokens) {
      const share = (tokenDraws.next() * 4503599627370496 + 0.5) / 4503599627370497;
      const count = Math.round(tokens.median * exp(tokens.sigma * normalQuantile(share)));
      block.outputTokens[block.count] = Math.min(mostTokens, count);
    }
    block.count++;
    if (block.count < blockSize) continue;
    yield block;
    block = emptyBlock(tokens !== undefined);
  }
  if (block.count > 0) yield block;
}

function emptyBlock(hasTokens: boolean): TraceBlock {
  return {
    count: 0,
    atUs: new Float64Array(blockSize),
    workload: null,
    inputTokens: null,
    outputTokens: hasTokens ? new Uint32Array(blockSize) : null,
  };
}

/**
 * Arrivals of a Poisson process whose rate changes over time, by thinning (Lewis, Shedler 1979): candidates at the highest
 * rate, each kept with the share that the rate of its moment has.
 */
export function thinned(mostPerSecond: number, ratePerSecond: (atSeconds: number) => number): ArrivalTimes {
  return (draws) => {
    let at = 0;
    return () => {
      do at += draws.exponential(1 / mostPerSecond);
      while (draws.next() * mostPerSecond > ratePerSecond(at));
      return at;
    };
  };
}
