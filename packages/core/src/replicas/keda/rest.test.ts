import fc from 'fast-check';
import { expect, it } from 'vitest';
import { defaultHpaController } from '../hpa/types.ts';
import type { Memory } from '../types.ts';
import { testObservation } from '../windows.fixture.ts';
import { decideByKeda } from './keda.ts';
import { restLookMs } from './rest.ts';
import type { KedaDecisionSpec, KedaReading } from './types.ts';

const second = 1000;
const decide = decideByKeda(() => null);

const specOf = (minReplicas: number, cooldownMs: number, stabilizationMs: number): KedaDecisionSpec => ({
  policy: 'keda',
  workload: 'local/default/w',
  minReplicas,
  maxReplicas: 8,
  idleReplicas: null,
  cooldownMs,
  initialCooldownMs: 0,
  pollingIntervalMs: 30 * second,
  triggers: [
    { name: 'queue', type: 'redis', metricType: 'AverageValue', target: 5, activationTarget: 0, resource: null },
  ],
  fallback: null,
  modifiers: null,
  pause: { paused: false, replicas: null, scaleIn: false, scaleOut: false },
  forceActivation: false,
  behavior: {
    scaleUp: {
      stabilizationMs: 0,
      selectPolicy: 'Max',
      policies: [{ type: 'Percent', value: 1_000_000, periodMs: 1000 }],
      tolerance: null,
    },
    scaleDown: {
      stabilizationMs,
      selectPolicy: 'Max',
      policies: [{ type: 'Percent', value: 100, periodMs: 15_000 }],
      tolerance: null,
    },
  },
  controller: { ...defaultHpaController, syncPeriodMs: second },
  improvements: { lastValueMaxAgeMs: 300 * second, stepwiseToZero: true, reactive: true },
});

interface News {
  atMs: number;
  reading: KedaReading;
}

/** Counts at each change, looking at each sync of the grid or only when the decision says so. */
function run(spec: KedaDecisionSpec, news: readonly News[], untilMs: number, eachSync: boolean) {
  let memory: Memory | null = null;
  let replicas = spec.minReplicas;
  let dueMs: number | null = null;
  let looks = 0;
  const changes: [number, number][] = [];
  const left = [...news];
  let reading: KedaReading = { value: 0 };
  for (;;) {
    const nextNewsMs = left[0]?.atMs ?? Number.POSITIVE_INFINITY;
    const nowMs = Math.min(nextNewsMs, dueMs ?? Number.POSITIVE_INFINITY);
    if (nowMs > untilMs) return { changes, looks };
    const isNews = nextNewsMs === nowMs;
    if (isNews) reading = left.shift()?.reading ?? reading;
    const result = decide(spec, memory, {
      ...testObservation(nowMs),
      keda: {
        specReplicas: replicas,
        statusReplicas: replicas,
        readyReplicas: replicas,
        createdAtMs: 0,
        readings: { queue: reading },
        fresh: isNews ? ['queue'] : [],
      },
    });
    looks++;
    // It is stored between two decisions.
    memory = JSON.parse(JSON.stringify(result.memory)) as Memory;
    if (result.decision.replicas !== replicas) changes.push([nowMs, result.decision.replicas]);
    replicas = result.decision.replicas;
    const hpa = memory.hpa;
    const syncMs = typeof hpa === 'object' && hpa !== null && !Array.isArray(hpa) ? Number(hpa.nextSyncMs) : null;
    const { revisitAtMs } = result.decision;
    dueMs =
      eachSync && revisitAtMs !== null && syncMs !== null
        ? Math.min(revisitAtMs, Math.max(nowMs + 1, syncMs))
        : revisitAtMs;
  }
}

const newsOf = fc
  .array(
    fc.record({
      gapMs: fc.integer({ min: 1, max: 60 * second }),
      reading: fc.oneof(
        { weight: 6, arbitrary: fc.record({ value: fc.integer({ min: 0, max: 45 }) }) },
        { weight: 1, arbitrary: fc.constant({ error: 'away' }) },
      ),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((steps) => {
    let atMs = 0;
    return steps.map(({ gapMs, reading }) => ({ atMs: (atMs += gapMs), reading }));
  });

it('changes the count at the same moments as if each sync were made', () => {
  fc.assert(
    fc.property(
      newsOf,
      fc.constantFrom(0, 1, 3),
      fc.constantFrom(1, 20 * second, 300 * second),
      fc.constantFrom(0, 10 * second, 60 * second),
      (news, minReplicas, cooldownMs, stabilizationMs) => {
        const spec = specOf(minReplicas, cooldownMs, stabilizationMs);
        const untilMs = 700 * second;
        const all = run(spec, news, untilMs, true);
        const few = run(spec, news, untilMs, false);
        expect(few.changes).toEqual(all.changes);
      },
    ),
    { numRuns: 30 },
  );
});

it('looks as seldom as Kubernetes where nothing changes, and remembers no more for it', () => {
  const spec = specOf(1, 300 * second, 60 * second);
  const news = [{ atMs: 0, reading: { value: 12 } }];
  const { changes, looks } = run(spec, news, 3600 * second, false);
  expect(changes).toEqual([[0, 3]]);
  expect(looks).toBeLessThan(3600 / (restLookMs / second) + 10);
  expect(run(spec, news, 3600 * second, true).looks).toBeGreaterThan(3500);
});
