import {
  type ContainerPolicy,
  defaultRecommender,
  type Memory,
  recommend,
  type ResourceAmounts,
  type SizedResource,
  type SizingRecommendation,
  type SizingSample,
  type SizingSpec,
} from '@ebb/core';
import { formatMilli, type SizingApplySpec } from '@ebb/documents';
import { confidenceOf, minCpuMilli, minMemoryBytes } from '@ebb/engine';

export const mebibyte = 1024 * 1024;
export const wholeMebibytes = (bytes: number): number => Math.ceil(bytes / mebibyte) * mebibyte;

export interface Recommended {
  readonly memory: Memory;
  /** Of the containers that were measured for long enough. */
  readonly recommendation: SizingRecommendation;
  /** Of those that were not: `main: 3 samples over 2 min`. */
  readonly early: readonly string[];
}

export interface RecommendInput {
  readonly workload: string;
  /** Names of the containers that are sized. */
  readonly containers: readonly string[];
  readonly sizing: SizingApplySpec;
  readonly resources: readonly SizedResource[];
  readonly memory: Memory | null;
  readonly samples: readonly SizingSample[];
  readonly nowMs: number;
}

/** What each container of a workload's pods should ask for by now: what `ebb recommend` does for classes, for containers. */
export function recommendPods(input: RecommendInput): Recommended {
  const { workload, containers, sizing, resources, samples, nowMs } = input;
  const { minAllowed, maxAllowed, controlledValues } = sizing;
  const spec: SizingSpec = {
    workload,
    containers: [...containers],
    policies: [
      { container: '*', mode: 'Off' },
      ...containers.map((container): ContainerPolicy => {
        const policy = { container, minAllowed, maxAllowed, controlledValues };
        return { ...policy, mode: 'Auto', controlledResources: [...resources] };
      }),
    ],
    settings: {
      ...defaultRecommender,
      podMinCpuMilli: minCpuMilli * containers.length,
      podMinMemoryBytes: minMemoryBytes * containers.length,
    },
  };
  const { recommendation, reasons, memory } = recommend(spec, input.memory, { nowMs, samples: [...samples] });
  const early: string[] = [];
  const sure = recommendation.containers.filter(({ name }) => {
    const { enough, sentence } = confidenceOf(reasons.filter(({ data }) => data['container'] === name));
    if (!enough) early.push(`${name}: ${sentence}`);
    return enough;
  });
  return { memory, recommendation: { containers: sure }, early };
}

/** `main 379m of cpu and 215Mi of memory`. */
export function recommendedText({ containers }: SizingRecommendation): string {
  return containers.map(({ name, target }) => `${name} ${amountsText(target)}`).join(', ');
}

/** `379m of cpu and 215Mi of memory`. */
function amountsText({ cpuMilli, memoryBytes }: ResourceAmounts): string {
  return [
    ...(cpuMilli === undefined ? [] : [`${formatMilli(cpuMilli)} of cpu`]),
    ...(memoryBytes === undefined ? [] : [`${exactBytes(wholeMebibytes(memoryBytes))} of memory`]),
  ].join(' and ');
}

const exactBytes = (bytes: number): string => (bytes % mebibyte === 0 ? `${bytes / mebibyte}Mi` : String(bytes));

/** The amounts as a container has them written; what is left out stays as it is. */
export function writtenAmounts({ cpuMilli, memoryBytes }: ResourceAmounts): Record<string, string> {
  return {
    ...(cpuMilli === undefined ? {} : { cpu: formatMilli(cpuMilli) }),
    ...(memoryBytes === undefined ? {} : { memory: exactBytes(memoryBytes) }),
  };
}

/** A part of this of an amount is told as no change: a condition is not written anew for every sample. */
const untold = 0.05;

/** Whether one says the same as the other, to a person. */
export function isAsTold(now: SizingRecommendation, told: SizingRecommendation | null): boolean {
  if (!told || told.containers.length !== now.containers.length) return false;
  return now.containers.every(({ name, target }) => {
    const before = told.containers.find((one) => one.name === name)?.target;
    return (
      before !== undefined && isNear(target.cpuMilli, before.cpuMilli) && isNear(target.memoryBytes, before.memoryBytes)
    );
  });
}

function isNear(now: number | undefined, before: number | undefined): boolean {
  if (now === undefined || before === undefined) return now === before;
  return Math.abs(now - before) <= before * untold;
}
