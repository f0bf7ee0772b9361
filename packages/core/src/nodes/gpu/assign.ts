import type { GpuKind, GpuNeed, GpuSharing } from '../types.ts';
import {
  type CardRelayout,
  type GpuAssignment,
  type GpuPlacement,
  type GpuRefusal,
  type GpuRefusalCode,
  type GpuUse,
  isUnused,
  noUse,
} from './gpuUse.ts';
import { migCardOf } from './migCards.ts';
import type { MigInstance } from './migLayout.ts';
import { cheapestRelayout, type CurrentInstance } from './migRelayout.ts';
import { packMig } from './packMig.ts';
import { packShares } from './packShares.ts';
import { needProblem, shareBounds, sharingProblem, shareTaken } from './sharing.ts';
import { Steps } from './steps.ts';

export interface AssignOptions {
  /** Whether idle MIG instances may go and others be made (default), or only those that are there serve. */
  relayout?: boolean;
  /** Most placements that are tried. */
  maxSteps?: number;
}

export type AssignResult = { assignment: GpuAssignment } | { refusal: GpuRefusal };

const defaultMaxSteps = 20_000;

interface Asked<Kind extends GpuNeed['kind']> {
  need: Extract<GpuNeed, { kind: Kind }>;
  index: number;
}

/**
 * Which GPUs of one node the needs get, all of them or none. `inUse` has what is taken on each GPU by position; what is left
 * out is empty. Instances in use and shares stay where they are. Whether it is possible is decided exactly, unless
 * `maxSteps` placements were tried (`undecided`); which of the possible ways it is follows best fit with the
 * fragmentation of the needs' own mix as tie-break. Pure and deterministic.
 */
export function assignGpus(
  gpu: GpuKind | null,
  sharing: GpuSharing,
  inUse: readonly GpuUse[],
  needs: readonly GpuNeed[],
  options: AssignOptions = {},
): AssignResult {
  if (needs.length === 0) return { assignment: { placements: [], relayouts: [], after: [...inUse] } };
  if (!gpu || gpu.count === 0) return refusal('no-gpu', 'the node has no GPU', 0);
  const wrong = sharingProblem(gpu, sharing);
  if (wrong) return refusal(wrong.code, wrong.message, null);
  for (const [index, need] of needs.entries()) {
    const problem = needProblem(gpu, sharing, need);
    if (problem) return refusal(problem.code, problem.message, index);
  }
  const { relayout = true, maxSteps = defaultMaxSteps } = options;
  const uses = Array.from({ length: gpu.count }, (_, index) => inUse[index] ?? noUse);
  const placements: GpuPlacement[] = [];
  const after = [...uses];

  const wholes = asked(needs, 'whole');
  const wanted = wholes.reduce((sum, { need }) => sum + need.count, 0);
  // Empty ones are alike, so that taking any of them leaves the others as much; those without instances cost nothing.
  const empty = [...uses.entries()]
    .filter(([, use]) => isUnused(use) && (relayout || use.instances.length === 0))
    .sort(([left, a], [right, b]) => a.instances.length - b.instances.length || left - right)
    .map(([index]) => index);
  if (wanted > empty.length) {
    const index = wholes.length === 1 ? (wholes[0]?.index ?? null) : null;
    return refusal('full', `needs ${wanted} whole GPUs, and ${empty.length} of ${gpu.count} are free`, index);
  }
  const relayouts: CardRelayout[] = [];
  for (const { need, index } of wholes) {
    const gpus = empty.splice(0, need.count);
    placements[index] = { kind: 'whole', gpus };
    for (const one of gpus) {
      const idle = uses[one]?.instances ?? [];
      if (idle.length > 0) relayouts.push({ gpu: one, destroy: idle.map(bare), create: [] });
      after[one] = { whole: true, shares: [], instances: [] };
    }
  }

  const steps = new Steps(maxSteps);
  const left = after.map((use, index) => ({ gpu: index, use }));
  const shares = asked(needs, 'share').map(({ need, index }) => ({ index, share: shareTaken(gpu, sharing, need) }));
  const packed = packShares(
    left,
    shares.map((one) => one.share),
    shareBounds(gpu, sharing),
    steps,
  );
  if (typeof packed === 'string')
    return noRoom(
      packed,
      gpu,
      shares.map((one) => one.index),
    );
  for (const [position, { index, share }] of shares.entries()) {
    const on = packed[position] ?? 0;
    placements[index] = { kind: 'share', gpu: on, ...share };
    const use = after[on] ?? noUse;
    after[on] = { ...use, shares: [...use.shares, share] };
  }

  const migs = asked(needs, 'mig');
  const card = migCardOf(gpu);
  if (card && migs.length > 0) {
    const names = migs.flatMap(({ need }) => Array.from({ length: need.count }, () => need.profile));
    const cut = packMig(left, card, names, { relayout, steps });
    if (typeof cut === 'string')
      return noRoom(
        cut,
        gpu,
        migs.map((one) => one.index),
      );
    const free: (MigInstance & { gpu: number })[] = [];
    for (const [index, counts] of cut) {
      const use = after[index] ?? noUse;
      const change = cheapestRelayout(card, use.instances, counts);
      if (!change) return refusal('undecided', `no layout for card ${index}`, null);
      const { destroy, create, serve } = change;
      if (destroy.length + create.length > 0) relayouts.push({ gpu: index, destroy, create });
      free.push(...serve.map((one) => ({ gpu: index, ...one })));
      after[index] = { ...use, instances: changed(use.instances, destroy, create, serve) };
    }
    for (const { need, index } of migs) {
      const instances = Array.from({ length: need.count }, () => takeProfile(free, need.profile)).flatMap(
        (one) => one ?? [],
      );
      placements[index] = { kind: 'mig', instances };
    }
  }
  relayouts.sort((a, b) => a.gpu - b.gpu);
  return { assignment: { placements, relayouts, after } };
}

function asked<Kind extends GpuNeed['kind']>(needs: readonly GpuNeed[], kind: Kind): Asked<Kind>[] {
  const isOf = (need: GpuNeed): need is Extract<GpuNeed, { kind: Kind }> => need.kind === kind;
  return needs.flatMap((need, index) => (isOf(need) ? [{ need, index }] : []));
}

function noRoom(verdict: 'full' | 'undecided', gpu: GpuKind, needs: readonly number[]): AssignResult {
  const one = needs.length === 1 ? (needs[0] ?? null) : null;
  const what = one === null ? 'they do not fit together' : 'not enough is free';
  const message = `${what} on ${gpu.count} ${gpu.model}`;
  return refusal(verdict, verdict === 'full' ? message : 'the search for a placement was cut off', one);
}

function takeProfile<Instance extends MigInstance>(free: Instance[], profile: string): Instance | null {
  const index = free.findIndex((one) => one.profile === profile);
  return index < 0 ? null : (free.splice(index, 1)[0] ?? null);
}

function changed(
  current: readonly CurrentInstance[],
  destroy: readonly MigInstance[],
  create: readonly MigInstance[],
  serve: readonly MigInstance[],
): CurrentInstance[] {
  const key = ({ profile, start }: MigInstance) => `${profile}@${start}`;
  const gone = new Set(destroy.map(key));
  const used = new Set(serve.map(key));
  return [
    ...current.filter((one) => one.inUse || !gone.has(key(one))),
    ...create.map((one) => ({ ...one, inUse: false })),
  ]
    .map((one) => ({ ...one, inUse: one.inUse || used.has(key(one)) }))
    .sort((a, b) => a.start - b.start);
}

function bare({ profile, start }: MigInstance): MigInstance {
  return { profile, start };
}

function refusal(code: GpuRefusalCode, message: string, need: number | null): AssignResult {
  return { refusal: { code, message, need } };
}
