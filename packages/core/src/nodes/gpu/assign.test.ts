import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GpuKind, GpuNeed, GpuSharing, GpuVendor } from '../types.ts';
import { type AssignOptions, assignGpus } from './assign.ts';
import { type GpuAssignment, type GpuUse, noUse } from './gpuUse.ts';
import { migCardOf } from './migCards.ts';
import { fitsCard, layoutProblem, maximalLayouts } from './migLayout.ts';

const gib = 1024 ** 3;
const a10 = (count: number): GpuKind => ({ vendor: 'nvidia', model: 'A10G', count, memoryBytes: 24 * gib });
const a100 = (count: number): GpuKind => ({ vendor: 'nvidia', model: 'A100-SXM4-40GB', count, memoryBytes: 40 * gib });
const whole = (count = 1, minMemoryBytes = 0): GpuNeed => ({ kind: 'whole', count, vendor: null, minMemoryBytes });
const share = (gpuMilli: number, memoryBytes = 0): GpuNeed => ({ kind: 'share', gpuMilli, memoryBytes, vendor: null });
const mig = (profile: string, count = 1): GpuNeed => ({ kind: 'mig', profile, count });
const fraction: GpuSharing = { kind: 'fraction' };
const cut: GpuSharing = { kind: 'mig' };

function assigned(...args: Parameters<typeof assignGpus>): GpuAssignment {
  const result = assignGpus(...args);
  if ('refusal' in result) throw new Error(`${result.refusal.code}: ${result.refusal.message}`);
  return result.assignment;
}

function refused(...args: Parameters<typeof assignGpus>): string {
  const result = assignGpus(...args);
  return 'refusal' in result ? `${result.refusal.code}: ${result.refusal.message}` : 'assigned';
}

describe('what is refused, and why', () => {
  const none: GpuSharing = { kind: 'none' };
  const sliced: GpuSharing = { kind: 'time-slicing', replicas: 4 };
  const mps: GpuSharing = { kind: 'mps', replicas: 4 };
  const amd: GpuKind = { ...a10(2), vendor: 'amd', model: 'MI300X' };
  it.each<[string, GpuKind | null, GpuSharing, GpuNeed, string]>([
    ['no GPU', null, none, whole(), 'no-gpu: the node has no GPU'],
    ['too many', a10(2), none, whole(3), 'count: needs 3 GPUs of one node, which has 2 A10G'],
    ['too small', a10(2), none, whole(1, 40 * gib), 'memory: needs 40960 MiB of one GPU, and A10G has 24576 MiB'],
    [
      'a part of whole ones',
      a10(1),
      none,
      share(500),
      'sharing-off: asks for a part of a GPU, and they are given out whole',
    ],
    [
      'a part of AMD',
      amd,
      none,
      share(500),
      'sharing-unsupported: AMD GPUs are given out whole: sharing by fractions works on NVIDIA only',
    ],
    ['MPS on AMD', amd, mps, whole(), 'sharing-unsupported: AMD GPUs are given out whole: MPS works on NVIDIA only'],
    [
      'another vendor',
      amd,
      none,
      { ...whole(), vendor: 'nvidia' } as GpuNeed,
      'vendor: needs NVIDIA, and MI300X is AMD',
    ],
    ['MIG on an A10G', a10(1), cut, mig('1g.5gb'), 'mig-unsupported: A10G has no MIG, or its profiles are not known'],
    [
      'MIG where it is off',
      a100(1),
      none,
      mig('1g.5gb'),
      'sharing-off: asks for the MIG profile 1g.5gb, and MIG is not used here',
    ],
    [
      'a part of a MIG card',
      a100(1),
      cut,
      share(100),
      'sharing-off: asks for a part of a GPU, and they are cut by MIG: ask for a profile',
    ],
    ['eight of seven', a100(1), cut, mig('1g.5gb', 8), 'count: needs 8 of 1g.5gb, and 1 A100-SXM4-40GB hold at most 7'],
    [
      'two of four slices',
      a10(1),
      sliced,
      share(500),
      'more-than-one-replica: asks for 500m, more than one of 4 time-slicing replicas of a GPU (250m, 6144 MiB); more of them give no more',
    ],
    [
      'the memory of two',
      a10(1),
      mps,
      share(250, 8 * gib),
      'more-than-one-replica: asks for 8192 MiB, more than one of 4 MPS replicas of a GPU (250m, 6144 MiB); more of them give no more',
    ],
    [
      'a whole one of slices',
      a10(1),
      sliced,
      whole(),
      'more-than-one-replica: asks for a whole GPU, and they are shared by time-slicing in 4: ask for 250m or less',
    ],
    [
      'one replica',
      a10(1),
      { kind: 'mps', replicas: 1 },
      share(100),
      'sharing-unsupported: MPS by 1: replicas must be a whole number from 2 to 1000',
    ],
  ])('%s', (_name, gpu, sharing, need, message) => {
    expect(refused(gpu, sharing, [], [need])).toBe(message);
  });

  it.each<GpuVendor>(['amd', 'intel', 'google', 'aws'])('%s gets whole ones', (vendor) => {
    const gpu = { ...a10(2), vendor };
    expect(assigned(gpu, none, [], [whole(2)]).placements).toEqual([{ kind: 'whole', gpus: [0, 1] }]);
    for (const sharing of [fraction, cut, sliced, mps]) {
      expect(refused(gpu, sharing, [], [whole()])).toContain('sharing-unsupported');
    }
  });

  it('one after the other until the replicas of a GPU are used up', () => {
    const needs = Array.from({ length: 8 }, () => share(100));
    const { placements } = assigned(a10(2), sliced, [], needs);
    expect(placements.map((one) => (one.kind === 'share' ? one.gpu : null))).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    expect(refused(a10(2), sliced, [], [...needs, share(100)])).toBe('full: they do not fit together on 2 A10G');
  });
});

describe('where shares go', () => {
  it('best fit: the GPU with the least left over, empty ones stay whole', () => {
    const inUse: GpuUse[] = [noUse, { ...noUse, shares: [{ gpuMilli: 300, memoryBytes: gib }] }];
    const { placements } = assigned(a10(2), fraction, inUse, [share(500), whole()]);
    expect(placements).toEqual([
      { kind: 'share', gpu: 1, gpuMilli: 500, memoryBytes: 12 * gib },
      { kind: 'whole', gpus: [0] },
    ]);
  });

  it('among equals where the mix can still use what is left', () => {
    const used = (memoryBytes: number): GpuUse => ({ ...noUse, shares: [{ gpuMilli: 400, memoryBytes }] });
    // Both have 600m left. The second GPU has too little memory for the other share: what is left there is lost anyway.
    const needs = [share(400, 2 * gib), share(150, 9 * gib)];
    const { placements } = assigned(a10(2), fraction, [used(10 * gib), used(20 * gib)], needs);
    expect(placements.map((one) => (one.kind === 'share' ? one.gpu : null))).toEqual([1, 0]);
  });

  it('three equal thirds by memory fill a GPU', () => {
    const third = share(0, 8 * gib);
    expect(assigned(a10(1), fraction, [], [third, third, third]).after[0]?.shares).toHaveLength(3);
    expect(refused(a10(1), fraction, [], [third, third, third, share(1, 1)])).toContain('full');
  });

  it('as exactly as trying everything, and never over what a GPU has', () => {
    const anyShare = fc.record({
      milli: fc.constantFrom(0, 200, 300, 400, 500, 700),
      memory: fc.constantFrom(0, 4, 8, 11, 16),
    });
    const anyNeeds = fc.array(
      anyShare.map(({ milli, memory }) => (milli + memory === 0 ? whole() : share(milli, memory * gib))),
      { minLength: 1, maxLength: 6 },
    );
    const anyUse = fc.array(
      fc
        .option(fc.record({ gpuMilli: fc.constantFrom(100, 300, 600), memoryBytes: fc.constantFrom(gib, 10 * gib) }))
        .map((one): GpuUse => (one ? { ...noUse, shares: [one] } : noUse)),
      { minLength: 3, maxLength: 3 },
    );
    fc.assert(
      fc.property(anyNeeds, anyUse, fc.integer({ min: 1, max: 3 }), (needs, inUse, count) => {
        const uses = inUse.slice(0, count);
        const result = assignGpus(a10(count), fraction, uses, needs);
        expect('assignment' in result).toBe(tryEverything(24 * gib, uses, needs));
        if (!('assignment' in result)) return;
        for (const use of result.assignment.after) {
          expect(use.shares.reduce((sum, one) => sum + one.gpuMilli, 0)).toBeLessThanOrEqual(1000);
          expect(use.shares.reduce((sum, one) => sum + one.memoryBytes, 0)).toBeLessThanOrEqual(24 * gib);
          expect(use.whole && use.shares.length > 0).toBe(false);
        }
        expect(result.assignment.placements).toHaveLength(needs.length);
      }),
      { numRuns: 400 },
    );
  });

  it('says when the search was cut off', () => {
    const needs = Array.from({ length: 9 }, () => share(350));
    expect(refused(a10(4), fraction, [], needs, { maxSteps: 5 })).toBe(
      'undecided: the search for a placement was cut off',
    );
    expect(refused(a10(4), fraction, [], needs)).toContain('full');
  });
});

/** Every GPU for every need. */
function tryEverything(memoryBytes: number, uses: readonly GpuUse[], needs: readonly GpuNeed[]): boolean {
  const [need, ...rest] = needs;
  if (!need) return true;
  return uses.some((use, index) => {
    const milli = use.shares.reduce((sum, one) => sum + one.gpuMilli, 0);
    const bytes = use.shares.reduce((sum, one) => sum + one.memoryBytes, 0);
    if (use.whole) return false;
    let next: GpuUse;
    if (need.kind === 'whole') {
      if (use.shares.length > 0) return false;
      next = { ...use, whole: true };
    } else if (need.kind === 'share') {
      const taken = {
        gpuMilli: need.gpuMilli || Math.max(1, Math.floor((1000 * need.memoryBytes) / memoryBytes)),
        memoryBytes: need.memoryBytes || Math.floor((memoryBytes * need.gpuMilli) / 1000),
      };
      if (milli + taken.gpuMilli > 1000 || bytes + taken.memoryBytes > memoryBytes) return false;
      next = { ...use, shares: [...use.shares, taken] };
    } else return false;
    return tryEverything(
      memoryBytes,
      uses.map((one, other) => (other === index ? next : one)),
      rest,
    );
  });
}

describe('where MIG instances go', () => {
  it('to idle ones first; a card is cut anew only where it must be', () => {
    const inUse: GpuUse[] = [
      noUse,
      {
        ...noUse,
        instances: [
          { profile: '3g.20gb', start: 0, inUse: true },
          { profile: '2g.10gb', start: 4, inUse: false },
        ],
      },
    ];
    const { placements, relayouts } = assigned(a100(2), cut, inUse, [mig('2g.10gb'), mig('3g.20gb', 2)]);
    expect(placements[0]).toEqual({ kind: 'mig', instances: [{ gpu: 1, profile: '2g.10gb', start: 4 }] });
    expect(relayouts).toEqual([
      {
        gpu: 0,
        destroy: [],
        create: [
          { profile: '3g.20gb', start: 0 },
          { profile: '3g.20gb', start: 4 },
        ],
      },
    ]);
  });

  it('only to those that are there where layouts are fixed', () => {
    const instances = [{ profile: '2g.10gb', start: 4, inUse: false }];
    const fixed: AssignOptions = { relayout: false };
    const uses = [{ ...noUse, instances }];
    expect(assigned(a100(1), cut, uses, [mig('2g.10gb')], fixed).after[0]?.instances[0]?.inUse).toBe(true);
    expect(refused(a100(1), cut, uses, [mig('1g.5gb')], fixed)).toBe('full: not enough is free on 1 A100-SXM4-40GB');
    expect(refused(a100(1), cut, uses, [whole()], fixed)).toContain('full');
    expect(assigned(a100(1), cut, uses, [whole()]).relayouts).toEqual([
      { gpu: 0, destroy: [{ profile: '2g.10gb', start: 4 }], create: [] },
    ]);
  });

  it('as exactly as trying every card for every instance', () => {
    const card = migCardOf(a100(1));
    if (!card) throw new Error('no card');
    const profiles = ['1g.5gb', '1g.5gb+me', '1g.10gb', '2g.10gb', '3g.20gb', '4g.20gb', '7g.40gb'];
    const anyNeeds = fc.array(
      fc.record({ profile: fc.constantFrom(...profiles), count: fc.integer({ min: 1, max: 2 }) }),
      {
        minLength: 1,
        maxLength: 5,
      },
    );
    const anyUse = fc
      .constantFrom(...maximalLayouts(card))
      .chain((layout) => fc.subarray(layout))
      .chain((layout) =>
        fc.infiniteStream(fc.boolean()).map((used) => layout.map((one) => ({ ...one, inUse: used.next().value }))),
      )
      .map((instances): GpuUse => ({ ...noUse, instances }));
    fc.assert(
      fc.property(anyNeeds, fc.array(anyUse, { minLength: 1, maxLength: 2 }), (wanted, inUse) => {
        const needs = wanted.map(({ profile, count }) => mig(profile, count));
        const result = assignGpus(a100(inUse.length), cut, inUse, needs);
        const kept = inUse.map((use) => use.instances.filter((one) => one.inUse));
        const names = wanted.flatMap(({ profile, count }) => Array.from({ length: count }, () => profile));
        const tried = (index: number, counts: Record<string, number>[]): boolean => {
          const name = names[index];
          if (name === undefined) return counts.every((one, on) => fitsCard(card, one, kept[on] ?? []));
          return counts.some((one, on) =>
            tried(
              index + 1,
              counts.map((other, at) => (at === on ? { ...one, [name]: (one[name] ?? 0) + 1 } : other)),
            ),
          );
        };
        expect('assignment' in result).toBe(
          tried(
            0,
            kept.map(() => ({})),
          ),
        );
        if (!('assignment' in result)) return;
        const { after, placements, relayouts } = result.assignment;
        for (const [index, use] of after.entries()) {
          expect(layoutProblem(card, use.instances)).toBeNull();
          // What is in use has not moved.
          for (const one of kept[index] ?? []) expect(use.instances).toContainEqual(one);
        }
        const given = placements.flatMap((one) => (one.kind === 'mig' ? one.instances : []));
        expect(given.map((one) => one.profile).sort()).toEqual([...names].sort());
        expect(new Set(given.map((one) => `${one.gpu} ${one.start}`)).size).toBe(given.length);
        for (const { gpu, destroy } of relayouts) {
          for (const gone of destroy) expect(kept[gpu]?.some((one) => one.start === gone.start)).toBe(false);
        }
      }),
      { numRuns: 200 },
    );
  });
});
