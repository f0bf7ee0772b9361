import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MigCard, migCardOf, migCards, migGpuMilli } from './migCards.ts';
import {
  countProfiles,
  fitsCard,
  layoutProblem,
  maximalLayouts,
  migColumns,
  type MigInstance,
  placeProfiles,
  plainProfiles,
} from './migLayout.ts';
import { type CurrentInstance, cheapestRelayout } from './migRelayout.ts';

const card = (name: string): MigCard => {
  const found = migCards.find((one) => one.name === name);
  if (!found) throw new Error(`no card ${name}`);
  return found;
};
const a100 = card('A100-40GB');
const sevenSliced = migCards.filter((one) => one.computeSlices === 7).map((one) => one.name);

describe('layouts of a card', () => {
  it.each(sevenSliced)(
    '%s: 19 with the five classic kinds (14 multisets), 78 with the double-memory 1g (38)',
    (name) => {
      const classic = plainProfiles(card(name)).filter((profile) => !profile.isDoubleMemory);
      expect(maximalLayouts(card(name), classic)).toHaveLength(19);
      expect(migColumns(card(name), classic)).toHaveLength(14);
      expect(maximalLayouts(card(name))).toHaveLength(78);
      expect(migColumns(card(name))).toHaveLength(38);
    },
  );

  it('A30: five', () => {
    expect(maximalLayouts(card('A30-24GB'))).toHaveLength(5);
  });

  it('3g beside 3g takes all memory and leaves a compute slice that nothing can use', () => {
    const both = [
      { profile: '3g.20gb', start: 0 },
      { profile: '3g.20gb', start: 4 },
    ];
    expect(layoutProblem(a100, both)).toBeNull();
    expect(fitsCard(a100, { '3g.20gb': 2, '1g.5gb': 1 })).toBe(false);
    expect(fitsCard(a100, { '4g.20gb': 1, '3g.20gb': 1 })).toBe(true);
    expect(fitsCard(a100, { '3g.20gb': 1, '1g.5gb': 4 })).toBe(true);
  });

  it.each([
    [{ '1g.5gb': 7 }, true],
    [{ '1g.5gb': 8 }, false],
    [{ '1g.5gb': 6, '1g.5gb+me': 1 }, true],
    [{ '1g.5gb+me': 2 }, false],
    [{ '2g.10gb': 3, '1g.5gb': 1 }, true],
    [{ '2g.10gb': 3, '1g.5gb': 2 }, false],
    [{ '1g.10gb': 4, '1g.5gb': 1 }, false],
    [{ '7g.40gb': 1, '1g.5gb': 1 }, false],
    [{ '1g.6gb': 1 }, false],
    [{ '1g.6gb': 0 }, true],
  ])('%j fits an A100-40GB: %s', (counts, fits) => {
    expect(fitsCard(a100, counts)).toBe(fits);
  });

  it('A30: +me of either size only once', () => {
    expect(fitsCard(card('A30-24GB'), { '1g.6gb+me': 1, '2g.12gb+me': 1 })).toBe(false);
    expect(fitsCard(card('A30-24GB'), { '1g.6gb': 2, '2g.12gb+me': 1 })).toBe(true);
  });

  it.each([
    [[{ profile: '2g.10gb', start: 1 }], '2g.10gb cannot begin at memory slice 1; it may at 0, 2, 4'],
    [
      [{ profile: '1g.6gb', start: 0 }],
      'no profile "1g.6gb" on A100-40GB; it has 1g.5gb, 1g.5gb+me, 1g.10gb, 2g.10gb, 3g.20gb, 4g.20gb, 7g.40gb',
    ],
    [
      [
        { profile: '4g.20gb', start: 0 },
        { profile: '1g.5gb', start: 3 },
      ],
      '1g.5gb at memory slice 3 lies on another instance',
    ],
  ])('says what is wrong with %j', (instances, problem) => {
    expect(layoutProblem(a100, instances)).toBe(problem);
  });

  it('a multiset fits exactly when it is part of a maximal layout', () => {
    const names = plainProfiles(a100).map((profile) => profile.name);
    const columns = migColumns(a100);
    const anyCounts = fc.dictionary(fc.constantFrom(...names), fc.nat(7), { maxKeys: 6 });
    fc.assert(
      fc.property(anyCounts, (counts) => {
        const isPart = columns.some((column) =>
          Object.entries(counts).every(([name, count]) => count <= (column.counts[name] ?? 0)),
        );
        expect(fitsCard(a100, counts)).toBe(isPart);
        const placed = placeProfiles(a100, [], counts);
        if (placed) expect(layoutProblem(a100, placed)).toBeNull();
      }),
      { numRuns: 500 },
    );
  });
});

/** Layouts of a card with some of their instances left out and some in use. */
const anyCurrent: fc.Arbitrary<CurrentInstance[]> = fc
  .constantFrom(...maximalLayouts(a100))
  .chain((layout) => fc.subarray(layout))
  .chain((layout) =>
    fc
      .array(fc.boolean(), { minLength: layout.length, maxLength: layout.length })
      .map((used) => layout.map((one, index) => ({ ...one, inUse: used[index] ?? false }))),
  );
const anyWanted = fc.dictionary(fc.constantFrom(...plainProfiles(a100).map(({ name }) => name)), fc.nat(3), {
  maxKeys: 3,
});
const text = ({ profile, start }: MigInstance) => `${profile}@${start}`;

describe('the cheapest re-layout', () => {
  it('changes nothing where idle instances serve', () => {
    const current = [
      { profile: '3g.20gb', start: 0, inUse: true },
      { profile: '2g.10gb', start: 4, inUse: false },
    ];
    expect(cheapestRelayout(a100, current, { '2g.10gb': 1 })).toEqual({
      destroy: [],
      create: [],
      serve: [{ profile: '2g.10gb', start: 4 }],
    });
  });

  it('destroys idle ones only, and no more than it must', () => {
    const current = [
      { profile: '1g.5gb', start: 0, inUse: true },
      { profile: '1g.5gb', start: 1, inUse: false },
      { profile: '1g.5gb', start: 4, inUse: false },
      { profile: '1g.5gb', start: 6, inUse: false },
    ];
    const relayout = cheapestRelayout(a100, current, { '3g.20gb': 1 });
    expect(relayout?.create).toEqual([{ profile: '3g.20gb', start: 4 }]);
    expect(relayout?.destroy.map(text)).toEqual(['1g.5gb@4', '1g.5gb@6']);
    expect(cheapestRelayout(a100, current, { '4g.20gb': 1 })).toBeNull();
  });

  it('is legal, never moves what is in use, and is as cheap as any target layout', () => {
    const everything = subsets(maximalLayouts(a100));
    fc.assert(
      fc.property(anyCurrent, anyWanted, (current, wanted) => {
        const used = current.filter((one) => one.inUse);
        const idle = current.filter((one) => !one.inUse);
        const relayout = cheapestRelayout(a100, current, wanted);
        let cheapest = Number.POSITIVE_INFINITY;
        const isThere = new Set(current.map(text));
        const isUsed = new Set(used.map(text));
        for (const target of everything) {
          const names = new Set(target.map(text));
          if (![...isUsed].every((one) => names.has(one))) continue;
          const free = countProfiles(target.filter((one) => !isUsed.has(text(one))));
          if (!Object.entries(wanted).every(([name, count]) => (free[name] ?? 0) >= count)) continue;
          const destroyed = current.filter((one) => !names.has(text(one))).length;
          cheapest = Math.min(cheapest, destroyed + target.filter((one) => !isThere.has(text(one))).length);
        }
        expect(relayout ? relayout.destroy.length + relayout.create.length : Number.POSITIVE_INFINITY).toBe(cheapest);
        if (!relayout) return;
        const gone = new Set(relayout.destroy.map(text));
        expect(relayout.destroy.every((one) => idle.some((other) => text(other) === text(one)))).toBe(true);
        const after = [...current.filter((one) => !gone.has(text(one))), ...relayout.create];
        expect(layoutProblem(a100, after)).toBeNull();
        expect(countProfiles(relayout.serve)).toEqual(
          Object.fromEntries(
            Object.entries(wanted)
              .filter(([, count]) => count > 0)
              .sort(([left], [right]) => (left < right ? -1 : 1)),
          ),
        );
      }),
      { numRuns: 150 },
    );
  });
});

/** Every legal layout, each once. */
function subsets(layouts: MigInstance[][]): MigInstance[][] {
  const found = new Map<string, MigInstance[]>();
  for (const layout of layouts) {
    for (let mask = 0; mask < 1 << layout.length; mask++) {
      const part = layout.filter((_, index) => (mask & (1 << index)) !== 0);
      found.set(part.map(text).join(' '), part);
    }
  }
  return [...found.values()];
}

describe('which card a GPU is', () => {
  const mebibyte = 1024 * 1024;
  it.each([
    ['NVIDIA A100-SXM4-40GB', 40_536, 'A100-40GB'],
    ['NVIDIA A100-SXM4-80GB', 81_920, 'A100-80GB'],
    ['NVIDIA A100 80GB PCIe', 81_920, 'A100-80GB'],
    ['NVIDIA H100 80GB HBM3', 81_559, 'H100-80GB'],
    ['NVIDIA H200', 143_771, 'H200-141GB'],
    ['NVIDIA B200', 183_359, 'B200-180GB'],
    ['NVIDIA A30', 24_258, 'A30-24GB'],
    ['NVIDIA H100 NVL', 95_830, null],
    ['Tesla T4', 15_360, null],
    ['NVIDIA A10', 23_028, null],
  ])('%s with %d MiB: %s', (model, memoryMiB, name) => {
    expect(migCardOf({ model, memoryBytes: memoryMiB * mebibyte })?.name ?? null).toBe(name);
  });

  it('a whole card of instances counts for no more than one GPU', () => {
    for (const one of migCards) {
      for (const { counts } of migColumns(one)) {
        const milli = Object.entries(counts).reduce((sum, [name, count]) => {
          const slices = one.profiles.find((profile) => profile.name === name)?.computeSlices ?? 0;
          return sum + count * migGpuMilli(slices, one.computeSlices);
        }, 0);
        expect(milli).toBeLessThanOrEqual(1000);
      }
    }
  });
});
