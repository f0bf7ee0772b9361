import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from './decide.ts';
import { defaultHpaController, type HpaDecisionSpec, type HpaObservation } from './hpa/types.ts';
import { testObservation, testReading, testSpec } from './windows.fixture.ts';

/** More demand never means fewer replicas, all else being equal. */
describe('monotone in demand', () => {
  it('windows: in what is held and in flight, and in the mean', () => {
    const seen = fc.record({
      ready: fc.nat(10),
      inFlight: fc.nat(20),
      held: fc.nat(20),
      mean: fc.double({ min: 0, max: 50, noNaN: true }),
    });
    const more = fc.record({ inFlight: fc.nat(5), held: fc.nat(5), mean: fc.double({ min: 0, max: 10, noNaN: true }) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), seen, more, (concurrency, base, extra) => {
        const spec = testSpec(
          { maxReplicas: 30, triggers: [{ name: 'concurrency', type: 'concurrency', target: concurrency }] },
          concurrency,
        );
        const before = decide(spec, null, testObservation(0, { ready: base.ready, inFlight: 1 })).memory;
        const replicas = (inFlight: number, held: number, mean: number) =>
          decide(
            spec,
            before,
            testObservation(1000, { ready: base.ready, inFlight, held }, { readings: [testReading(1000, mean)] }),
          ).decision.replicas;
        const less = replicas(base.inFlight, base.held, base.mean);
        expect(
          replicas(base.inFlight + extra.inFlight, base.held + extra.held, base.mean + extra.mean),
        ).toBeGreaterThanOrEqual(less);
      }),
    );
  });

  it('HPA: in an external metric, with and without behaviour', () => {
    const rules = { stabilizationMs: 0, selectPolicy: 'Max' as const, tolerance: null };
    const behavior = {
      scaleUp: { ...rules, policies: [{ type: 'Pods' as const, value: 4, periodMs: 15_000 }] },
      scaleDown: { ...rules, policies: [{ type: 'Percent' as const, value: 50, periodMs: 15_000 }] },
    };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.nat(200_000),
        fc.nat(50_000),
        fc.boolean(),
        (current, value, extra, withBehavior) => {
          const spec: HpaDecisionSpec = {
            policy: 'hpa',
            workload: 'w',
            minReplicas: 1,
            maxReplicas: 50,
            metrics: [{ type: 'External', name: 'q', target: { type: 'AverageValue', averageValueMilli: 5000 } }],
            behavior: withBehavior ? behavior : null,
            controller: defaultHpaController,
          };
          const replicas = (milli: number) => {
            const hpa: HpaObservation = {
              specReplicas: current,
              statusReplicas: current,
              pods: [],
              metrics: [{ valuesMilli: [milli] }],
            };
            return decide(spec, null, testObservation(0, {}, { hpa })).decision.replicas;
          };
          expect(replicas(value + extra)).toBeGreaterThanOrEqual(replicas(value));
        },
      ),
    );
  });
});
