import type { Memory, SizingRecommendation, SizingSample } from '@ebb/core';
import type { Condition } from '@ebb/documents';
import type { Mode } from '../advice/mode.ts';
import type { TargetReference } from '../driver/target.ts';
import type { ContainerChange } from './fit.ts';
import type { planTemplate, ResizePlan } from './plan.ts';
import { writtenAmounts } from './recommendation.ts';
import { UsageMinutes } from './usageMinutes.ts';

/** What is known of one pod beside what it says itself. */
export interface AboutPod {
  /** What its node or the API server does not let it have. */
  refused: { what: SizingRecommendation; by: 'node' | 'server'; message: string } | null;
  /** What it was changed to last, and when. */
  asked: { what: SizingRecommendation; atMs: number } | null;
  oomAtMs: number;
}

/** What is kept over restarts. */
export interface Saved {
  readonly version: 1;
  readonly atMs: number;
  readonly memory: Memory;
}

/** One workload that is sized. */
export interface Sized {
  readonly reference: TargetReference;
  mode: Mode;
  /** Undefined: not loaded yet. */
  memory: Memory | null | undefined;
  readonly minutes: UsageMinutes;
  /** By UID. */
  readonly pods: Map<string, AboutPod>;
  /** Until then everything was taken in by an earlier leader. */
  savedAtMs: number;
  pending: SizingSample[];
  recommendation: SizingRecommendation;
  early: readonly string[];
  told: SizingRecommendation | null;
  plan: ResizePlan | null;
  template: ReturnType<typeof planTemplate> | null;
  error: string | null;
  trouble: string | null;
  nextPlanMs: number;
  isWorking: boolean;
  condition: Condition | null;
}

export function newSized(reference: TargetReference, mode: Mode): Sized {
  return {
    ...{ reference, mode, memory: undefined, savedAtMs: 0, minutes: new UsageMinutes(), pods: new Map(), pending: [] },
    ...{ recommendation: { containers: [] }, early: [], told: null, plan: null, template: null },
    ...{ error: null, trouble: null, nextPlanMs: 0, isWorking: false, condition: null },
  };
}

export function asSaved(value: unknown): Saved | null {
  if (typeof value !== 'object' || value === null || !('version' in value) || value.version !== 1) return null;
  // Written by this very module; core leaves out what it does not know of the memory.
  return value as Saved;
}

export function aboutPod({ pods, savedAtMs }: Sized, uid: string): AboutPod {
  const known = pods.get(uid) ?? { refused: null, asked: null, oomAtMs: savedAtMs };
  pods.set(uid, known);
  return known;
}

/** As a container of a document has it. */
export function writtenChange({ name, requests, limits }: ContainerChange) {
  const [asked, most] = [writtenAmounts(requests), writtenAmounts(limits)];
  const hasLimits = Object.keys(most).length > 0;
  return { name, resources: { requests: asked, ...(hasLimits ? { limits: most } : {}) } };
}
