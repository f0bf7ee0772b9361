import { groupPods } from './podGroups.ts';
import { isWithin, type Tolerances } from './tolerance.ts';
import type { HpaControllerSettings, HpaPod, HpaPodSample } from './types.ts';

/**
 * The replica calculator (Kubernetes pkg/controller/podautoscaler/replica_calculator.go), rule by rule. Values are
 * thousandths. A `CalculatorError` is the error of one metric; the others may still count.
 */
export class CalculatorError extends Error {}

export interface Proposal {
  replicas: number;
  /** What the status shows: percent for utilisation, thousandths otherwise. */
  current: number;
}

export interface CalculatorInput {
  nowMs: number;
  currentReplicas: number;
  statusReplicas: number;
  pods: HpaPod[];
  tolerances: Tolerances;
  settings: HpaControllerSettings;
}

const mostReplicas = 2 ** 31 - 1;
const mostValue = 2n ** 63n - 1n;

/** Whole replicas of a ratio, as Go's `int32(math.Ceil(x))` with the calculator's cap. */
function ceilReplicas(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.min(mostReplicas, Math.ceil(value));
}

function saturate(value: bigint): bigint {
  return value > mostValue ? mostValue : value;
}

/** The document's quantities are safe integers already; anything else is cut to one. */
function milli(value: number): bigint {
  if (Number.isNaN(value)) return 0n;
  return BigInt(Math.trunc(Math.min(Number.MAX_SAFE_INTEGER, Math.max(-Number.MAX_SAFE_INTEGER, value))));
}

interface Ratio {
  ratio: number;
  current: number;
}

/** `Resource` and `ContainerResource` with a utilisation target, in percent of the requests. */
export function replicasForUtilization(
  input: CalculatorInput,
  samples: HpaPodSample[],
  resource: string,
  container: string | null,
  targetPercent: number,
): Proposal {
  const requests = requestsOf(input.pods, resource, container);
  const ratioOf = (values: ReadonlyMap<string, bigint>): Ratio => utilizationRatio(values, requests, targetPercent);
  const onScaleDown = (pod: string) => ((requests.get(pod) ?? 0n) * BigInt(Math.max(100, targetPercent))) / 100n;
  return replicasForPods(input, samples, resource, ratioOf, { onScaleDown, atTarget: 'leave' });
}

/** `Resource`, `ContainerResource` and `Pods` with an average value target. */
export function replicasForAverageOfPods(
  input: CalculatorInput,
  samples: HpaPodSample[],
  resource: string,
  targetMilli: number,
): Proposal {
  const ratioOf = (values: ReadonlyMap<string, bigint>): Ratio => {
    const total = [...values.values()].reduce((sum, value) => sum + value, 0n);
    const average = Number(total / BigInt(values.size));
    return { ratio: average / targetMilli, current: average };
  };
  return replicasForPods(input, samples, resource, ratioOf, {
    onScaleDown: () => milli(targetMilli),
    atTarget: 'zero',
  });
}

interface FillRules {
  /** What a pod without a sample is taken to use when the ratio is below 1. */
  onScaleDown: (pod: string) => bigint;
  /** With a ratio of exactly 1, missing pods stay missing for utilisation and count as 0 for raw values. */
  atTarget: 'leave' | 'zero';
}

function replicasForPods(
  input: CalculatorInput,
  samples: HpaPodSample[],
  resource: string,
  ratioOf: (values: ReadonlyMap<string, bigint>) => Ratio,
  fill: FillRules,
): Proposal {
  const { currentReplicas, pods, tolerances } = input;
  if (pods.length === 0) throw new CalculatorError('no pods returned by selector while calculating replica count');
  const byPod = new Map(samples.map((sample) => [sample.name, sample]));
  const groups = groupPods(pods, byPod, resource, input.settings, input.nowMs);
  const values = new Map<string, bigint>();
  for (const sample of byPod.values()) {
    if (!groups.ignored.has(sample.name) && !groups.unready.has(sample.name))
      values.set(sample.name, milli(sample.valueMilli));
  }
  if (values.size === 0) throw new CalculatorError('did not receive metrics for targeted pods (pods might be unready)');

  const first = ratioOf(values);
  const fillUnready = groups.unready.size > 0 && first.ratio > 1;
  if (!fillUnready && groups.missing.size === 0) {
    const replicas = isWithin(tolerances, first.ratio)
      ? currentReplicas
      : ceilReplicas(first.ratio * groups.readyCount);
    return { replicas, current: first.current };
  }
  for (const pod of groups.missing) {
    if (first.ratio < 1) values.set(pod, fill.onScaleDown(pod));
    else if (first.ratio > 1 || fill.atTarget === 'zero') values.set(pod, 0n);
  }
  if (fillUnready) for (const pod of groups.unready) values.set(pod, 0n);

  const second = ratioOf(values).ratio;
  const turned = (first.ratio < 1 && second > 1) || (first.ratio > 1 && second < 1);
  if (isWithin(tolerances, second) || turned) return { replicas: currentReplicas, current: first.current };
  const replicas = ceilReplicas(second * values.size);
  // During a surge there can be more pods than replicas: never move against the ratio.
  const against = (second < 1 && replicas > currentReplicas) || (second > 1 && replicas < currentReplicas);
  return { replicas: against ? currentReplicas : replicas, current: first.current };
}

function utilizationRatio(
  values: ReadonlyMap<string, bigint>,
  requests: ReadonlyMap<string, bigint>,
  targetPercent: number,
): Ratio {
  let used = 0n;
  let requested = 0n;
  for (const [pod, value] of values) {
    const request = requests.get(pod);
    if (request === undefined) continue;
    used += value;
    requested += request;
  }
  if (requested === 0n) throw new CalculatorError('no metrics returned matched known pods');
  // The ratio is made from the truncated percentage.
  const percent = Number((used * 100n) / requested);
  return { ratio: percent / targetPercent, current: percent };
}

/** Requests by pod; a container without one fails the whole metric, also in a pod that is ignored otherwise. */
function requestsOf(pods: HpaPod[], resource: string, container: string | null): Map<string, bigint> {
  const requests = new Map<string, bigint>();
  for (const pod of pods) {
    const podLevel = pod.podRequests?.[resource];
    if (container === null && podLevel !== undefined) {
      requests.set(pod.name, milli(podLevel));
      continue;
    }
    let sum = 0n;
    for (const one of pod.containers ?? []) {
      if (container !== null && one.name !== container) continue;
      const request = one.requests[resource];
      if (request === undefined)
        throw new CalculatorError(`missing request for ${resource} in container ${one.name} of Pod ${pod.name}`);
      sum += milli(request);
    }
    if (container !== null && !pod.containers?.some((one) => one.name === container)) {
      throw new CalculatorError(`container ${container} not present in Pod ${pod.name}`);
    }
    requests.set(pod.name, sum);
  }
  return requests;
}

/** `Object` and `External` with a value target: in proportion to the ready pods, without any grace for starting ones. */
export function replicasForValue(input: CalculatorInput, valuesMilli: number[], targetMilli: number): Proposal {
  const usage = Number(sumOf(valuesMilli));
  const ratio = usage / targetMilli;
  if (input.currentReplicas === 0) return { replicas: ceilReplicas(ratio), current: usage };
  if (isWithin(input.tolerances, ratio)) return { replicas: input.currentReplicas, current: usage };
  if (input.pods.length === 0) {
    throw new CalculatorError(
      'unable to calculate ready pods: no pods returned by selector while calculating replica count',
    );
  }
  const ready = input.pods.filter((pod) => pod.phase === 'Running' && pod.ready?.status === 'True').length;
  return { replicas: ceilReplicas(ratio * ready), current: usage };
}

/** `Object` and `External` with an average value target: readiness plays no part, the base is the status count. */
export function replicasForAverageValue(input: CalculatorInput, valuesMilli: number[], targetMilli: number): Proposal {
  const usage = Number(sumOf(valuesMilli));
  const { statusReplicas } = input;
  const ratio = usage / (targetMilli * statusReplicas);
  const replicas = isWithin(input.tolerances, ratio) ? statusReplicas : ceilReplicas(usage / targetMilli);
  return { replicas, current: statusReplicas === 0 ? usage : Math.ceil(usage / statusReplicas) };
}

function sumOf(valuesMilli: number[]): bigint {
  return saturate(valuesMilli.reduce((sum, value) => saturate(sum + milli(value)), 0n));
}
