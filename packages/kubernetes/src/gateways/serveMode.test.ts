import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decidePath, excessBurstCapacity, type PathFacts, type PathMemory } from './serveMode.ts';

const facts = (more: Partial<PathFacts> = {}): PathFacts => ({
  nowMs: 0,
  ready: 4,
  wanted: 4,
  concurrency: 10,
  observed: 0,
  gateways: 2,
  blind: null,
  isIdle: false,
  targetBurstCapacity: 10,
  steadyMs: 30_000,
  ...more,
});

/** Decides by one set of facts after another, each so long after the one before. */
function run(steps: readonly (Partial<PathFacts> & { afterMs?: number })[], before: PathMemory | null = null) {
  let memory = before;
  let nowMs = memory?.sinceMs ?? 0;
  return steps.map(({ afterMs = 0, ...more }) => {
    nowMs += afterMs;
    const decision = decidePath(memory, facts({ ...more, nowMs }));
    memory = decision.memory;
    return decision;
  });
}
const words = (steps: Parameters<typeof run>[0], before?: PathMemory) =>
  run(steps, before).map(({ mode, code }) => `${mode} ${code}`);

describe('excess burst capacity', () => {
  it("is Knative's: what is left of the capacity after what there is and a burst", () => {
    const of = (ready: number, targetBurstCapacity: number, observed: number) =>
      excessBurstCapacity({ ready, total: 10, targetBurstCapacity, observed });
    // ready, target, observed
    expect([of(4, 10, 25), of(4, 10, 30), of(4, 10, 30.5), of(4, 211, 0), of(0, 10, 0)]).toEqual([5, 0, -1, -171, -10]);
    // Whatever there is.
    expect([of(1, 0, 999), of(99, -1, 0)]).toEqual([0, -1]);
  });
});

describe('the path of requests', () => {
  it('leaves the gateways once there has been room for long enough', () => {
    expect(words([{}, { afterMs: 29_999 }, { afterMs: 1 }])).toEqual([
      'proxy Settling',
      'proxy Settling',
      'serve EnoughCapacity',
    ]);
    expect(run([{}])[0]?.revisitAtMs).toBe(30_000);
    // A moment without room, and it begins anew.
    const busy = { observed: 31, afterMs: 20_000 };
    expect(words([{}, busy, { afterMs: 29_999 }, { afterMs: 1 }])).toEqual([
      'proxy Settling',
      'proxy ShortOfCapacity',
      'proxy Settling',
      'serve EnoughCapacity',
    ]);
  });

  it('comes back at once: when a pod is lost, when there may be none soon, or when nobody else would see the load', () => {
    const out = [{}, { afterMs: 30_000 }];
    const last = (more: Partial<PathFacts>) => words([...out, { afterMs: 1, ...more }]).at(-1);
    expect(last({ ready: 0 })).toBe('proxy NoReplica');
    expect(last({ isIdle: true })).toBe('proxy MayGoToZero');
    expect(last({ blind: { code: 'DecidedByGateways', message: 'x' } })).toBe('proxy DecidedByGateways');
    expect(last({ targetBurstCapacity: -1 })).toBe('proxy AlwaysProxy');
    expect(last({ targetBurstCapacity: 41 })).toBe('proxy ShortOfCapacity');
    expect(last({})).toBe('serve EnoughCapacity');
  });

  it('takes what was seen for each replica for each one that is wanted, where nobody counts', () => {
    // 20 requests over 4 wanted replicas: 5 each.
    const seen = run([{ observed: 20 }, { observed: 8, afterMs: 30_000 }]);
    expect(seen[1]).toMatchObject({ mode: 'serve', memory: { loadPerReplica: 5 } });
    const memory = seen[1]?.memory;
    // 4 × 10 − 10 − wanted × 5
    expect(words([{ wanted: 6 }, { wanted: 7 }], memory)).toEqual(['serve EnoughCapacity', 'proxy ShortOfCapacity']);
    expect(words([{ wanted: 7, ready: 7 }], memory)).toEqual(['serve EnoughCapacity']);
  });

  it("takes one replica for the burst where nobody says, and Knative's 100 requests for a replica", () => {
    const settled = (more: Partial<PathFacts>) => words([more, { ...more, afterMs: 30_000 }]).at(-1);
    const unsaid = { targetBurstCapacity: null, concurrency: 0 };
    expect(settled({ ...unsaid, ready: 2, observed: 100 })).toBe('serve EnoughCapacity');
    expect(settled({ ...unsaid, ready: 2, observed: 101 })).toBe('proxy ShortOfCapacity');
    expect(settled({ ...unsaid, ready: 1, observed: 1 })).toBe('proxy ShortOfCapacity');
    // A target of 0 is as Knative has it: only where there is no replica.
    expect(settled({ targetBurstCapacity: 0, ready: 1, observed: 500 })).toBe('serve EnoughCapacity');
  });

  it('is to the pods where no gateway is ready, unless their counts decide', () => {
    expect(words([{ gateways: 0, observed: 999 }])).toEqual(['serve NoGateway']);
    expect(words([{ gateways: 0, isIdle: true }])).toEqual(['serve NoGateway']);
    expect(words([{ gateways: 0, ready: 0 }])).toEqual(['proxy NoReplica']);
    expect(words([{ gateways: 0, blind: { code: 'DecidedByGateways', message: 'x' } }])).toEqual([
      'proxy DecidedByGateways',
    ]);
  });
});

describe('whatever happens', () => {
  const steps = fc.array(
    fc.record({
      afterMs: fc.nat(20_000),
      ready: fc.nat(6),
      wanted: fc.nat(6),
      concurrency: fc.nat(20),
      observed: fc.nat(100),
      gateways: fc.integer({ min: 1, max: 3 }),
      isIdle: fc.boolean(),
      blind: fc.constantFrom(null, null, { code: 'DecidedByGateways', message: '' }),
      targetBurstCapacity: fc.constantFrom(null, -1, 0, 5, 211),
    }),
    { minLength: 1, maxLength: 40 },
  );

  it('a request never meets a Service without a pod, and nobody decides blindly', () => {
    fc.assert(
      fc.property(steps, (all) => {
        for (const [index, { mode }] of run(all).entries()) {
          const at = all[index];
          if (mode === 'serve')
            expect([at?.ready !== 0, at?.blind, at?.isIdle, at?.targetBurstCapacity === -1]).toEqual([
              true,
              null,
              false,
              false,
            ]);
        }
      }),
    );
  });

  it('it never flaps: the gateways are in the path for the whole time, once they are', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const seen = run(all);
        let sinceMs = 0;
        let nowMs = 0;
        let before = 'proxy';
        for (const [index, { mode }] of seen.entries()) {
          nowMs += all[index]?.afterMs ?? 0;
          if (mode === 'serve' && before === 'proxy') expect(nowMs - sinceMs).toBeGreaterThanOrEqual(30_000);
          if (mode === 'proxy' && before === 'serve') sinceMs = nowMs;
          before = mode;
        }
      }),
    );
  });

  it('more ready pods never bring the gateways back', () => {
    fc.assert(
      fc.property(steps, fc.nat(5), (all, more) => {
        const memory = run(all).at(-1)?.memory ?? null;
        const last = { ...facts({ ...all.at(-1), nowMs: 1e9 }), ready: 1 + (all.at(-1)?.ready ?? 0) };
        if (decidePath(memory, last).mode === 'serve')
          expect(decidePath(memory, { ...last, ready: last.ready + more }).mode).toBe('serve');
      }),
    );
  });

  it('what is kept is JSON, and the same facts give the same answer', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const memory = run(all).at(-1)?.memory;
        expect(JSON.parse(JSON.stringify(memory))).toEqual(memory);
        expect(run(all)).toEqual(run(all));
      }),
    );
  });
});
