import type { ResourceAmounts, SizingRecommendation } from '@ebb/core';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { SizingRules } from './fit.ts';
import { withChange } from './fit.ts';
import { type PlannedPod, planResizes, planTemplate } from './plan.ts';
import { qosOf, type SizableContainer, type SizablePod } from './sizedPod.ts';

const mib = 1024 * 1024;
const nowMs = 1_800_000_000_000;
const rules: SizingRules = {
  controlledValues: 'RequestsAndLimits',
  maxAllowed: {},
  resources: ['cpu', 'memory'],
  share: 0.25,
};

function container(requests: ResourceAmounts, limits: ResourceAmounts = {}, name = 'main'): SizableContainer {
  return { name, requests, limits, restartsFor: [], lastOom: null };
}

function pod(name: string, containers: SizableContainer[], more: Partial<SizablePod> = {}): SizablePod {
  return {
    ...{ namespace: 'shop', name, uid: name, group: 'set', isRunning: true, startedAtMs: nowMs - 3_600_000 },
    ...{ isPodLevel: false, containers, others: [], resize: null },
    ...more,
  };
}

function planned(one: SizablePod, more: Partial<PlannedPod> = {}): PlannedPod {
  return { pod: one, used: () => ({}), refused: null, patchedAtMs: null, ...more };
}

/** Bounds a fifth around the target. */
function recommended(target: ResourceAmounts, name = 'main'): SizingRecommendation {
  const by = (factor: number) =>
    Object.fromEntries(Object.entries(target).map(([key, value]) => [key, Math.round(value * factor)]));
  const one = { name, target, lowerBound: by(0.8), upperBound: by(1.2), uncappedTarget: target };
  return { containers: [one] };
}

const target = recommended({ cpuMilli: 400, memoryBytes: 200 * mib });
const small = { cpuMilli: 100, memoryBytes: 64 * mib };
const changesOf = (one: PlannedPod, of = target, by = rules) =>
  planResizes(by, of, [one], nowMs).patches[0]?.changes[0];
const heldCode = (one: PlannedPod, of = target, by = rules) => planResizes(by, of, [one], nowMs).held[0]?.code;

describe('a resize in place', () => {
  it('gives what is recommended, and leaves limits that are high enough', () => {
    const own = pod('a', [container(small, { cpuMilli: 1000, memoryBytes: 1024 * mib })]);
    expect(changesOf(planned(own))).toEqual({
      name: 'main',
      requests: { cpuMilli: 400, memoryBytes: 200 * mib },
      limits: {},
    });
  });

  it('raises a limit that the request would be above, in proportion', () => {
    const own = pod('a', [container(small, { memoryBytes: 128 * mib })]);
    expect(changesOf(planned(own))?.limits).toEqual({ memoryBytes: 400 * mib });
    const only: SizingRules = { ...rules, controlledValues: 'RequestsOnly' };
    expect(changesOf(planned(own), target, only)).toMatchObject({
      requests: { memoryBytes: 128 * mib },
      limits: {},
    });
  });

  it('never lowers a request below what is used now', () => {
    const own = pod('a', [container({ cpuMilli: 2000, memoryBytes: 1024 * mib })]);
    const used = () => ({ cpuMilli: 700, memoryBytes: 600 * mib });
    expect(changesOf(planned(own, { used }))?.requests).toEqual({ cpuMilli: 700, memoryBytes: 600 * mib });
    expect(changesOf(planned(own, { used: () => null }))).toBeUndefined();
  });

  it('keeps a pod Guaranteed, and its memory limit where that would shrink', () => {
    const large = { cpuMilli: 1000, memoryBytes: 1024 * mib };
    expect(changesOf(planned(pod('a', [container(large, large)])))).toEqual({
      name: 'main',
      requests: { cpuMilli: 400 },
      limits: { cpuMilli: 400 },
    });
    expect(changesOf(planned(pod('a', [container(small, small)])))).toEqual({
      name: 'main',
      requests: { cpuMilli: 400, memoryBytes: 200 * mib },
      limits: { cpuMilli: 400, memoryBytes: 200 * mib },
    });
  });

  it.each<[string, PlannedPod]>([
    ['not-running', planned(pod('a', [container(small)], { isRunning: false }))],
    ['resizing', planned(pod('a', [container(small)], { resize: { status: 'resizing', message: '' } }))],
    ['deferred', planned(pod('a', [container(small)], { resize: { status: 'deferred', message: '' } }))],
    ['infeasible', planned(pod('a', [container(small)], { resize: { status: 'infeasible', message: '' } }))],
    ['refused', planned(pod('a', [container(small)]), { refused: target })],
    ['recently', planned(pod('a', [container(small)]), { patchedAtMs: nowMs - 60_000 })],
    ['best-effort', planned(pod('a', [container({})]))],
    ['pod-level', planned(pod('a', [container(small)], { isPodLevel: true }))],
    ['restarts', planned(pod('a', [{ ...container(small), restartsFor: ['cpu', 'memory'] }]))],
    ['fits', planned(pod('a', [container({ cpuMilli: 400, memoryBytes: 200 * mib })]))],
  ])('leaves a pod alone: %s', (code, one) => {
    expect(heldCode(one)).toBe(code);
    expect(changesOf(one)).toBeUndefined();
  });

  it('asks a node that refused for less, and not for the same', () => {
    const own = pod('a', [container({ cpuMilli: 4000, memoryBytes: 200 * mib })], {
      resize: { status: 'infeasible', message: '' },
    });
    const refused = recommended({ cpuMilli: 4000, memoryBytes: 200 * mib });
    expect(heldCode(planned(own, { refused }), refused)).toBe('infeasible');
    expect(changesOf(planned(own, { refused }))?.requests).toEqual({ cpuMilli: 400 });
  });

  it('changes a quarter of the pods at once, and one at least', () => {
    const many = (count: number, resizing = 0) =>
      Array.from({ length: count }, (_, index) => {
        const resize = index < resizing ? { status: 'resizing' as const, message: '' } : null;
        return planned(pod(`p${index}`, [container(small)], { resize }));
      });
    const count = (pods: PlannedPod[]) => planResizes(rules, target, pods, nowMs).patches.length;
    expect([count(many(1)), count(many(8)), count(many(8, 1)), count(many(8, 2)), count(many(40))]).toEqual([
      ...[1, 2, 1, 0, 10],
    ]);
  });
});

describe('a template', () => {
  const containers = [container(small)];
  it.each([
    ['at zero replicas', 0, false, true],
    ['whose roll-out is due and stands still', 3, true, true],
    ['with replicas', 3, false, false],
  ])('%s', (_name, replicas, isFree, isChanged) => {
    const found = planTemplate(rules, target, { containers, replicas, isFree });
    expect('changes' in found).toBe(isChanged);
  });

  it('stays where it is close enough', () => {
    const near = [container({ cpuMilli: 390, memoryBytes: 195 * mib })];
    expect(planTemplate(rules, target, { containers: near, replicas: 0, isFree: false })).toEqual({ held: 'fits' });
    expect(planTemplate(rules, target, { containers: null, replicas: 0, isFree: false })).toEqual({
      held: 'no-template',
    });
  });
});

const amount = fc.integer({ min: 1, max: 5000 });
const amounts = fc.record({ cpuMilli: amount, memoryBytes: amount.map((mebibytes) => mebibytes * mib) });
const maybe = fc.option(amounts, { nil: null });
const pods = fc.array(
  fc.record({
    requests: amounts,
    head: fc.option(fc.record({ cpu: fc.nat(4), memory: fc.nat(4) }), { nil: null }),
    used: maybe,
    restarts: fc.subarray<'cpu' | 'memory'>(['cpu', 'memory']),
  }),
  { minLength: 1, maxLength: 12 },
);

test('whatever is recommended, a change keeps what was promised', () => {
  fc.assert(
    fc.property(
      pods,
      amounts,
      maybe,
      fc.constantFrom('RequestsAndLimits' as const, 'RequestsOnly' as const),
      fc.subarray<'cpu' | 'memory'>(['cpu', 'memory']),
      (drawn, wanted, most, controlledValues, resources) => {
        const maxAllowed = most ?? {};
        const by: SizingRules = { ...rules, controlledValues, maxAllowed, resources };
        const capped = {
          cpuMilli: Math.min(wanted.cpuMilli, most?.cpuMilli ?? Number.POSITIVE_INFINITY),
          memoryBytes: Math.min(wanted.memoryBytes, most?.memoryBytes ?? Number.POSITIVE_INFINITY),
        };
        const all = drawn.map(({ requests, head, used, restarts }, index) => {
          const limits = head
            ? {
                cpuMilli: requests.cpuMilli * (1 + head.cpu),
                memoryBytes: requests.memoryBytes * (1 + head.memory),
              }
            : {};
          const one = pod(`p${index}`, [{ ...container(requests, limits), restartsFor: restarts }]);
          return planned(one, { used: () => used });
        });
        const { patches, held } = planResizes(by, recommended(capped), all, nowMs);
        // Each pod has one answer, and no more than the share are changed.
        expect(patches.length + held.length).toBe(all.length);
        expect(patches.length).toBeLessThanOrEqual(Math.max(1, Math.floor(all.length / 4)));
        for (const { pod: changed, changes } of patches) {
          const used = all.find((one) => one.pod === changed)?.used('main') ?? null;
          const [before] = changed.containers;
          if (!before) throw new Error('no container');
          const after = withChange(before, changes);
          expect(qosOf([after])).toBe(qosOf([before]));
          for (const key of ['cpuMilli', 'memoryBytes'] as const) {
            const [was, is] = [before.requests[key] ?? 0, after.requests[key] ?? 0];
            // A thousandth of a core, or a byte, keeps a pod from becoming Guaranteed.
            if (is < was) expect(is).toBeGreaterThanOrEqual((used ? Math.min(was, used[key] ?? 0) : was) - 1);
            if (is > was) expect(is).toBeLessThanOrEqual(most?.[key] ?? Number.POSITIVE_INFINITY);
            const isGuaranteedCpu = key === 'cpuMilli' && qosOf([before]) === 'Guaranteed';
            const [limitWas, limitIs] = [before.limits[key], after.limits[key]];
            expect(limitIs === undefined).toBe(limitWas === undefined);
            if (!isGuaranteedCpu) expect(limitIs ?? 0).toBeGreaterThanOrEqual(limitWas ?? 0);
            if (limitIs !== undefined) expect(is).toBeLessThanOrEqual(limitIs);
            const resource = key === 'cpuMilli' ? 'cpu' : 'memory';
            const isFixed = !resources.includes(resource) || before.restartsFor.includes(resource);
            if (isFixed) expect([is, limitIs]).toEqual([was, limitWas]);
            if (controlledValues === 'RequestsOnly') expect(limitIs).toBe(limitWas);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});
