import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noLimits, pool } from '../placement/placement.fixture.ts';
import { applyMove } from './assignment.ts';
import { consolidate } from './consolidate.ts';
import { asking, checkMove, nowMs, rules, running, standing, types } from './consolidation.fixture.ts';
import type { ConsolidationInput, ConsolidationPool } from './types.ts';

const options = { solver: null, workUnits: 10_000 };
const answer = (input: ConsolidationInput) => {
  const made = consolidate(input, options);
  let state = input;
  for (const move of made.moves) {
    expect(checkMove(state, move)).toEqual([]);
    state = applyMove(state, move);
  }
  return made;
};
const removed = (input: ConsolidationInput) => answer(input).moves.flatMap(({ remove }) => remove);
const empties = (count: number) => Array.from({ length: count }, (_, i) => standing(`n${i}`, 'small', []));
const halves = [standing('n1', 'medium', [running('a', 1)]), standing('n2', 'medium', [running('b', 2)])];

describe('empty nodes', () => {
  it.each<[string, Partial<ConsolidationPool>, number]>([
    ['all go: a pool may be at zero', {}, 4],
    ['all go with WhenEmpty', { policy: 'WhenEmpty' }, 4],
    ['none goes with Never', { policy: 'Never' }, 0],
    ['some stay as the fewest nodes', { minNodes: 3 }, 1],
    ['some stay as warm spares', { warmSpares: 1 }, 3],
    ['a count is a budget', { budgets: [{ nodes: { kind: 'count', count: 2 }, reasons: [], isActive: true }] }, 2],
    [
      'a share is rounded up',
      { budgets: [{ nodes: { kind: 'share', share: 0.3 }, reasons: ['Empty'], isActive: true }] },
      2,
    ],
    [
      'budgets of other reasons do not count',
      { budgets: [{ nodes: { kind: 'count', count: 0 }, reasons: ['Drifted'], isActive: true }] },
      4,
    ],
    [
      'budgets out of their time do not count',
      { budgets: [{ nodes: { kind: 'count', count: 0 }, reasons: [], isActive: false }] },
      4,
    ],
    ['none goes soon after one came', { delayAfterScaleUpMs: nowMs + 1 }, 0],
    ['none goes before it was quiet for long enough', { delayMs: nowMs + 1 }, 0],
  ])('%s', (_name, change, count) => {
    expect(removed(asking(empties(4), rules(['small'], change)))).toHaveLength(count);
  });

  it('stay where they are marked, and budgets count those on their way out', () => {
    const [first, second, third] = [
      standing('n1', 'small', [], { doNotDisrupt: true }),
      standing('n2', 'small', [], { isGoing: true }),
      standing('n3', 'small', []),
    ];
    const budgets = [{ nodes: { kind: 'count' as const, count: 1 }, reasons: [], isActive: true }];
    const { moves, kept } = answer(asking([first, second, third], rules(['small'], { budgets })));
    expect(moves).toEqual([]);
    expect(kept).toEqual([
      { node: 'n1', reason: 'do-not-disrupt' },
      { node: 'n2', reason: 'going' },
      { node: 'n3', reason: 'budget' },
    ]);
  });
});

describe('underutilized nodes', () => {
  it('are emptied onto the others', () => {
    const { moves, costBeforeMicro, costAfterMicro, gap } = answer(asking(halves, rules(['medium'])));
    expect(moves).toMatchObject([
      {
        ...{ remove: ['n1'], buy: [], savingPerHourMicro: 200_000, costMicro: 0 },
        reason: { kind: 'underutilized', gainShare: 1 },
        relocate: [{ from: 'n1', to: 'n2', place: { id: 'a' }, waitsForWork: false }],
      },
    ]);
    expect([costBeforeMicro, costAfterMicro]).toEqual([400_000, 200_000]);
    expect(gap).toBeGreaterThanOrEqual(0);
  });

  it('are replaced by several smaller ones: one becomes two', () => {
    const gpuPod = (id: string, index: number) =>
      running(
        id,
        2,
        { place: { id, gpus: [index], instances: [] } },
        {
          gpu: { kind: 'whole', count: 1, vendor: null, minMemoryBytes: 0 },
        },
      );
    const { moves } = answer(
      asking([standing('n1', 'gpu4', [gpuPod('a', 0), gpuPod('b', 3)])], rules(['gpu', 'gpu4'])),
    );
    expect(moves).toMatchObject([
      { remove: ['n1'], buy: [{ offering: 'a/gpu/on-demand' }, {}], savingPerHourMicro: 3_000_000 },
    ]);
  });

  it('go together where one alone saves nothing: two become one of another type', () => {
    const wide = { type: types.medium.type, price: 0.2 };
    const nodes = ['n1', 'n2'].map((name) =>
      standing(name, 'large', [running(`${name}-a`, 3), running(`${name}-b`, 3)], {
        offering: { ...standing('', 'large', []).offering, pricePerHourMicro: 290_000 },
      }),
    );
    const own = rules([]);
    const big = {
      ...wide,
      type: { ...types.large.type, name: 'big', cpuMilli: 12_000, memoryBytes: 48 * 2 ** 30 },
      price: 0.4,
    };
    const offered = rules(['large']).pool.offerings.map((entry) => ({
      ...entry,
      offering: { ...entry.offering, id: 'big', instanceType: big.type, pricePerHourMicro: 400_000 },
    }));
    const { moves } = answer(asking(nodes, { ...own, pool: { ...own.pool, offerings: offered } }));
    expect(moves).toMatchObject([{ remove: ['n1', 'n2'], buy: [{ offering: 'big' }], savingPerHourMicro: 180_000 }]);
  });

  it('never go for one of the same type, however much cheaper it has become', () => {
    const dear = { ...standing('', 'medium', []).offering, pricePerHourMicro: 900_000 };
    expect(
      removed(asking([standing('n1', 'medium', [running('a', 3)], { offering: dear })], rules(['medium']))),
    ).toEqual([]);
  });

  it.each<[string, Partial<ConsolidationInput['gain']>, number]>([
    ['the saving pays for the move in time', { paybackMs: 1_800_000 }, 1],
    ['it does not', { paybackMs: 60_000 }, 0],
    ['a share that is reached', { minShare: 1 }, 1],
    ['an amount that is missed', { minPerHourMicro: 200_001 }, 0],
  ])('gain: %s', (_name, gain, count) => {
    // Ten minutes of a quarter of a node at 0.20 an hour: 8,333 micro-units, paid back in 150 s.
    const nodes = [
      standing('n1', 'medium', [running('a', 1, { loadMs: 600_000 })]),
      standing('n2', 'medium', [running('b', 2)], { doNotDisrupt: true }),
    ];
    const input = asking(nodes, rules(['medium']));
    const { moves, kept } = answer({ ...input, gain: { ...input.gain, ...gain } });
    expect(moves).toHaveLength(count);
    if (count === 1) expect(moves).toMatchObject([{ costMicro: 8333, paybackMs: 149_994 }]);
    else expect(kept).toContainEqual({ node: 'n1', reason: 'gain' });
  });

  it('stay with WhenEmpty, above the utilization, with pods that must not be disturbed', () => {
    expect(removed(asking(halves, rules(['medium'], { policy: 'WhenEmpty' })))).toEqual([]);
    expect(removed(asking(halves, rules(['medium'], { utilizationBelow: 0.2 })))).toEqual([]);
    const marked = [
      standing('n1', 'medium', [running('a', 1, { doNotDisrupt: true })]),
      standing('n2', 'medium', [running('b', 2)], { doNotDisrupt: true }),
    ];
    expect(removed(asking(marked, rules(['medium'])))).toEqual([]);
  });

  it('with work in flight go after those without, and their busy pods last', () => {
    const busy = (id: string, inFlight: number) => running(id, 1, { inFlight });
    const nodes = [
      standing('n1', 'medium', [busy('a', 2), busy('b', 0)]),
      standing('n2', 'medium', [running('c', 3)]),
      standing('n3', 'large', [busy('d', 9)], { doNotDisrupt: true }),
    ];
    const { moves } = answer(asking(nodes, rules(['medium'])));
    expect(moves.map(({ remove }) => remove)).toEqual([['n2'], ['n1']]);
    expect(moves[1]?.relocate.map(({ place, waitsForWork }) => [place.id, waitsForWork])).toEqual([
      ['b', false],
      ['a', true],
    ]);
  });

  it('go to spot when that saves more than its interruptions cost', () => {
    const spot = (interruptionPriceMicro: number) => {
      const own = rules([]);
      const cheap = { ...types.medium, price: 0.08, capacityType: 'spot' as const };
      const asked = { interruptible: true, interruptionPriceMicro };
      const nodes = [standing('n1', 'medium', [running('a', 3, {}, asked)])];
      return answer(asking(nodes, { ...own, pool: pool('p', [cheap]) })).moves;
    };
    // 0.20 on demand against 0.08 and 0.05 interruptions an hour.
    expect(spot(1_000_000)).toMatchObject([{ remove: ['n1'], savingPerHourMicro: 70_000 }]);
    expect(spot(3_000_000)).toEqual([]);
  });

  it('leave warm spares empty', () => {
    const nodes = [standing('n1', 'small', [running('a', 1)]), standing('n2', 'medium', [])];
    expect(removed(asking(nodes, rules(['medium'], { warmSpares: 1 })))).toEqual([]);
  });
});

describe('nodes that are taken away', () => {
  it('go first and without a gain, onto spares before new nodes, whatever budgets say', () => {
    const nodes = [
      standing('n1', 'small', []),
      standing('n2', 'small', [running('a', 2, { doNotDisrupt: true })], { notice: 'interruption' }),
      standing('n3', 'small', [running('b', 2)], { notice: 'interruption' }),
    ];
    const budgets = [{ nodes: { kind: 'count' as const, count: 0 }, reasons: [], isActive: true }];
    const { moves } = answer(asking(nodes, rules(['small'], { budgets, warmSpares: 1 })));
    expect(moves).toMatchObject([
      { reason: { kind: 'interruption' }, remove: ['n2', 'n3'], savingPerHourMicro: 100_000 },
    ]);
    expect(moves[0]?.buy).toHaveLength(1);
    expect(moves[0]?.relocate.map(({ to }) => to).toSorted()).toEqual(['n1', 'p/new-1']);
  });

  it('strand what has no place; a mere advice leaves such a node', () => {
    const node = (notice: 'interruption' | 'rebalance') => standing('n1', 'small', [running('a', 2)], { notice });
    expect(answer(asking([node('interruption')], rules([]))).moves).toMatchObject([
      { remove: ['n1'], stranded: ['a'] },
    ]);
    expect(answer(asking([node('rebalance')], rules([])))).toMatchObject({
      moves: [],
      kept: [{ node: 'n1', reason: 'no-place' }],
    });
  });
});

describe('outdated nodes', () => {
  const drifted = [standing('n1', 'small', [running('a', 2)], { outdated: 'drift' })];

  it('are replaced by new ones that are ready first', () => {
    const { moves } = answer(asking(drifted, rules(['small'], { policy: 'Never' })));
    expect(moves).toMatchObject([
      { reason: { kind: 'drift' }, order: 'ready-first', buy: [{ name: 'p/new-1' }], savingPerHourMicro: 0 },
    ]);
  });

  it('are drained first where a limit or the pool leaves no room for both', () => {
    const full = rules(['small']);
    const limited = { ...full, pool: { ...full.pool, limits: { ...noLimits, nodes: 1 } } };
    for (const own of [limited, rules(['small'], { isSurgeAllowed: false })]) {
      expect(answer(asking(drifted, own)).moves).toMatchObject([{ remove: ['n1'], order: 'drain-first' }]);
    }
  });
});

describe('a cluster of a few nodes', () => {
  const prices = { small: 100_000, medium: 170_000, large: 300_000 } as const;
  const cores = { small: 2, medium: 4, large: 8 } as const;
  type Name = keyof typeof prices;
  const names: Name[] = ['small', 'medium', 'large'];
  const typeOf = (id: string) => names.find((name) => id.includes(name)) ?? 'small';

  /** Least price of new nodes for pods that find no room in what is left of the others: every assignment is tried. */
  function leastPrice(pods: readonly number[], room: readonly number[], offered: readonly Name[]): number {
    const [first, ...rest] = pods;
    if (first === undefined) return 0;
    let least = Number.POSITIVE_INFINITY;
    const tried = new Set<number>();
    for (const [i, free] of room.entries()) {
      if (free < first || tried.has(free)) continue;
      tried.add(free);
      least = Math.min(least, leastPrice(rest, room.with(i, free - first), offered));
    }
    for (const name of offered) {
      if (cores[name] < first) continue;
      least = Math.min(least, prices[name] + leastPrice(rest, [...room, cores[name] - first], offered));
    }
    return least;
  }

  it('has no group of nodes left that an exhaustive search would take away', () => {
    const anyNode = fc.record({
      typeName: fc.constantFrom(...names),
      sizes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(anyNode, { minLength: 1, maxLength: 4 }), (drawn) => {
        const nodes = drawn.map(({ typeName, sizes }, n) => {
          let left = cores[typeName];
          const on = sizes.filter((size) => size <= left && (left -= size) >= 0);
          const pods = on.map((size, i) => running(`${n}-${i}`, size));
          const offering = { ...standing('', typeName, []).offering, pricePerHourMicro: prices[typeName] };
          return standing(`n${n}`, typeName, pods, { offering });
        });
        const own = rules(names, { delayMs: 0 });
        const offerings = own.pool.offerings.map((entry) => ({
          ...entry,
          offering: { ...entry.offering, pricePerHourMicro: prices[typeOf(entry.offering.id)] },
        }));
        let state = asking(nodes, { ...own, pool: { ...own.pool, offerings } });
        for (let moved = true; moved; ) {
          const { moves, costAfterMicro, lowerBoundMicro } = consolidate(state, options);
          state = moves.reduce(applyMove, state);
          const all = state.nodes.flatMap(({ pods }) => pods.map(({ pod }) => pod.cpuMilli / 1000));
          const best = leastPrice(all.toSorted((a, b) => b - a).slice(0, 7), [], names);
          if (all.length <= 7) expect(lowerBoundMicro).toBeLessThanOrEqual(best);
          expect(lowerBoundMicro).toBeLessThanOrEqual(costAfterMicro);
          state = { ...state, nowMs: state.nowMs + 1, nodes: state.nodes.filter(({ isGoing }) => !isGoing) };
          moved = moves.length > 0;
        }
        for (let mask = 1; mask < 2 ** state.nodes.length; mask++) {
          const gone = state.nodes.filter((_node, k) => (mask & (1 << k)) !== 0);
          const price = gone.reduce((sum, { offering }) => sum + offering.pricePerHourMicro, 0);
          const stays = state.nodes.filter((node) => !gone.includes(node) && node.pods.length > 0);
          const room = stays.map(
            ({ empty, pods }) => (empty.free.cpuMilli - pods.reduce((sum, { pod }) => sum + pod.cpuMilli, 0)) / 1000,
          );
          const moved = gone
            .flatMap(({ pods }) => pods.map(({ pod }) => pod.cpuMilli / 1000))
            .toSorted((a, b) => b - a);
          const offered = names.filter(
            (name) => prices[name] < price && !gone.some(({ offering }) => typeOf(offering.id) === name),
          );
          expect(price - leastPrice(moved, room, offered)).toBeLessThanOrEqual(0);
        }
      }),
      { numRuns: 40 },
    );
  });
});
