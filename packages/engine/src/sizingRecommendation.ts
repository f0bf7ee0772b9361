import {
  applyRecommendation,
  type ContainerPolicy,
  type ContainerRecommendation,
  defaultRecommender,
  type Reason,
  type ResourceAmounts,
  type SizingRecommendation,
  sizingSentence,
  type SizingSpec,
} from '@ebb/core';
import { keyText, type WorkloadClass, type WorkloadSpec } from '@ebb/documents';
import type { ClassRecommendation, RecommendationConfidence, SizedAmounts, WorkloadRecommendation } from './types.ts';

/** With less than this a recommendation says more about the moment than about the workload. */
const enoughMs = 3_600_000;
const enoughSamples = 30;

/**
 * The least that is recommended for a replica. A Vertical Pod Autoscaler has 25m and 250 MiB for a pod, most of which
 * a small process does not need; this is about what its histograms can tell from nothing.
 */
export const minCpuMilli = 10;
export const minMemoryBytes = 16 * 1024 * 1024;
const mebibyte = 1024 * 1024;

/**
 * What a workload's classes are sized by: the Vertical Pod Autoscaler's rules, each class a container. A replica is of
 * one class, so no class shares the minimum with the others; classes that the document no longer has are left out.
 */
export function sizingSpec({ key, classes, sizing }: WorkloadSpec): SizingSpec {
  return {
    workload: keyText(key),
    containers: classes.map(({ name }) => name),
    policies: [{ container: '*', mode: 'Off' }, ...classes.map(({ name }) => policyFor(name, sizing))],
    settings: {
      ...defaultRecommender,
      podMinCpuMilli: minCpuMilli * classes.length,
      podMinMemoryBytes: minMemoryBytes * classes.length,
    },
  };
}

function policyFor(name: string, sizing: WorkloadSpec['sizing']): ContainerPolicy {
  if (!sizing) return { container: name, mode: 'Auto' };
  const { minAllowed, maxAllowed, controlledValues } = sizing;
  return { container: name, mode: 'Auto', minAllowed, maxAllowed, controlledValues };
}

/** A recommendation in the document's terms: each class, what it asks for now, what it should, how sure, and why. */
export function recommendationOf(
  spec: WorkloadSpec,
  recommendation: SizingRecommendation,
  reasons: readonly Reason[],
  atMs: number,
): WorkloadRecommendation {
  const byName = new Map(recommendation.containers.map((one) => [one.name, one]));
  return {
    workload: keyText(spec.key),
    atMs,
    apply: spec.sizing?.apply ?? 'never',
    classes: spec.classes.map((one) => {
      const own = reasons.filter(({ data }) => data['container'] === one.name);
      return classRecommendation(one, byName.get(one.name) ?? null, own, policyFor(one.name, spec.sizing));
    }),
  };
}

function classRecommendation(
  { name, resources }: WorkloadClass,
  wanted: ContainerRecommendation | null,
  reasons: Reason[],
  policy: ContainerPolicy,
): ClassRecommendation {
  const confidence = confidenceOf(reasons);
  const { requests, limits } = resources;
  const measured = confidence.samples > 0 ? wanted : null;
  // Of what was not measured, a minimum says nothing.
  const told = measured ? reasons : reasons.filter(({ code }) => code === 'sizing-no-history');
  const amounts = measured && {
    lowerBound: both(measured.lowerBound),
    target: both(measured.target),
    upperBound: both(measured.upperBound),
    uncapped: both(measured.uncappedTarget),
  };
  return {
    class: name,
    requests: both(requests),
    limits: { cpuMilli: limits.cpuMilli ?? null, memoryBytes: limits.memoryBytes ?? null },
    amounts,
    suggested: measured && confidence.enough ? suggestedResources(measured, resources, policy) : null,
    applied: null,
    confidence,
    reasons: told.map((reason) => ({ code: reason.code, sentence: sentenceOf(reason) })),
  };
}

/** A process has no pod whose minimum it could share. */
function sentenceOf(reason: Reason): string {
  const { container, resource } = reason.data;
  return reason.code === 'sizing-minimum'
    ? `The ${resource} of ${container} would be below the least that is recommended, so it is that.`
    : sizingSentence(reason);
}

const both = ({ cpuMilli = 0, memoryBytes = 0 }: ResourceAmounts): SizedAmounts => ({ cpuMilli, memoryBytes });

/** The target in whole MiB, and limits only where the target is above them: those grow in proportion. */
function suggestedResources(
  wanted: ContainerRecommendation,
  { requests, limits }: WorkloadClass['resources'],
  policy: ContainerPolicy,
): ClassRecommendation['suggested'] {
  const target = both(wanted.target);
  const most = policy.maxAllowed?.memoryBytes;
  const memoryBytes = wholeMebibytes(target.memoryBytes);
  const rounded = { ...target, memoryBytes: most && memoryBytes > most ? most : memoryBytes };
  if (policy.controlledValues === 'RequestsOnly') {
    const { cpuMilli = rounded.cpuMilli, memoryBytes: limit = rounded.memoryBytes } = limits;
    const within = {
      cpuMilli: Math.min(rounded.cpuMilli, cpuMilli),
      memoryBytes: Math.min(rounded.memoryBytes, limit),
    };
    return { requests: within, limits: {} };
  }
  const asked = { cpuMilli: requests.cpuMilli, memoryBytes: requests.memoryBytes };
  const { containers } = applyRecommendation(
    { containers: [{ ...wanted, target: rounded }] },
    [{ name: wanted.name, requests: asked, limits: { ...sizedLimits(limits) } }],
    { policies: [], limitRanges: {} },
  );
  const grown = containers[0]?.limits ?? {};
  const raised: ResourceAmounts = {};
  if (limits.cpuMilli !== undefined && rounded.cpuMilli > limits.cpuMilli) {
    raised.cpuMilli = Math.max(rounded.cpuMilli, grown.cpuMilli ?? 0);
  }
  if (limits.memoryBytes !== undefined && rounded.memoryBytes > limits.memoryBytes) {
    raised.memoryBytes = wholeMebibytes(Math.max(rounded.memoryBytes, grown.memoryBytes ?? 0));
  }
  return { requests: rounded, limits: raised };
}

const wholeMebibytes = (bytes: number): number => Math.ceil(bytes / mebibyte) * mebibyte;

function sizedLimits({ cpuMilli, memoryBytes }: ResourceAmounts): ResourceAmounts {
  return {
    ...(cpuMilli === undefined ? {} : { cpuMilli }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}

/** How much a recommendation rests on, by the reasons for one class or container, and whether that is enough to go by. */
export function confidenceOf(reasons: readonly Reason[]): RecommendationConfidence {
  const data = reasons.find(({ code }) => code === 'sizing-confidence')?.data ?? {};
  const samples = Number(data['samples'] ?? 0);
  const historyMs = Number(data['spanMs'] ?? 0);
  const enough = samples >= enoughSamples && historyMs >= enoughMs;
  return { samples, historyMs, enough, sentence: confidenceSentence(samples, historyMs, enough) };
}

function confidenceSentence(samples: number, historyMs: number, enough: boolean): string {
  if (samples === 0) return 'Nothing has been measured yet: it takes a minute of a running replica.';
  const count = samples === 1 ? '1 sample' : `${samples} samples`;
  const basis = `${count} over ${historyText(historyMs)}`;
  if (!enough) {
    return `Too little to go by: ${basis}; it takes ${enoughSamples} samples over an hour.`;
  }
  const isDay = historyMs >= 24 * enoughMs;
  return isDay ? `${basis}; the bounds narrow as more come.` : `${basis}; the bounds are wide until there is a day.`;
}

function historyText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return `${minutes} min`;
  const hours = minutes / 60;
  return hours < 48 ? `${Math.round(hours * 10) / 10} h` : `${Math.round(hours / 2.4) / 10} days`;
}
