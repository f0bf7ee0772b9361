import type { WorldModel } from '../contract/model.ts';
import { Draws } from '../kernel/draws.ts';

/** Length of the service of a trace's n-th request, whole microseconds from 1, by its output tokens (null: unknown). */
export type ServiceTime = (request: number, outputTokens: number | null) => number;

export function serviceTime(service: WorldModel['service'], draws: Draws): ServiceTime {
  switch (service.type) {
    case 'tokens': {
      const { baseMs, perTokenMs, withoutTokensMs } = service;
      return (_request, tokens) => wholeUs(tokens === null ? withoutTokensMs : baseMs + perTokenMs * tokens);
    }
    case 'fixed': {
      const us = wholeUs(service.ms);
      return () => us;
    }
    case 'empirical': {
      const lengths = Float64Array.from(service.ms, wholeUs);
      if (lengths.length === 0) throw new RangeError('an empirical service time needs at least one length');
      return (request) => lengths[Math.floor(draws.at(request) * lengths.length)] as number;
    }
  }
}

function wholeUs(ms: number): number {
  return Math.max(1, Math.round(ms * 1000));
}

/**
 * The same lengths that `simulate` gives the requests of a trace with this seed, whole microseconds, for whoever looks at
 * the trace without running it: by output tokens (null: unknown) and number over all workloads, from 0.
 */
export function simulatedServiceUs(
  model: Pick<WorldModel, 'service'>,
  seed: number,
): (outputTokens: number | null, request: number) => number {
  const service = serviceTime(model.service, new Draws(seed).fork('service'));
  return (outputTokens, request) => service(request, outputTokens);
}
