import {
  applyRecommendation,
  defaultUpdater,
  planUpdates,
  type ResourceAmounts,
  type SizingRecommendation,
  type UpdateSpec,
} from '@ebb/core';
import { type ContainerChange, fitContainer, keepingClass, type SizingRules } from './fit.ts';
import type { HeldCode } from './reasons.ts';
import { qosOf, type SizableContainer, type SizablePod } from './sizedPod.ts';

/** What is known of a pod beside what it says itself. */
export interface PodMemory {
  /** What a container used when it was last measured; null: it was not yet. */
  used(container: string): ResourceAmounts | null;
  /** What its node or the API server did not let it have; null: nothing. */
  readonly refused: SizingRecommendation | null;
  /** When it was changed last; null: never. */
  readonly patchedAtMs: number | null;
}

export interface PlannedPod extends PodMemory {
  readonly pod: SizablePod;
}

export interface PodPatch {
  readonly pod: SizablePod;
  readonly changes: readonly ContainerChange[];
}

export interface HeldPod {
  readonly pod: SizablePod;
  readonly code: HeldCode;
}

export interface ResizePlan {
  /** In the order in which they should be made. */
  readonly patches: readonly PodPatch[];
  readonly held: readonly HeldPod[];
}

/** One change of a pod is seen to its end before there is another. */
const gapMs = 300_000;

/**
 * Which pods are changed in place now, and how. Which and in which order are the Vertical Pod Autoscaler's rules (core's updater, mode
 * InPlace); how far, and how many at once, are stricter ones.
 */
export function planResizes(
  rules: SizingRules,
  recommendation: SizingRecommendation,
  pods: readonly PlannedPod[],
  nowMs: number,
): ResizePlan {
  const held: HeldPod[] = [];
  const open = new Map<string, PlannedPod>();
  let resizing = 0;
  for (const one of pods) {
    const { pod } = one;
    if (pod.resize?.status === 'resizing') resizing++;
    const code = whyNot(one, nowMs);
    if (code) held.push({ pod, code });
    else open.set(pod.name, one);
  }
  const alive = pods.filter(({ pod }) => pod.isRunning).length;
  let room = Math.max(1, Math.floor(alive * rules.share)) - resizing;
  const patches: PodPatch[] = [];
  const { updates, held: kept } = candidates(recommendation, [...open.values()], nowMs);
  for (const { replica, reasons } of kept) {
    const one = open.get(replica);
    const isRefused = reasons.some(({ code }) => code === 'sizing-refused-before');
    if (one) held.push({ pod: one.pod, code: isRefused ? refusedCode(one) : 'fits' });
  }
  for (const { replica } of updates) {
    const one = open.get(replica);
    if (!one) continue;
    const changes = changesOf(rules, recommendation, one);
    if (changes.length === 0) held.push({ pod: one.pod, code: isRestartInTheWay(rules, one) ? 'restarts' : 'fits' });
    else if (room <= 0) held.push({ pod: one.pod, code: 'share' });
    else {
      room--;
      patches.push({ pod: one.pod, changes });
    }
  }
  return { patches, held };
}

function whyNot({ pod, patchedAtMs, refused }: PlannedPod, nowMs: number): HeldCode | null {
  if (!pod.isRunning) return 'not-running';
  if (pod.isPodLevel) return 'pod-level';
  if (qosOf([...pod.containers, ...pod.others]) === 'BestEffort') return 'best-effort';
  if (pod.resize?.status === 'resizing') return 'resizing';
  if (pod.resize?.status === 'deferred') return 'deferred';
  // Of one that is infeasible, whoever leads now may not have asked for it.
  if (pod.resize?.status === 'infeasible' && refused === null) return 'infeasible';
  return patchedAtMs !== null && nowMs < patchedAtMs + gapMs && !refused ? 'recently' : null;
}

const refusedCode = ({ pod }: PlannedPod): HeldCode => (pod.resize?.status === 'infeasible' ? 'infeasible' : 'refused');

function candidates(recommendation: SizingRecommendation, pods: readonly PlannedPod[], nowMs: number) {
  const replicas = pods.map(({ pod, refused }) => ({
    ...{ name: pod.name, group: pod.group, pending: false, startedAtMs: pod.startedAtMs, refused },
    containers: [...pod.containers],
    observedContainers: null,
    resize: null,
    resizeRestarts: false,
  }));
  const groups = new Map<string, number | null>(replicas.map(({ group }) => [group, null]));
  return planUpdates(updateSpec, recommendation, { nowMs, replicas, groups });
}

/** Nothing is disrupted by a resize that restarts nothing: how many at once is said by the share. */
const updateSpec: UpdateSpec = {
  policy: { mode: 'InPlace', minReplicas: 1, evictionRequirements: [], evictAfterOomMs: null },
  settings: { ...defaultUpdater, inPlaceEnabled: true, inPlaceSkipsBudget: true },
  policies: [],
  limitRanges: {},
};

function changesOf(
  rules: SizingRules,
  recommendation: SizingRecommendation,
  { pod, used }: PlannedPod,
): ContainerChange[] {
  const qos = qosOf([...pod.containers, ...pod.others]);
  const changes = fitAll(rules, recommendation, pod.containers, qos, used);
  return keepingClass(pod.containers, pod.others, changes);
}

function fitAll(
  rules: SizingRules,
  recommendation: SizingRecommendation,
  containers: readonly SizableContainer[],
  qos: ReturnType<typeof qosOf>,
  used: PodMemory['used'],
): ContainerChange[] {
  const applied = applyRecommendation(recommendation, [...containers], { policies: [], limitRanges: {} });
  return containers.flatMap((container) => {
    const recommended = recommendation.containers.find(({ name }) => name === container.name);
    if (!recommended) return [];
    const proportional = applied.containers.find(({ name }) => name === container.name)?.limits ?? {};
    const input = { container, recommended, proportional, used: used(container.name), qos, rules };
    return fitContainer(input) ?? [];
  });
}

function isRestartInTheWay(rules: SizingRules, { pod }: PlannedPod): boolean {
  return pod.containers.some(({ restartsFor }) => restartsFor.some((one) => rules.resources.includes(one)));
}

/** What a target says of its roll-outs. */
export interface TargetTemplate {
  /** Null: this kind has none that is known here. */
  readonly containers: readonly SizableContainer[] | null;
  readonly replicas: number;
  /** A roll-out is due already and waits for somebody, or no change of the template ever restarts a pod. */
  readonly isFree: boolean;
}

/**
 * What of a template changes for pods that are made later. Only where nothing is restarted by it: at zero replicas, where a roll-out is due
 * already and stands still, or where pods are only ever replaced by hand.
 */
export function planTemplate(
  rules: SizingRules,
  recommendation: SizingRecommendation,
  { containers, replicas, isFree }: TargetTemplate,
): { changes: readonly ContainerChange[] } | { held: HeldCode } {
  if (!containers) return { held: 'no-template' };
  const always = containers.map((one) => ({ ...one, restartsFor: [] }));
  const changes = fitAll(rules, recommendation, always, qosOf(containers), () => ({}));
  if (changes.length === 0) return { held: 'fits' };
  return replicas > 0 && !isFree ? { held: 'runs' } : { changes };
}
