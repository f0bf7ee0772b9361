import { decide } from '../replicas/decide.ts';
import type { Varied, WhatIf } from './whatIfSearch.ts';

/** Moments looked at, each one at which the policy itself wanted to be asked again. */
const mostMoments = 250;

/**
 * How long it would take until the count changes if nothing else does: requests, replicas and everything read stay as
 * they are. A keep-alive that runs out, a stabilisation window that ends, a mean that falls.
 */
export function timeChanges({ spec, memory, observation, replicas }: Varied): WhatIf[] {
  const busy = Object.values(observation.classes).some(({ inFlight, held }) => inFlight + held > 0);
  let result = decide(spec, memory, observation);
  for (let moment = 0; moment < mostMoments; moment++) {
    const atMs = result.decision.revisitAtMs;
    if (atMs === null || !Number.isFinite(atMs)) return [];
    result = decide(spec, result.memory, {
      ...observation,
      nowMs: atMs,
      causes: ['revisit'],
      readings: [],
      lastActiveAtMs: busy ? atMs : observation.lastActiveAtMs,
    });
    const after = result.decision.replicas;
    if (after === replicas) continue;
    const closes = result.decision.reasons.some(({ code }) => code === 'gate-closes');
    return [
      {
        change: closes ? 'keep-alive-ends' : 'time-passes',
        data: { inMs: atMs - observation.nowMs, atMs, replicas: after },
      },
    ];
  }
  return [];
}
