import type { ScalingSpec } from '@ebb/documents';
import type { ClassObservation, Observation, Reading, WorkloadDecisionSpec } from './types.ts';

/** A small workload for tests: one class with one request at once, 0 to 5 replicas, 10 s keep-alive. */
export function testSpec(scaling: Partial<ScalingSpec> = {}, concurrency = 1): WorkloadDecisionSpec {
  return {
    policy: 'windows',
    workload: 'local/default/w',
    classes: [{ name: 'default', concurrency, pricePerHourMicro: 70_000 }],
    scaling: {
      minReplicas: 0,
      maxReplicas: 5,
      initialReplicas: 0,
      windows: {
        stableMs: 60_000,
        panicMs: 6000,
        panicThreshold: 2,
        maxScaleUpRate: 1000,
        maxScaleDownRate: 2,
        targetUtilization: 1,
      },
      triggers: [{ name: 'concurrency', type: 'concurrency', target: 1 }],
      keepAliveMs: 10_000,
      behavior: {
        scaleUp: { stabilizationMs: 0, selectPolicy: 'Max', policies: [] },
        scaleDown: { stabilizationMs: 0, selectPolicy: 'Max', policies: [] },
      },
      schedules: [],
      events: [],
      paused: null,
      ...scaling,
    },
  };
}

export function testObservation(
  nowMs: number,
  seen: Partial<ClassObservation> = {},
  more: Partial<Omit<Observation, 'nowMs' | 'classes'>> = {},
): Observation {
  const observed = { ready: 0, starting: 0, draining: 0, failed: 0, inFlight: 0, held: 0, ...seen };
  const active = observed.inFlight + observed.held > 0;
  return {
    nowMs,
    causes: [],
    readings: [],
    classes: { default: observed },
    lastActiveAtMs: active ? nowMs : null,
    countsKnown: true,
    ...more,
  };
}

export function testReading(atMs: number, value: number | null, more: Partial<Reading> = {}): Reading {
  return { trigger: 'concurrency', class: 'default', value, peak: null, spanMs: 1000, atMs, state: 'ok', ...more };
}
