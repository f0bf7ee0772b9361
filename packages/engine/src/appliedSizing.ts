import type { SizedClassStatus, WorkloadClass, WorkloadSpec } from '@ebb/documents';
import { formatBytes, formatMilli } from '@ebb/documents';
import { type EngineContext, recordAction } from './context.ts';
import type { ClassRecommendation } from './types.ts';
import { revisionsOf, type WorkloadState } from './workloadState.ts';

/** What was settled for a class when its present revision came; `amounts` null: what the document says. */
export interface SizedClass {
  revision: string;
  atMs: number;
  amounts: NonNullable<ClassRecommendation['suggested']> | null;
}

/**
 * The spec with what is recommended in place of what the document asks for, where the document says so. Settled once for each revision
 * of a class, when it comes after another one: all its replicas get the same, and nothing is replaced because a recommendation moved. What
 * revision a class has does not depend on it.
 */
export function withAppliedSizing(context: EngineContext, state: WorkloadState, own: WorkloadSpec): WorkloadSpec {
  settle(context, state, own);
  const isApplied = isSized(own);
  if (!isApplied) return own;
  return { ...own, classes: own.classes.map((one) => sizedClass(one, state.sized[one.name]?.amounts ?? null)) };
}

/** A process cannot be changed while it runs: `inPlace` waits for the next roll-out too. */
function isSized({ sizing }: WorkloadSpec): boolean {
  return sizing !== undefined && sizing !== null && sizing.apply !== 'never';
}

function settle(context: EngineContext, state: WorkloadState, own: WorkloadSpec): void {
  const isApplied = isSized(own);
  const atMs = context.ports.clock.nowMs();
  for (const [name, revision] of revisionsOf(own)) {
    const before = state.sized[name];
    if (before?.revision === revision) continue;
    // Of a class that is seen for the first time, replicas may be running by the document already.
    const isRollout = before !== undefined && isApplied && !state.removed;
    const amounts = isRollout ? recommendedFor(context, state, own, name) : null;
    state.sized = { ...state.sized, [name]: { revision, atMs, amounts } };
    context.unsaved(state);
    if (amounts) recordAction(context, state, 'size', { class: name, revision, ...amounts });
  }
}

function recommendedFor(
  context: EngineContext,
  state: WorkloadState,
  own: WorkloadSpec,
  className: string,
): SizedClass['amounts'] {
  const { classes } = context.recommendation(state, own);
  return classes.find((one) => one.class === className)?.suggested ?? null;
}

function sizedClass(one: WorkloadClass, amounts: SizedClass['amounts']): WorkloadClass {
  if (!amounts) return one;
  const { requests, limits } = one.resources;
  return {
    ...one,
    resources: { requests: { ...requests, ...amounts.requests }, limits: { ...limits, ...amounts.limits } },
  };
}

/** By class: what its replicas ask for in place of what the document says; null where none does. */
export function sizedStatus({ spec, sized, documentAmounts }: WorkloadState): Record<string, SizedClassStatus> | null {
  const found = spec.classes.flatMap(({ name, resources }): [string, SizedClassStatus][] => {
    const settled = sized[name];
    const written = documentAmounts.get(name);
    if (!settled?.amounts || !written || !isSized(spec)) return [];
    const { revision, atMs } = settled;
    return [
      [
        name,
        {
          ...{ revision, atMs, ...cpuAndMemory(resources) },
          documentRequests: cpuAndMemory(written).requests,
          documentLimits: cpuAndMemory(written).limits,
        },
      ],
    ];
  });
  return found.length === 0 ? null : Object.fromEntries(found);
}

function cpuAndMemory({ requests, limits }: WorkloadClass['resources']) {
  const { cpuMilli, memoryBytes } = limits;
  return {
    requests: { cpuMilli: requests.cpuMilli, memoryBytes: requests.memoryBytes },
    limits: { ...(cpuMilli === undefined ? {} : { cpuMilli }), ...(memoryBytes === undefined ? {} : { memoryBytes }) },
  };
}

/** As one more step of an explanation: with what replicas of each class run, and with what they would by the document. */
export function sizingLines(state: WorkloadState): { stage: string; code: string; sentence: string }[] {
  return Object.entries(sizedStatus(state) ?? {}).map(([name, one]) => ({
    stage: 'sizing',
    code: 'sizing-applied',
    sentence: sizedSentence(name, one),
  }));
}

/** What replicas of the class ask for since its latest roll-out. */
export function sizedSentence(
  name: string,
  { requests, limits, documentRequests, documentLimits }: SizedClassStatus,
): string {
  const raised = [
    ...(limits.cpuMilli === documentLimits.cpuMilli ? [] : [`${formatMilli(limits.cpuMilli ?? 0)} of cpu`]),
    ...(limits.memoryBytes === documentLimits.memoryBytes ? [] : [`${formatBytes(limits.memoryBytes ?? 0)} of memory`]),
  ];
  const limit = raised.length === 0 ? '' : `, and may use ${raised.join(' and ')}`;
  return `Since its latest roll-out replicas of ${name} ask for ${amountsText(requests)}, as recommended, and not for ${amountsText(documentRequests)}${limit}.`;
}

const amountsText = ({ cpuMilli, memoryBytes }: SizedClassStatus['requests']): string =>
  `${formatMilli(cpuMilli)} of cpu and ${formatBytes(memoryBytes)} of memory`;
