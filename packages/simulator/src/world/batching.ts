import type { Batching, WorldModel } from '../contract/model.ts';

/** What a microsecond of service is in units of work: a rate is a whole number of them, so that sums of them are exact. */
export const unitsPerUs = 65_536;
const mostTimesAsLong = 100;

/**
 * Units of work that a request gets done in a microsecond, by how many are in service on its replica (index 0 is not
 * used), up to `slots`. Exact to 1/655 of itself at the slowest. Null: load slows nothing down.
 *
 * @throws RangeError for points that are no line of slowdowns.
 */
export function serviceRates(batching: Batching | undefined, slots: number): Float64Array | null {
  if (!batching) return null;
  check(batching);
  if (batching.slowdown.every(([, times]) => times === 1)) return null;
  return Float64Array.from({ length: slots + 1 }, (_, requests) =>
    Math.round(unitsPerUs / slowdownAt(batching, Math.max(1, requests))),
  );
}

/** How many times longer a service takes on a replica with no slot free. */
export function fullSlowdown({ batching, concurrency }: Pick<WorldModel, 'batching' | 'concurrency'>): number {
  return batching ? slowdownAt(batching, concurrency) : 1;
}

function slowdownAt({ slowdown }: Batching, requests: number): number {
  let [fromRequests, fromTimes] = [1, 1];
  for (const [toRequests, toTimes] of slowdown) {
    if (requests <= toRequests) {
      const share = toRequests > fromRequests ? (requests - fromRequests) / (toRequests - fromRequests) : 1;
      return fromTimes + share * (toTimes - fromTimes);
    }
    [fromRequests, fromTimes] = [toRequests, toTimes];
  }
  return fromTimes;
}

function check({ slowdown }: Batching): void {
  let before = 0;
  for (const [requests, times] of slowdown) {
    if (!Number.isSafeInteger(requests) || requests <= before) {
      throw new RangeError(
        `slowdown: numbers of requests are whole and rise from 1, found ${requests} after ${before}`,
      );
    }
    if (!(times >= 1 && times <= mostTimesAsLong)) {
      throw new RangeError(`slowdown: from 1 to ${mostTimesAsLong} times as long, found ${times}`);
    }
    before = requests;
  }
}
